"""Model output as a layer below the user's work: what new proposals may add, keep and remove."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.document.change import Change
from maskwright.document.values import BESIDE, Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon
from maskwright.project.overlaps import overlaps

SAME_OBJECT_IOU = 0.5
"""IoU from which a proposal and an instance of the same category are one object, as in COCO's own matching: another
model outlines an object differently, and distinct objects of one class rarely overlap that much."""
SAME_PLACE_IOU = 0.85
"""IoU from which they are one object even if the user chose another category."""


_REFINED = " + "
"""Stands in the provenance between a model's name and that of the assistant that refined its proposal."""


@dataclass(frozen=True, slots=True)
class ModelProposal:
    """One object proposed by a model."""

    category_id: int
    score: float
    polygons: tuple[Polygon, ...]
    dense: bytes | None = None
    """The outline with all its detail, see `Instance.dense`."""
    is_box: bool = False
    """A detector's box without an outline; `polygons` are its rectangle."""

    def extra(self) -> Mapping[str, Any]:
        """The `Instance.extra` of the resulting instance."""
        if not self.is_box:
            return MappingProxyType({})
        from maskwright.formats.boxes import box_extra  # it imports OpenCV

        return MappingProxyType(dict(box_extra(self.polygons)))


def proposals_to_change(
    existing: Sequence[Instance],
    proposals: Sequence[ModelProposal],
    provenance: Provenance | None,
    new_ids: Sequence[int],
    *,
    covers: Collection[int] | None = None,
) -> Change:
    """The change that replaces the PROPOSED among `existing` by `proposals` and touches nothing else.

    A proposal that a user has already answered (accepted, edited, drawn or rejected) is left out, and so is one of an
    object proposed by an assistant, which stays. One that matches an old proposal keeps its id, and an assistant's
    outline if the model's output is identical. `new_ids` must hold one id per proposal; not all may be used. covers:
    the classes that the model proposes; open proposals of other classes stay, unless the model finds something in their
    place.
    """
    replaceable = [instance for instance in existing if _is_replaceable(instance)]
    answered = [instance for instance in existing if not _is_replaceable(instance)]
    beside = [instance for instance in replaceable if _stays_beside(instance, provenance, covers)]
    staying = {instance.id for instance in beside}
    old = [instance for instance in replaceable if instance.id not in staying]
    fresh = without_answered([proposal for proposal in proposals if proposal.polygons], answered)
    successors = _match(fresh, old)
    ids = iter(new_ids)
    pairs: list[tuple[Instance | None, Instance | None]] = []
    for index, proposal in enumerate(fresh):
        before = successors.get(index)
        if before is not None and _is_refined_output(before, proposal, provenance):
            pairs.append((before, _still_refined(before, provenance)))
            continue
        start = before or Instance(next(ids), proposal.category_id, proposal.polygons, InstanceState.PROPOSED)
        after = replace(
            start, polygons=proposal.polygons, dense=proposal.dense, score=proposal.score, provenance=provenance,
            extra=proposal.extra(),
        )  # fmt: skip
        pairs.append((before, after))
    kept = {instance.id for instance in successors.values()}
    pairs += [(instance, None) for instance in old if instance.id not in kept]
    return Change.of([*pairs, *_beside(beside, fresh, provenance)])


def preview_change(
    existing: Sequence[Instance], proposals: Sequence[ModelProposal], new_id: Callable[[ModelProposal], int]
) -> Change:
    """What `proposals_to_change` would do, for each step of a slider; never stored.

    Proposals are the same object if class and score are equal: they come from the same candidates, and comparing
    outlines would take longer than everything else. `new_id` must return a different id for each of the others.
    """
    old: dict[tuple[int, float | None], list[Instance]] = defaultdict(list)
    answered = []
    for instance in existing:
        if instance.provenance is not None and instance.provenance.beside:
            continue
        if _is_replaceable(instance):
            old[instance.category_id, instance.score].append(instance)
        else:
            answered.append(instance)
    fresh = [proposal for proposal in proposals if proposal.polygons]
    pairs: list[tuple[Instance | None, Instance | None]] = []
    for proposal in without_answered(fresh, answered) if answered else fresh:
        known = old[proposal.category_id, proposal.score]
        if known:
            before = known.pop()
            if before.provenance is not None and _REFINED in before.provenance.model_name:
                continue
            pairs.append((before, _with_outline_of(before, proposal)))
        else:
            state, score = InstanceState.PROPOSED, proposal.score
            outline, dense = proposal.polygons, proposal.dense
            new = Instance(
                new_id(proposal), proposal.category_id, outline, state, score=score, dense=dense, extra=proposal.extra()
            )
            pairs.append((None, new))
    gone = [(instance, None) for instances in old.values() for instance in instances]
    return Change.of([*pairs, *gone])


def _with_outline_of(instance: Instance, proposal: ModelProposal) -> Instance:
    extra = proposal.extra() if proposal.is_box else instance.extra
    return replace(instance, polygons=proposal.polygons, dense=proposal.dense, extra=extra)


def without_answered(proposals: Sequence[ModelProposal], answered: Sequence[Instance]) -> list[ModelProposal]:
    """Proposals that a user has not accepted, edited, drawn or rejected yet; `answered`: the user's instances.

    Where an object was rejected another class may be right, but not if the model's output is identical, recognised by
    its score, and only the class has been renamed.
    """
    answers = [instance for instance in answered if instance.polygons]
    rows, columns, ious = overlaps(proposals, answers, least_iou=SAME_OBJECT_IOU)
    is_same = _categories(proposals)[rows] == _categories(answers)[columns]
    is_rejected = np.array([instance.state is InstanceState.REJECTED for instance in answers], np.bool_)[columns]
    is_same_output = _scores(proposals)[rows] == _scores(answers)[columns]
    may_be_same = ~is_rejected | is_same_output
    hits = np.where(is_same, ious >= SAME_OBJECT_IOU, may_be_same & (ious >= SAME_PLACE_IOU))
    return [proposals[index] for index in np.setdiff1d(np.arange(len(proposals)), rows[hits]).tolist()]


def _is_replaceable(instance: Instance) -> bool:
    """Whether a model's next proposals replace it; objects found as similar by an assistant are not a model's."""
    origin = instance.provenance
    return instance.state is InstanceState.PROPOSED and not (origin is not None and origin.is_by_assistant)


def _stays_beside(instance: Instance, provenance: Provenance | None, covers: Collection[int] | None) -> bool:
    if covers is not None:
        return instance.category_id not in covers
    origin = instance.provenance
    return origin is not None and provenance is not None and origin.beside == provenance.model_name != ""


def _beside(
    instances: Sequence[Instance], fresh: Sequence[ModelProposal], provenance: Provenance | None
) -> list[tuple[Instance, Instance | None]]:
    """What happens to proposals of classes that the model lacks: they go where it finds something."""
    _, columns, ious = overlaps(fresh, instances, least_iou=SAME_OBJECT_IOU)
    seen = set(columns[ious >= SAME_OBJECT_IOU].tolist())
    return [
        (instance, None if number in seen else _marked(instance, provenance))
        for number, instance in enumerate(instances)
    ]


def _marked(instance: Instance, provenance: Provenance | None) -> Instance:
    origin = instance.provenance
    if origin is None or provenance is None:
        return instance
    name = f"{origin.model_name.partition(BESIDE)[0]}{BESIDE}{provenance.model_name}"
    return replace(instance, provenance=replace(origin, model_name=name))


def _is_refined_output(old: Instance, proposal: ModelProposal, provenance: Provenance | None) -> bool:
    """Whether an assistant has refined what the model now proposes again: a slider must not undo that."""
    origin = old.provenance
    if origin is None or provenance is None or (old.score, old.category_id) != (proposal.score, proposal.category_id):
        return False
    is_refined = origin.model_name.startswith(provenance.model_name + _REFINED)
    return is_refined and origin.model_hash == provenance.model_hash


def _still_refined(old: Instance, provenance: Provenance | None) -> Instance:
    """With the thresholds that it has passed now."""
    if provenance is None or old.provenance is None:
        return old
    name, min_iou = old.provenance.model_name, old.provenance.min_iou
    return replace(old, provenance=replace(provenance, model_name=name, min_iou=min_iou))


def _match(proposals: Sequence[ModelProposal], old: Sequence[Instance]) -> Mapping[int, Instance]:
    """{index of proposal: old instance of the same object}, each used once, best pairs first."""
    matches = _unchanged(proposals, old)
    taken = {instance.id for instance in matches.values()}
    old = [instance for instance in old if instance.polygons and instance.id not in taken]
    left = [index for index in range(len(proposals)) if index not in matches]
    fresh = [proposals[index] for index in left]
    rows, columns, ious = overlaps(fresh, old, least_iou=SAME_OBJECT_IOU)
    is_match = (_categories(fresh)[rows] == _categories(old)[columns]) & (ious >= SAME_OBJECT_IOU)
    used: set[int] = set()
    for at in np.flatnonzero(is_match)[np.argsort(-ious[is_match], kind="stable")].tolist():
        row, column = left[int(rows[at])], int(columns[at])
        if row not in matches and column not in used:
            matches[row] = old[column]
            used.add(column)
    return matches


def _unchanged(proposals: Sequence[ModelProposal], old: Sequence[Instance]) -> dict[int, Instance]:
    """Pairs that need no geometry: same class, score and outline."""
    known: dict[tuple[int, float | None], list[Instance]] = defaultdict(list)
    for instance in old:
        known[instance.category_id, instance.score].append(instance)
    found: dict[int, Instance] = {}
    for index, proposal in enumerate(proposals):
        alike = known[proposal.category_id, proposal.score]
        same = next((instance for instance in alike if instance.polygons == proposal.polygons), None)
        if same is not None:
            found[index] = same
            alike[:] = [instance for instance in alike if instance is not same]
    return found


def _categories(items: Sequence[ModelProposal | Instance]) -> NDArray[np.int64]:
    return np.array([item.category_id for item in items], np.int64)


def _scores(items: Sequence[ModelProposal | Instance]) -> NDArray[np.float64]:
    """NaN, which equals nothing, for those without a score."""
    return np.array([np.nan if item.score is None else item.score for item in items], np.float64)
