"""Merged classes: references to a class that was merged away mean the other one as long as the merge stands."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection, select

from maskwright.document.change import Change
from maskwright.document.values import Instance
from maskwright.project.schema import categories, category_merges

Aliases = Mapping[int, int]
"""{id of a class that was merged away: id of its present class}."""


def read_aliases(connection: Connection) -> Aliases:
    """The aliases of all merges that stand."""
    standing = category_merges.c.undone_at.is_(None)
    query = select(category_merges.c.source_id, category_merges.c.target_id).where(standing)
    rows = connection.execute(query.order_by(category_merges.c.id)).fetchall()
    targets = {row.source_id: row.target_id for row in rows if type(row.source_id) is type(row.target_id) is int}
    ends = {source: _end(source, targets) for source in targets}
    there = (
        set(connection.scalars(select(categories.c.id).where(categories.c.id.in_(set(ends.values()))))) if ends else ()
    )
    return {source: end for source, end in ends.items() if end in there}


def in_todays_classes(change: Change, aliases: Aliases) -> Change:
    """The change as if it had been made after the merges; parts that then change nothing are dropped.

    The same object if none of its classes was merged away.
    """
    named = (side.category_id for _, *sides in change for side in sides if side is not None)
    if not aliases or aliases.keys().isdisjoint(named):
        return change
    return Change.of((_renamed(before, aliases), _renamed(after, aliases)) for _, before, after in change)


def _renamed(instance: Instance | None, aliases: Aliases) -> Instance | None:
    if instance is None or instance.category_id not in aliases:
        return instance
    return replace(instance, category_id=aliases[instance.category_id])


def _end(category_id: int, targets: Mapping[int, int]) -> int:
    """A class cannot be merged into one that is gone, so the chain ends, unless another program wrote it."""
    for _ in targets:
        if category_id not in targets:
            break
        category_id = targets[category_id]
    return category_id
