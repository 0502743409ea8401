"""Model output as a layer under a person's work: what a new set of proposals may add, keep and remove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon

SAME_OBJECT_IOU = 0.7
"""From here on a proposal and an instance of the same category are one object."""
SAME_PLACE_IOU = 0.85
"""From here on they are one object even if the person chose another category."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One object that a model suggests."""

    category_id: int
    score: float
    polygons: tuple[Polygon, ...]


_Outlined: TypeAlias = Sequence[Proposal | Instance]


def proposals_to_change(
    existing: Sequence[Instance], proposals: Sequence[Proposal], provenance: Provenance | None, new_ids: Sequence[int]
) -> Change:
    """The change that replaces the PROPOSED among `existing` by `proposals` and touches nothing else.

    A proposal that a person has already answered (accepted, edited, drawn or rejected) is left out. One that matches an
    old proposal keeps its id. `new_ids` must hold one id per proposal; not all need be used.
    """
    old = [instance for instance in existing if instance.state is InstanceState.PROPOSED]
    answered = [instance for instance in existing if instance.state is not InstanceState.PROPOSED]
    fresh = _without_answered([proposal for proposal in proposals if proposal.polygons], answered)
    successors = _match(fresh, old)
    ids = iter(new_ids)
    pairs: list[tuple[Instance | None, Instance | None]] = []
    for index, proposal in enumerate(fresh):
        before = successors.get(index)
        start = before or Instance(next(ids), proposal.category_id, proposal.polygons, InstanceState.PROPOSED)
        after = replace(start, polygons=proposal.polygons, score=proposal.score, provenance=provenance)
        pairs.append((before, after))
    kept = {instance.id for instance in successors.values()}
    pairs += [(instance, None) for instance in old if instance.id not in kept]
    return Change.of(pairs)


def _without_answered(proposals: Sequence[Proposal], answered: Sequence[Instance]) -> list[Proposal]:
    answers = [instance for instance in answered if instance.polygons]
    rows, columns, ious = _overlaps(proposals, answers)
    is_same = _categories(proposals)[rows] == _categories(answers)[columns]
    is_rejected = np.array([instance.state is InstanceState.REJECTED for instance in answers], np.bool_)[columns]
    hits = np.where(is_same, ious >= SAME_OBJECT_IOU, ~is_rejected & (ious >= SAME_PLACE_IOU))
    return [proposals[index] for index in np.setdiff1d(np.arange(len(proposals)), rows[hits]).tolist()]


def _match(proposals: Sequence[Proposal], old: Sequence[Instance]) -> Mapping[int, Instance]:
    """{index of proposal: old instance of the same object}, each used once, the best pairs first."""
    old = [instance for instance in old if instance.polygons]
    rows, columns, ious = _overlaps(proposals, old)
    is_match = (_categories(proposals)[rows] == _categories(old)[columns]) & (ious >= SAME_OBJECT_IOU)
    matches: dict[int, Instance] = {}
    used: set[int] = set()
    for at in np.flatnonzero(is_match)[np.argsort(-ious[is_match], kind="stable")].tolist():
        row, column = int(rows[at]), int(columns[at])
        if row not in matches and column not in used:
            matches[row] = old[column]
            used.add(column)
    return matches


def _categories(items: _Outlined) -> NDArray[np.int64]:
    return np.array([item.category_id for item in items], np.int64)


def _overlaps(left: _Outlined, right: _Outlined) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """(rows, columns, IoU of areas) of the pairs whose IoU may reach SAME_OBJECT_IOU, a few more among them.

    The overlap of two objects is at most that of their boxes, which rules out nearly all pairs before any geometry.
    """
    if not left or not right:
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    shapes = _shapes(left), _shapes(right)
    rows, columns = shapely.STRtree(shapes[1]).query(shapes[0])
    boxes = shapely.bounds(shapes[0])[rows], shapely.bounds(shapes[1])[columns]
    areas = shapely.area(shapes[0])[rows], shapely.area(shapes[1])[columns]
    sides = np.minimum(boxes[0][:, 2:], boxes[1][:, 2:]) - np.maximum(boxes[0][:, :2], boxes[1][:, :2])
    at_most = np.minimum(sides.prod(axis=1), np.minimum(*areas))
    is_near = at_most >= SAME_OBJECT_IOU * (areas[0] + areas[1] - at_most)
    rows, columns, both = rows[is_near], columns[is_near], areas[0][is_near] + areas[1][is_near]
    common = shapely.area(shapely.intersection(shapes[0][rows], shapes[1][columns]))
    return rows, columns, common / np.maximum(both - common, 1e-9)


def _shapes(items: _Outlined) -> NDArray[np.object_]:
    """Valid shapely geometries, the plain ones (one part, no hole: nearly all) made in one call."""
    shapes = np.empty(len(items), np.object_)
    is_plain = np.array([len(item.polygons) == 1 and not item.polygons[0].holes for item in items], np.bool_)
    rings = [items[index].polygons[0].exterior for index in np.flatnonzero(is_plain).tolist()]
    if rings:
        owners = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
        shapes[is_plain] = shapely.polygons(shapely.linearrings(np.concatenate(rings), indices=owners))
    for index in np.flatnonzero(~is_plain).tolist():
        shapes[index] = _compound(items[index].polygons)
    is_invalid = ~shapely.is_valid(shapes)
    shapes[is_invalid] = shapely.make_valid(shapes[is_invalid])
    return shapes


def _compound(polygons: Sequence[Polygon]) -> shapely.Geometry:
    return shapely.MultiPolygon([shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons])
