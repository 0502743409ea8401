"""A model's proposals outlined again by an assistant; an answer is used only if it is safe.

Boxes are proposals, too: an outline that fills its own bounds is passed on as a box and becomes an outline."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import numpy as np

from maskwright.assist.outline import Outline
from maskwright.assist.prompt import MaskCrop, mask_crop
from maskwright.assist.protocol import Assistant, Cancel, View
from maskwright.document.change import Change
from maskwright.document.edits import edited
from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.errors import PromptError
from maskwright.geometry.algebra import Polygons, area_of
from maskwright.geometry.polygon import polygons_bounds_xyxy

_BLOCK = 32
"""Proposals passed on at once: a batching network's answers have to fit into memory."""
_FULL = 0.999
"""Fraction of its bounds above which an outline counts as a box."""


class HasPolygons(Protocol):
    """Anything with an outline: a proposal, an instance."""

    @property
    def polygons(self) -> Polygons:
        """The outline's parts, in image pixels."""


@dataclass(frozen=True, slots=True)
class RefineSettings:
    """When an answer is used.

    min_score: least IoU that the assistant must expect. least_iou: with the proposed pixels; low, because ragged masks
    are a poor reference: a YOLACT's AP of .142 became .216 with 0.5 and .225 with 0.3, a Mask R-CNN's .225 became .239
    with either (30 photographs; on 40 others, with 0.3, .160 became .280 and .271 became .307). least_box_iou: with the
    bounds, for proposals that are only boxes. min_iou: of the polygons with the answer's mask.
    """

    min_score: float = 0.75
    least_iou: float = 0.3
    least_box_iou: float = 0.6
    min_iou: float | None = 0.98


class Verdict(StrEnum):
    """What came of a proposal."""

    TAKEN = "taken"
    UNSURE = "unsure"
    """The assistant does not trust its own answer."""
    ELSEWHERE = "elsewhere"
    """The answer shows something else than was proposed."""
    IMPOSSIBLE = "impossible"
    """The proposal covers nothing of the image."""


@dataclass(frozen=True, slots=True)
class Refinement:
    """The answer for one proposal; use `outline` only if the verdict is TAKEN."""

    verdict: Verdict
    outline: Outline | None = None


def refine(
    proposals: Sequence[HasPolygons],
    view: View,
    settings: RefineSettings | None = None,
    *,
    cancel: Cancel | None = None,
) -> list[Refinement]:
    """Outline each proposal again from the box around it; an answer must stay close to the proposal's pixels.

    Raises as `View.outline` does, except for PromptError.
    """
    wanted = settings or RefineSettings()
    shown = [_shown(proposal, view.size_wh) for proposal in proposals]
    found = [Refinement(Verdict.IMPOSSIBLE)] * len(proposals)
    usable = [number for number, crop in enumerate(shown) if crop is not None]
    for block in (usable[start : start + _BLOCK] for start in range(0, len(usable), _BLOCK)):
        crops = [crop for number in block if (crop := shown[number]) is not None]
        is_box = [_is_box(proposals[number]) for number in block]
        boxes = [crop.bounds_xyxy for crop in crops]
        # Given the mask as well, a network repeats its faults: AP +.012 instead of +.027 (Mask R-CNN stand-in).
        answers = view.outlines(boxes, min_iou=wanted.min_iou, cancel=cancel)
        for number, crop, box, answer in zip(block, crops, is_box, answers, strict=True):
            found[number] = Refinement(_verdict(answer, crop, wanted, is_box=box), answer)
    return found


def refined_change(
    instances: Iterable[Instance],
    view: View,
    assistant: Assistant,
    settings: RefineSettings | None = None,
    *,
    cancel: Cancel | None = None,
) -> tuple[Change, list[Refinement]]:
    """One change that gives instances their refined outlines; locked ones are skipped.

    Proposals stay proposals and name the assistant in their provenance; a user's instances count as edited. Raises as
    `refine` does.
    """
    chosen = [instance for instance in instances if not instance.is_locked]
    found = refine(chosen, view, settings, cancel=cancel)
    pairs: list[tuple[Instance | None, Instance | None]] = []
    for instance, refinement in zip(chosen, found, strict=True):
        if refinement.verdict is Verdict.TAKEN and refinement.outline is not None:
            pairs.append((instance, _with_outline(instance, refinement.outline, assistant)))
    return Change.of(pairs), found


def is_refined_by(instance: Instance, assistant_name: str) -> bool:
    """Whether this assistant has refined the instance already."""
    origin = instance.provenance
    return origin is not None and _names(origin.model_name, assistant_name)


def _with_outline(instance: Instance, outline: Outline, assistant: Assistant) -> Instance:
    if instance.state is not InstanceState.PROPOSED:
        origin = _marked(instance.provenance, assistant, outline.min_iou)
        return replace(edited(instance, outline.polygons), dense=outline.dense, provenance=origin)
    return replace(
        instance,
        polygons=outline.polygons,
        dense=outline.dense,
        provenance=_marked(instance.provenance, assistant, outline.min_iou),
    )


def _marked(origin: Provenance | None, assistant: Assistant, min_iou: float | None) -> Provenance:
    fidelity = min_iou if min_iou is not None else 1.0
    if origin is None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Provenance(assistant.name, assistant.content_hash, 0.0, 0.0, now, min_iou=fidelity)
    name = origin.model_name
    if not _names(name, assistant.name):
        name += f" + {assistant.name}"
    return replace(origin, model_name=name, min_iou=fidelity)


def _names(model_name: str, assistant_name: str) -> bool:
    return model_name == assistant_name or model_name.endswith(f" + {assistant_name}")


def _shown(proposal: HasPolygons, size_wh: tuple[int, int]) -> MaskCrop | None:
    try:
        return mask_crop(proposal.polygons, size_wh)
    except PromptError:
        return None


def _is_box(proposal: HasPolygons) -> bool:
    if not proposal.polygons:
        return False
    x1, y1, x2, y2 = polygons_bounds_xyxy(proposal.polygons)
    return len(proposal.polygons) == 1 and area_of(proposal.polygons) >= _FULL * (x2 - x1) * (y2 - y1)


def _verdict(answer: Outline, proposed: MaskCrop, settings: RefineSettings, *, is_box: bool) -> Verdict:
    if answer.is_empty:
        return Verdict.ELSEWHERE
    if is_box:
        stays = _box_iou(answer.bounds_xyxy, proposed.bounds_xyxy) >= settings.least_box_iou
    else:
        stays = _crop_iou(MaskCrop(answer.crop_mask, answer.crop_xy), proposed) >= settings.least_iou
    if not stays:
        return Verdict.ELSEWHERE
    return Verdict.TAKEN if answer.score >= settings.min_score else Verdict.UNSURE


def _crop_iou(a: MaskCrop, b: MaskCrop) -> float:
    common = int(np.count_nonzero(a.inside(b.bounds_xyxy) & b.pixels))
    either = int(np.count_nonzero(a.pixels)) + int(np.count_nonzero(b.pixels)) - common
    return common / either if either else 0.0


def _box_iou(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return common / (sum(areas) - common)


def counted(refinements: Iterable[Refinement]) -> dict[Verdict, int]:
    """Number of refinements per verdict."""
    counts = dict.fromkeys(Verdict, 0)
    for refinement in refinements:
        counts[refinement.verdict] += 1
    return counts


def boxes_to_outline(instances: Iterable[Instance], assistant_name: str) -> Iterator[Instance]:
    """Instances that are only boxes, proposed or a user's; rejected ones are skipped."""
    for instance in instances:
        if instance.state is not InstanceState.REJECTED and not instance.is_locked and _is_box(instance):
            yield instance


def proposals_to_refine(instances: Iterable[Instance], assistant_name: str) -> Iterator[Instance]:
    """Proposals that this assistant has not refined yet."""
    for instance in instances:
        if instance.state is InstanceState.PROPOSED and not is_refined_by(instance, assistant_name):
            yield instance
