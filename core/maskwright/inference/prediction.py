"""One instance that a model proposes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.convert import LastPrepared, TracedMask, traced_to_polygons, trimmed_to_traced
from maskwright.geometry.dense import mask_to_dense
from maskwright.geometry.polygon import Polygon


@dataclass(slots=True, eq=False)
class SharedOutline:
    """What instances of one mask share, whatever their fidelity; made when first asked for."""

    traced: TracedMask | None = None
    packed: bytes | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """An instance as a model sees it; frozen, its polygons are traced when first asked for.

    bbox_xyxy: the detector's box in image pixels, clipped to the image (the mask may reach a little beyond it).
    crop_mask: (h, w) bool, the smallest window around the mask, whose corner lies at `crop_xy` in the image.
    """

    category_id: int
    category_name: str
    score: float
    bbox_xyxy: tuple[float, float, float, float]
    crop_mask: NDArray[np.bool_]
    crop_xy: tuple[int, int]
    image_size_wh: tuple[int, int]
    min_iou: float | None = 0.98
    outline: SharedOutline = field(default_factory=SharedOutline, repr=False)
    _companions: list["Prediction"] = field(default_factory=list, init=False, repr=False)
    _last: LastPrepared | None = field(default=None, init=False, repr=False)

    def in_fidelity(self, min_iou: float | None) -> "Prediction":
        """The same instance with other polygons; `dataclasses.replace` takes four times as long."""
        other = object.__new__(Prediction)
        other.__dict__.update(self.__dict__, min_iou=min_iou, _companions=[])
        other.__dict__.pop("polygons", None)
        other.__dict__.pop("dense", None)
        return other

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool at the image's size, made anew at each call."""
        full = np.zeros(self.image_size_wh[::-1], np.bool_)
        (x, y), (height, width) = self.crop_xy, self.crop_mask.shape
        full[y : y + height, x : x + width] = self.crop_mask
        return full

    @cached_property
    def polygons(self) -> tuple[Polygon, ...]:
        """Parts with holes on pixel edges, true to the mask by at least `min_iou`.

        Those of the whole selection are made with the first: small ones cost a quarter of the time together.
        """
        together = [self, *(one for one in self._companions if one is not self)]
        self._companions.clear()
        made = _outlined(together, self.min_iou, self._last)
        for companion, polygons in zip(together[1:], made[1:], strict=True):
            companion.__dict__.setdefault("polygons", polygons)
        return made[0]

    @cached_property
    def dense(self) -> bytes | None:
        """The exact outline, packed (`geometry.dense`); None where `polygons` is exact itself."""
        if self.min_iou is None or self.min_iou == 1:
            return None
        if self.outline.packed is None:
            self.outline.packed = mask_to_dense(self.crop_mask, self.crop_xy)
        return self.outline.packed


def outline_together(predictions: Iterable[Prediction], last: LastPrepared) -> None:
    """Let the polygons of these, all of one fidelity, be made with the first that is asked for."""
    waiting = [prediction for prediction in predictions if "polygons" not in prediction.__dict__]
    for prediction in waiting:
        prediction.__dict__.update(_companions=waiting, _last=last)  # the only change a prediction ever sees


def _outlined(
    predictions: list[Prediction], min_iou: float | None, last: LastPrepared | None
) -> list[tuple[Polygon, ...]]:
    new = [prediction for prediction in predictions if prediction.outline.traced is None]
    traced = trimmed_to_traced([prediction.crop_mask for prediction in new], [prediction.crop_xy for prediction in new])
    for prediction, outline in zip(new, traced, strict=True):
        prediction.outline.traced = outline
    outlines = [prediction.outline.traced for prediction in predictions if prediction.outline.traced]
    return traced_to_polygons(outlines, min_iou, last)
