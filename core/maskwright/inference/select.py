"""From candidates to instances: score threshold, NMS, masks. Fast enough for every step of a slider."""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.convert import LastPrepared
from maskwright.inference.masks import BoxMasks, looseness
from maskwright.inference.prediction import ExactOutline, FittedOutline, Prediction, outline_together
from maskwright.inference.sampling import largest_component
from maskwright.inference.thresholds import Defaults, Thresholds

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates
    from maskwright.inference.masks import CroppedMask, SoftCrop

_BLOCK = 256


def nms_indices(
    boxes_xyxy: NDArray[np.float32],
    classes: NDArray[np.integer] | None,
    *,
    max_iou: float,
    limit: int,
) -> NDArray[np.intp]:
    """Indices that survive NMS, in the given order, at most `limit`.

    boxes_xyxy: (N, 4), best score first. A box is dropped if its IoU with a kept one is above `max_iou`; with `classes`
    (N,) only boxes of the same class compete. Works block by block against everything kept so far, so several thousand
    boxes of one class take milliseconds; stops at `limit` boxes, which cannot change those kept.
    """
    kept: list[NDArray[np.intp]] = []
    count = 0
    for start in range(0, len(boxes_xyxy), _BLOCK):
        if count >= limit:
            break
        block = np.arange(start, min(start + _BLOCK, len(boxes_xyxy)))
        if kept:
            block = block[~_overlaps(boxes_xyxy, classes, block, np.concatenate(kept), max_iou).any(axis=1)]
        survivors = block[_greedy(_overlaps(boxes_xyxy, classes, block, block, max_iou))]
        kept.append(survivors)
        count += len(survivors)
    return np.concatenate(kept)[:limit] if kept else np.zeros(0, np.intp)


def _overlaps(
    boxes: NDArray[np.float32],
    classes: NDArray[np.integer] | None,
    left: NDArray[np.intp],
    right: NDArray[np.intp],
    max_iou: float,
) -> NDArray[np.bool_]:
    """(len(left), len(right)) bool: pairs that overlap too much to both stay."""
    a, b = boxes[left][:, None], boxes[right][None]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area_a = (a[..., 2] - a[..., 0]) * (a[..., 3] - a[..., 1])
    area_b = (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])
    alike: NDArray[np.bool_] = shared > max_iou * (area_a + area_b - shared)
    if classes is not None:
        alike &= classes[left][:, None] == classes[right][None]
    return alike


def _greedy(alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which boxes of a block stay, given the pairs that exclude each other."""
    keep = np.ones(len(alike), np.bool_)
    rivals = np.triu(alike, 1)
    for k in np.flatnonzero(rivals.any(axis=1)):
        if keep[k]:
            keep &= ~rivals[k]
    return keep


_MOST_FIDELITIES = 24
"""A slider has sixteen steps; polygons of a hundred instances in each take 2 MB."""
_MOST_STYLES = 6
_MOST_CROP_BYTES = 48 << 20
"""Bytes of masks in the styles kept besides the last one."""
_MOST_SOFT_BYTES = 96 << 20
"""A hundred masks of a photograph of twelve megapixels take 20 to 60 MB."""


Known = dict[int, Prediction | None]
"""{(row, class): its instance, None if its mask has no pixel}"""


class Remembered:
    """Caches instances of the last mask styles, so that a slider step repeats no work that it does not affect.

    A style is a mask threshold and whether masks are cut at their box. Another score or overlap reuses the instances
    with their polygons, and so does a recent style or fidelity; a new fidelity reuses the dense outlines and the
    preparation for fitting, a third mask threshold the soft masks at image resolution. The results never depend on
    earlier choices.
    """

    def __init__(self) -> None:
        self.last_prepared = LastPrepared()
        self._pairs: tuple[Thresholds, list[int]] | None = None
        self._styles: dict[tuple[float, bool], dict[float, Known]] = {}
        """By style, and then by fidelity, the last one last."""
        self._soft: dict[tuple[int, bool], SoftCrop] = {}
        self._looseness: dict[int, float] = {}
        """By row; computed while the mask is at hand at image resolution."""
        self._room = -1
        """Bytes of soft masks that may still be kept; none before a second threshold is asked for."""

    def of(self, wanted: Thresholds) -> "Known":
        """The cached instances in this style and fidelity; the caller adds to them."""
        fidelities = self._in_style((wanted.mask_threshold, wanted.clips_to_box))
        last = next(reversed(fidelities.values()), {})
        known = fidelities.pop(wanted.min_iou, {})
        for pair, prediction in last.items():
            if pair not in known:
                known[pair] = prediction and prediction.in_fidelity(wanted.min_iou)
        while len(fidelities) >= _MOST_FIDELITIES:
            del fidelities[next(iter(fidelities))]
        fidelities[wanted.min_iou] = known
        return known

    def _in_style(self, style: tuple[float, bool]) -> "dict[float, Known]":
        fidelities = self._styles.pop(style, None)
        if fidelities is None:
            if self._styles and self._room < 0:
                self._room = _MOST_SOFT_BYTES
            while len(self._styles) >= _MOST_STYLES or sum(map(_crop_bytes, self._styles.values())) > _MOST_CROP_BYTES:
                del self._styles[next(iter(self._styles))]
            fidelities = {}
        self._styles[style] = fidelities
        return fidelities

    def pairs(self, candidates: "Candidates", wanted: Thresholds) -> list[int]:
        """The last selection if it depends on the same boxes and thresholds, else a new one."""
        boxes_decide = replace(wanted, mask_threshold=0.5, min_iou=1.0, clips_to_box=False)
        if self._pairs is None or self._pairs[0] != boxes_decide:
            self._pairs = boxes_decide, _chosen(candidates, wanted)
        return self._pairs[1]

    def looseness(self, candidates: "Candidates", row: int) -> float:
        """How much of a row's mask depends on the threshold, see `masks.looseness`."""
        if row not in self._looseness:
            box = candidates.boxes_xyxy[row]
            self._looseness[row] = looseness(candidates.masks, row, box, candidates.frame)
        return self._looseness[row]

    def mask(
        self, candidates: "Candidates", row: int, wanted: Thresholds, *, notes_looseness: bool = False
    ) -> "CroppedMask":
        """The mask of a row of `candidates.masks`; notes_looseness: `looseness` will be asked for, too."""
        box, clips = candidates.boxes_xyxy[row], wanted.clips_to_box
        soft = self._soft.get((row, clips))
        if soft is None and notes_looseness and row not in self._looseness:
            whole = candidates.masks.soft(row, box, candidates.frame)
            if whole is not None:
                self._looseness[row] = whole.looseness()
                return (whole.clipped(box) if clips else whole).above(wanted.mask_threshold)
        if soft is None and self._room > 0:
            soft = candidates.masks.soft(row, box, candidates.frame, clips=clips)
            if soft is not None and soft.values.nbytes <= self._room:
                self._room -= soft.values.nbytes
                self._soft[row, clips] = soft
        if soft is not None:
            return soft.above(wanted.mask_threshold)
        return candidates.masks.crop(row, box, candidates.frame, wanted.mask_threshold, clips=clips)


def _crop_bytes(fidelities: "dict[float, Known]") -> int:
    """Bytes of the masks of one style, which its fidelities share."""
    last = next(reversed(fidelities.values()), {})
    return sum(prediction.crop_mask.nbytes for prediction in last.values() if prediction is not None)


def selected(candidates: "Candidates", wanted: Thresholds, *, notes_looseness: bool = False) -> tuple[Prediction, ...]:
    """The selected instances, best first; notes_looseness: as for `Remembered.mask`."""
    known = candidates.remembered.of(wanted)
    found = []
    for pair in candidates.remembered.pairs(candidates, wanted):
        if pair not in known:
            known[pair] = _prediction(candidates, pair, wanted, notes_looseness)
        prediction = known[pair]
        if prediction is not None:
            found.append(prediction)
    outline_together((each for each in found if not each.is_box), candidates.remembered.last_prepared)
    return tuple(found)


def _chosen(candidates: "Candidates", wanted: Thresholds) -> list[int]:
    """Pairs that pass and are not suppressed by a better one, best first."""
    own = wanted.over(candidates.defaults)
    pairs = _passing(candidates, own, wanted.categories)
    boxes = candidates.boxes_xyxy[candidates.rows[pairs]]
    classes = None if own.is_class_agnostic else candidates.classes[pairs]
    kept: list[int] = pairs[nms_indices(boxes, classes, max_iou=own.nms_iou, limit=own.max_instances)].tolist()
    return kept


def _passing(candidates: "Candidates", own: Defaults, categories: Collection[int] | None) -> NDArray[np.intp]:
    """Pairs above the score and of a wanted category, best first as the candidates are."""
    passes = candidates.scores > own.score
    # before filtering by category: a box whose best class is unwanted must not become a wanted one
    if not own.is_multi_label:
        is_best = np.zeros(len(passes), np.bool_)
        is_best[np.unique(candidates.rows, return_index=True)[1]] = True
        passes &= is_best
    if categories is not None:
        allowed = np.array([category.id in categories for category in candidates.categories], np.bool_)
        passes &= allowed[candidates.classes]
    return np.flatnonzero(passes)


def _prediction(candidates: "Candidates", pair: int, wanted: Thresholds, notes_looseness: bool) -> Prediction | None:
    """The instance of one pair; None if its mask has no pixel."""
    row = int(candidates.rows[pair])
    box = candidates.boxes_xyxy[row]
    mask, corner_xy = candidates.remembered.mask(candidates, row, wanted, notes_looseness=notes_looseness)
    is_box = isinstance(candidates.masks, BoxMasks)
    if candidates.defaults.keeps_largest_part and not is_box:
        mask, corner_xy = largest_component(mask, corner_xy)
    if not mask.size:
        return None
    width, height = candidates.frame.size_wh
    x1, y1, x2, y2 = box.tolist()
    category = candidates.categories[int(candidates.classes[pair])]
    return Prediction(
        category_id=category.id,
        category_name=category.name,
        score=float(candidates.scores[pair]),
        bbox_xyxy=(_within(x1, width), _within(y1, height), _within(x2, width), _within(y2, height)),
        image_size_wh=candidates.frame.size_wh,
        outline=FittedOutline(ExactOutline(mask, corner_xy), wanted.min_iou),
        is_box=is_box,
    )


def _within(value: float, limit: int) -> float:
    return min(max(value, 0.0), float(limit))
