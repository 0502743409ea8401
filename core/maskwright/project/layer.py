"""The part of a project that stores model output, as a layer below the user's work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, select

from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, ImageState, Provenance
from maskwright.project.aliases import read_aliases
from maskwright.project.category_rows import release
from maskwright.project.instance_rows import (
    read_instances,
    reserve_ids,
    stored_instances,
    touch_images,
    write_change,
    write_changes,
    write_proposal_history,
)
from maskwright.project.proposals import ModelProposal, proposals_to_change
from maskwright.project.repository import Repository
from maskwright.project.runs import Run, mark_images_done, read_run
from maskwright.project.schema import images
from maskwright.project.signals import write_signals


@dataclass(frozen=True, slots=True)
class ImageProposals:
    """What a model proposes for one image."""

    image_id: int
    proposals: Sequence[ModelProposal]
    signals: Mapping[str, tuple[float, Any]] = field(default_factory=dict)
    """{name: (value, JSON details)}, stored for the review order."""
    seconds: float | None = None
    """Processing time, recorded with the run."""
    covers: frozenset[int] | None = None
    """Classes of the project that the model can propose: open proposals of others stay. None for all."""


class ProposalRepository(Repository):
    """Models' proposals, below what users made."""

    def put(
        self,
        image_id: int,
        proposals: Sequence[ModelProposal],
        *,
        run_id: int | None = None,
        seconds: float | None = None,
        provenance: Provenance | None = None,
        signals: Mapping[str, tuple[float, Any]] | None = None,
    ) -> Change:
        """Replace the image's open proposals; a user's instances, including rejected ones, stay.

        Returns what changed. An unseen image becomes "pre-labelled". With `run_id` the image is marked as done by that
        run in the same transaction, so that no image is ever done twice; otherwise `provenance` names the model.
        """
        one = ImageProposals(image_id, proposals, signals or {}, seconds)
        change = self.put_many([one], run_id=run_id, provenance=provenance).get(image_id, Change.of(()))
        if gone := _classes_gone(change):
            with self._database.write(is_repeatable=True) as connection:
                release(connection, gone)
        return change

    def put_many(
        self, found: Sequence[ImageProposals], *, run_id: int | None = None, provenance: Provenance | None = None
    ) -> dict[int, Change]:
        """Like `put` for several images, each once, in one transaction: {image id: what changed}.

        A run stores nothing for an image that was excluded since it was read. A transaction takes ten statements
        however many images it has; for one small image they cost more than SQLite's own work. Classes whose last
        object goes stay listed until `categories.release`, which looks through all objects, hence only once at the end.
        """
        with self._database.write(is_repeatable=True) as connection:
            run = read_run(connection, run_id) if run_id is not None else None
            found = _of_the_set(connection, found) if run is not None else found
            changes = _changes(connection, found, _provenance(run) or provenance)
            write_changes(connection, changes)
            write_proposal_history(connection, changes, label="Pre-label")
            touch_images(connection, changes, was=(ImageState.UNSEEN,), becomes=ImageState.PRELABELLED)
            if run is not None:
                mark_images_done(connection, run.id, {one.image_id: one.seconds for one in found})
            for name in {name for one in found for name in one.signals}:
                write_signals(
                    connection, name, {one.image_id: one.signals[name] for one in found if name in one.signals}
                )
        return changes

    def change(self, image_id: int, change: Change, *, label: str) -> Change:
        """Change the outlines of proposals without counting as an edit; the image stays in its state.

        Raises ProjectError if they have been changed since `change` was made.
        """
        if change.is_empty:
            return change
        with self._database.write() as connection:
            write_change(connection, image_id, change, stored=read_instances(connection, image_id))
            write_proposal_history(connection, {image_id: change}, label=label)
        return change


def _classes_gone(change: Change) -> set[int]:
    """Classes that lost an object."""
    pairs = ((before, after) for _, before, after in change if before is not None)
    return {before.category_id for before, after in pairs if after is None or after.category_id != before.category_id}


def _of_the_set(connection: Connection, found: Sequence[ImageProposals]) -> list[ImageProposals]:
    is_outside = images.c.standing.in_([each.value for each in ImageStanding if each is not ImageStanding.LISTED])
    wanted = images.c.id.in_([one.image_id for one in found])
    outside = set(connection.scalars(select(images.c.id).where(wanted, is_outside)))
    return [one for one in found if one.image_id not in outside]


def _changes(
    connection: Connection, found: Sequence[ImageProposals], provenance: Provenance | None
) -> dict[int, Change]:
    aliases = read_aliases(connection)
    existing = stored_instances(connection, [one.image_id for one in found])
    ids = iter(reserve_ids(connection, count) if (count := sum(len(one.proposals) for one in found)) else ())
    changes = {}
    for one in found:
        named = [replace(item, category_id=aliases.get(item.category_id, item.category_id)) for item in one.proposals]
        new_ids = [next(ids) for _ in named]
        changes[one.image_id] = proposals_to_change(
            existing[one.image_id], named, provenance, new_ids, covers=one.covers
        )
    return changes


def _provenance(run: Run | None) -> Provenance | None:
    if run is None:
        return None
    settings = run.settings
    score, nms_iou = settings.get("score") or 0.0, settings.get("nms_iou") or 0.0
    mask_threshold, min_iou = settings.get("mask_threshold"), settings.get("min_iou", 0) or 1.0
    return Provenance(
        run.model_name, run.model_hash, float(score), float(nms_iou), run.started_at, mask_threshold,
        float(min_iou) if "min_iou" in settings else None,
    )  # fmt: skip
