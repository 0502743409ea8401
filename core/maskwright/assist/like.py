"""Find similar objects: what looks to the network like some outlined examples, on the same image or on others.

    gallery = gallery_of(view, outlines)
    for alike in find_like(other_view, gallery): ...   # best first; apply your own threshold to `likeness`

The image is probed with clicks on a grid as fine as the examples are large. Each answer is compared with the examples
by the network's own features, minus what these have in common across the image."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maskwright.assist.outline import Outline
from maskwright.assist.prompt import MaskCrop, MaskLike, mask_crop
from maskwright.assist.protocol import Cancel
from maskwright.assist.view import BackendView
from maskwright.errors import ModelError

_CLICK_WINDOW = 2.5
"""Side of the window around a click, in object sizes: about the middle of the range used in training."""
_SCALE_STEP = 1.8
Descriptors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LikeSettings:
    """How an image is searched.

    pitch: distance of the clicks, in sides of the smallest example. most_clicks: the grid is widened if there would be
    more. min_score: least IoU that the network expects of an answer. size_ratio: how much areas may differ from an
    example's. overlap: fraction of the smaller one above which two answers are the same object, or an answer is a known
    one.
    """

    pitch: float = 0.5
    most_clicks: int = 1200
    min_score: float = 0.5
    size_ratio: float = 3.0
    overlap: float = 0.4
    min_iou: float | None = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Examples: `descriptors` (N, C) float32, `areas_px` (N,), and `sides_px` (N,), the longer sides of their boxes."""

    descriptors: Descriptors
    areas_px: NDArray[np.float64]
    sides_px: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """An object found. likeness: cosine similarity to the nearest example, -1..1."""

    outline: Outline = field(repr=False)
    likeness: float


def gallery_of(view: BackendView, examples: Sequence[MaskLike], *, cancel: Cancel | None = None) -> Gallery:
    """Describe outlined objects of an image as examples.

    Raises PromptError for an outline that covers no pixel of the image, ModelError if the backend gives no descriptors.
    """
    if not examples:
        raise ValueError("expected at least one example")
    crops = [mask_crop(example, view.size_wh) for example in examples]
    answers = view.outlines([crop.bounds_xyxy for crop in crops], examples, min_iou=None, cancel=cancel)
    areas = [float(np.count_nonzero(crop.pixels)) for crop in crops]
    sides = [float(max(crop.pixels.shape)) for crop in crops]
    return Gallery(_descriptors(answers), np.array(areas), np.array(sides))


def find_like(
    view: BackendView,
    gallery: Gallery,
    settings: LikeSettings | None = None,
    *,
    known: Sequence[MaskLike] = (),
    cancel: Cancel | None = None,
) -> list[Alike]:
    """Objects like those of the gallery, best first, without those of `known`.

    Raises as `gallery_of` and `View.outline` do, and ValueError for a gallery of another network.
    """
    wanted = settings or LikeSettings()
    taken = [mask_crop(one, view.size_wh) for one in known]
    answers: list[Outline] = []
    for side in _scales(gallery.sides_px):
        answers += view.pointed(
            _grid(view.size_wh, side, wanted), side * _CLICK_WINDOW, min_iou=wanted.min_iou, cancel=cancel
        )
    everything = [answer for answer in answers if not answer.is_empty]
    if not everything:
        return []
    # What all answers share comes from the image, not from what they show.
    common = _descriptors(everything).mean(axis=0)
    if common.shape != gallery.descriptors.shape[1:]:
        raise ValueError("the examples were described by another network")
    usable = [answer for answer in everything if _is_usable(answer, gallery, wanted)]
    if not usable:
        return []
    likeness = _cosines(_descriptors(usable) - common, gallery.descriptors - common).max(axis=1)
    found = [Alike(answer, float(value)) for answer, value in zip(usable, likeness, strict=True)]
    found.sort(key=lambda one: one.likeness + 0.5 * one.outline.score, reverse=True)
    return sorted(_one_each(found, taken, wanted.overlap), key=lambda one: one.likeness, reverse=True)


def _scales(sides_px: NDArray[np.float64]) -> list[float]:
    """A few sizes that between them are close to those of all examples."""
    low, high = float(np.min(sides_px)), float(np.max(sides_px))
    count = 1 + round(np.log(high / low) / np.log(_SCALE_STEP))
    return np.geomspace(low, high, count).tolist() if count > 1 else [float(np.sqrt(low * high))]


def _grid(size_wh: tuple[int, int], side: float, settings: LikeSettings) -> NDArray[np.float64]:
    """(N, 2) points, spread evenly over the image."""
    width, height = size_wh
    pitch = max(settings.pitch * side, float(np.sqrt(width * height / settings.most_clicks)), 1.0)
    columns, rows = max(1, round(width / pitch)), max(1, round(height / pitch))
    x, y = (np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _is_usable(answer: Outline, gallery: Gallery, settings: LikeSettings) -> bool:
    ratios = answer.area / gallery.areas_px
    nearest = float(np.maximum(ratios, 1 / ratios).min())
    return nearest <= settings.size_ratio and answer.score >= settings.min_score


def _one_each(found: Sequence[Alike], taken: list[MaskCrop], overlap: float) -> list[Alike]:
    """The answers without those that overlap a better one or a known object."""
    kept: list[Alike] = []
    crops = list(taken)
    for one in found:
        crop = MaskCrop(one.outline.crop_mask, one.outline.crop_xy)
        if all(_overlap(crop, other) < overlap for other in crops):
            kept.append(one)
            crops.append(crop)
    return kept


def _overlap(a: MaskCrop, b: MaskCrop) -> float:
    """Overlap as a fraction of the smaller: part of an object already found is not another object."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.bounds_xyxy, b.bounds_xyxy
    if min(ax2, bx2) <= max(ax1, bx1) or min(ay2, by2) <= max(ay1, by1):
        return 0.0
    common = int(np.count_nonzero(a.inside(b.bounds_xyxy) & b.pixels))
    return common / max(1, min(int(np.count_nonzero(a.pixels)), int(np.count_nonzero(b.pixels))))


def _descriptors(outlines: Sequence[Outline]) -> Descriptors:
    found = [outline.soft.descriptor for outline in outlines if outline.soft is not None]
    described = [one for one in found if one is not None]
    if len(described) != len(outlines):
        raise ModelError("this assistant cannot compare objects", hint="use the bundled assistant")
    return np.stack(described)


def _cosines(a: Descriptors, b: Descriptors) -> NDArray[np.float32]:
    """(N, M) cosine similarities of the rows of both."""
    lengths = np.linalg.norm(a, axis=1)[:, None] * np.linalg.norm(b, axis=1)[None, :]
    return np.asarray((a @ b.T) / np.maximum(lengths, 1e-6), np.float32)
