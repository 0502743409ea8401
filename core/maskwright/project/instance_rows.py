"""The database rows of a project's instances and of their history, read and written within a transaction."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import Connection, case, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from maskwright.document.change import Change, UserEffort
from maskwright.document.values import ImageState, Instance, InstanceState, Provenance
from maskwright.errors import UnfitEditError
from maskwright.project.category_rows import note_found
from maskwright.project.gestures import gesture_to_row, is_recorded
from maskwright.project.journal import change_from_bytes, change_to_bytes
from maskwright.project.rows import (
    instance_to_row,
    now,
    provenance_from_row,
    provenance_to_row,
    sound_instances,
)
from maskwright.project.schema import counters, history, images, instances, provenances

StepKind = Literal["edit", "undo", "redo", "proposals"]
"""The kind of a history entry: a user's new step, an undone step, a redone step, or a model's proposals."""

_NEXT_INSTANCE = "instance_id"
_BLOCK = 500
_MOST_ID = 1 << 52
"""Higher ids are invalid; JSON readers tell numbers apart up to twice that."""
_SKIPPED = 1_000_000
"""Ids skipped if it is no longer known which have been used."""
_COUNT = (
    select(func.count())
    .where(instances.c.image_id == images.c.id, instances.c.state != InstanceState.REJECTED.value)
    .scalar_subquery()
)


def read_instances(connection: Connection, image_id: int) -> tuple[Instance, ...]:
    """The instances of an image, by id."""
    return stored_instances(connection, [image_id])[image_id]


def stored_instances(
    connection: Connection, image_ids: Sequence[int], damaged: dict[int, str] | None = None
) -> dict[int, tuple[Instance, ...]]:
    """{image id: its instances by id}, for each of `image_ids`, which should be few.

    Unreadable rows are not changed; the reasons go into `damaged` by id.
    """
    query = select(instances).where(instances.c.image_id.in_(image_ids)).order_by(instances.c.id)
    rows = connection.execute(query).fetchall()
    known = read_provenances(connection, {row.provenance_id for row in rows} - {None})
    found: dict[int, list[Instance]] = {image_id: [] for image_id in image_ids}
    for row, instance in sound_instances(rows, known, damaged):
        found[row.image_id].append(instance)
    return {image_id: tuple(listed) for image_id, listed in found.items()}


def next_id(connection: Connection) -> int:
    """An id that, like all above it, no instance has ever had."""
    stored = connection.scalar(select(counters.c.next).where(counters.c.name == _NEXT_INSTANCE))
    highest = connection.scalar(select(func.max(instances.c.id)).where(instances.c.id < _MOST_ID)) or 0
    if type(stored) is int and highest < stored < _MOST_ID:
        return stored
    # The counter is damaged: only the history knows ids that were used and deleted, so some are skipped.
    return highest + 1 + (_SKIPPED if stored is not None else 0)


def reserve_ids(connection: Connection, count: int) -> range:
    """`count` ids that nothing else will ever get."""
    first = next_id(connection)
    row = {"name": _NEXT_INSTANCE, "next": first + count}
    statement = upsert(counters).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"next": statement.excluded.next}))
    return range(first, first + count)


def keep_ids_above(connection: Connection, highest: int) -> None:
    """Ids up to `highest` were used elsewhere and are never assigned again."""
    row = {"name": _NEXT_INSTANCE, "next": highest + 1}
    statement = upsert(counters).values(row)
    higher = func.max(counters.c.next, statement.excluded.next)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"next": higher}))


def write_change(
    connection: Connection, image_id: int, change: Change, *, stored: Sequence[Instance], edited_at: str = ""
) -> None:
    """`stored`: the image's instances as just read in this transaction; `edited_at`: when a user did it, if one did.

    Raises UnfitEditError if they are not in the state that `change` starts from.
    """
    known = {instance.id: instance for instance in stored}
    for id_, before, _ in change:
        if known.get(id_) != before:
            raise UnfitEditError(f"object {id_} was changed elsewhere; reload the image and repeat this step")
    write_changes(connection, {image_id: change}, edited_at=edited_at)


def write_changes(connection: Connection, changes: Mapping[int, Change], *, edited_at: str = "") -> None:
    """{image id: change}, each based on what was just read in this transaction."""
    gone = [id_ for change in changes.values() for id_, before, _ in change if before is not None]
    for start in range(0, len(gone), _BLOCK):
        connection.execute(delete(instances).where(instances.c.id.in_(gone[start : start + _BLOCK])))
    created = [
        (image_id, replace(after, edited_at=edited_at))
        for image_id, change in changes.items()
        for _, _, after in change
        if after is not None
    ]
    ids = provenance_ids(connection, (after for _, after in created))
    rows = [instance_to_row(after, image_id, ids[after.provenance]) for image_id, after in created]
    if rows:
        note_found(connection, (after.category_id for _, after in created))
        connection.execute(insert(instances), rows)


def write_history(
    connection: Connection,
    image_id: int,
    change: Change,
    *,
    label: str,
    kind: StepKind,
    gesture: UserEffort | None = None,
) -> None:
    """Add a journal entry for a user's step."""
    row = _history_row(image_id, change, label, kind)
    taken = gesture_to_row(gesture) if gesture is not None and is_recorded(connection) else {}
    connection.execute(insert(history), row | taken)


def write_proposal_history(connection: Connection, changes: Mapping[int, Change], *, label: str) -> None:
    """Add a journal entry for each image with a change.

    Proposals that directly follow proposals are merged into one entry: otherwise each move of a slider would add a
    whole batch to the file.
    """
    told = {image_id: change for image_id, change in changes.items() if not change.is_empty}
    if not told:
        return
    before = _last_proposals(connection, told)
    if before:
        connection.execute(delete(history).where(history.c.id.in_([id_ for id_, _ in before.values()])))
        told |= {image_id: change.then(told[image_id]) for image_id, (_, change) in before.items()}
    rows = [_history_row(image_id, change, label, "proposals") for image_id, change in told.items()]
    rows = [row for row, change in zip(rows, told.values(), strict=True) if not change.is_empty]
    if rows:
        connection.execute(insert(history), rows)


def _last_proposals(connection: Connection, image_ids: Iterable[int]) -> dict[int, tuple[int, Change]]:
    """{image id: (id, change) of its last journal entry}, if that holds a model's proposals and can be read."""
    last = select(func.max(history.c.id)).where(history.c.image_id.in_(list(image_ids))).group_by(history.c.image_id)
    rows = connection.execute(select(history).where(history.c.id.in_(last), history.c.kind == "proposals"))
    found: dict[int, tuple[int, Change]] = {}
    for row in rows:
        with suppress(ValueError):  # it stays as it is, and another one follows
            found[row.image_id] = row.id, change_from_bytes(row.change)
    return found


def _history_row(image_id: int, change: Change, label: str, kind: StepKind) -> dict[str, Any]:
    return {"image_id": image_id, "at": now(), "kind": kind, "label": label, "change": change_to_bytes(change)}


def touch_image(connection: Connection, image_id: int, *, was: Collection[ImageState], becomes: ImageState) -> None:
    """Update the image's number of instances and, if its state is one of `was`, the state."""
    touch_images(connection, [image_id], was=was, becomes=becomes)


def touch_images(
    connection: Connection, image_ids: Iterable[int], *, was: Collection[ImageState], becomes: ImageState
) -> None:
    """The same for several images."""
    state = case((images.c.state.in_([state.value for state in was]), becomes.value), else_=images.c.state)
    wanted = images.c.id.in_(list(image_ids))
    connection.execute(update(images).where(wanted).values(instance_count=_COUNT, state=state))


def read_provenances(connection: Connection, ids: Iterable[int]) -> dict[int, Provenance]:
    """{id: provenance}; damaged rows are left out."""
    wanted = list(ids)
    if not wanted:
        return {}
    found: dict[int, Provenance] = {}
    for row in connection.execute(select(provenances).where(provenances.c.id.in_(wanted))):
        with suppress(ValueError):  # an object is complete without, and `damaged_rows` lists it
            found[row.id] = provenance_from_row(row)
    return found


def provenance_ids(connection: Connection, created: Iterable[Instance]) -> dict[Provenance | None, int | None]:
    """The row ids of the instances' provenances, which are created if need be."""
    return {origin: _provenance_id(connection, origin) for origin in {item.provenance for item in created}}


def _provenance_id(connection: Connection, provenance: Provenance | None) -> int | None:
    if provenance is None:
        return None
    row = provenance_to_row(provenance)
    query = select(provenances.c.id).where(*(provenances.c[name] == value for name, value in row.items()))
    known = connection.scalar(query)
    if known is not None:
        return int(known)
    return int(connection.execute(insert(provenances).values(row).returning(provenances.c.id)).scalar_one())
