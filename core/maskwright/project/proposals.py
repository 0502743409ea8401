"""Model output as a layer under a person's work: what a new set of proposals may add, keep and remove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon, polygons_bounds_xyxy

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
    if not answers or not proposals:
        return list(proposals)
    same = _same_category(proposals, answers)
    is_rejected = np.array([instance.state is InstanceState.REJECTED for instance in answers])
    needed = np.where(same, SAME_OBJECT_IOU, np.where(is_rejected, np.inf, SAME_PLACE_IOU))
    is_answered = (_ious(proposals, answers, needed) >= needed).any(axis=1)
    return [proposals[index] for index in np.flatnonzero(~is_answered).tolist()]


def _match(proposals: Sequence[Proposal], old: Sequence[Instance]) -> Mapping[int, Instance]:
    """{index of proposal: old instance of the same object}, each used once, the best pairs first."""
    old = [instance for instance in old if instance.polygons]
    if not proposals or not old:
        return {}
    needed = np.where(_same_category(proposals, old), SAME_OBJECT_IOU, np.inf)
    ious = _ious(proposals, old, needed)
    rows, columns = np.nonzero(ious >= needed)
    matches: dict[int, Instance] = {}
    used: set[int] = set()
    for at in np.argsort(-ious[rows, columns], kind="stable").tolist():
        row, column = int(rows[at]), int(columns[at])
        if row not in matches and column not in used:
            matches[row] = old[column]
            used.add(column)
    return matches


def _same_category(proposals: Sequence[Proposal], known: Sequence[Instance]) -> NDArray[np.bool_]:
    left = np.array([proposal.category_id for proposal in proposals])
    right = np.array([instance.category_id for instance in known])
    return np.asarray(left[:, None] == right[None, :])


def _ious(left: Sequence[Proposal], right: Sequence[Instance], needed: NDArray[np.float64]) -> NDArray[np.float64]:
    """(L, R) IoU of areas, exact where it can reach `needed`; elsewhere 0.

    The overlap of two objects is at most that of their boxes, which rules out nearly all pairs before any geometry.
    """
    shapes = [_shape(item.polygons) for item in left], [_shape(item.polygons) for item in right]
    areas = shapely.area(shapes[0])[:, None], shapely.area(shapes[1])[None, :]
    boxes = _boxes(left)[:, None], _boxes(right)[None]
    sides = np.minimum(boxes[0][..., 2:], boxes[1][..., 2:]) - np.maximum(boxes[0][..., :2], boxes[1][..., :2])
    at_most = np.minimum(sides.clip(0).prod(axis=2), np.minimum(*areas))
    bound = at_most / np.maximum(areas[0] + areas[1] - at_most, 1e-9)
    rows, columns = np.nonzero(bound >= needed)
    ious = np.zeros(bound.shape)
    overlap = shapely.area(shapely.intersection(np.array(shapes[0])[rows], np.array(shapes[1])[columns]))
    union = areas[0][rows, 0] + areas[1][0, columns] - overlap
    ious[rows, columns] = overlap / np.maximum(union, 1e-9)
    return ious


def _boxes(items: Sequence[Proposal] | Sequence[Instance]) -> NDArray[np.float64]:
    return np.array([polygons_bounds_xyxy(item.polygons) for item in items])


def _shape(polygons: Sequence[Polygon]) -> shapely.Geometry:
    parts = [shapely.Polygon(polygon.exterior, polygon.holes) for polygon in polygons]
    shape = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return shape if shape.is_valid else shapely.make_valid(shape)
