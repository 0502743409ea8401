"""One instance proposed by a model."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.geometry.convert import LastPrepared, TracedMask, traced_to_polygons, trimmed_to_traced
from maskwright.geometry.dense import mask_to_dense
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import full_mask, mask_to_rle, rounded


@dataclass(slots=True, eq=False)
class ExactOutline:
    """The exact outline of a mask, shared by its polygons of any fidelity; traced on first access.

    mask: (h, w) bool, the smallest window around the mask, with its corner at `corner_xy` in the image.
    """

    mask: NDArray[np.bool_]
    corner_xy: tuple[int, int]
    traced: TracedMask | None = None
    packed: bytes | None = None


@dataclass(slots=True, eq=False)
class FittedOutline:
    """The polygons of one mask at one fidelity, made on first access together with those of the whole selection."""

    exact: ExactOutline
    min_iou: float | None
    made: tuple[Polygon, ...] | None = None
    companions: Sequence["FittedOutline"] = ()
    last: LastPrepared | None = None

    def polygons(self) -> tuple[Polygon, ...]:
        """The polygons; makes those of the whole selection if need be."""
        if self.made is None:
            together = [self, *(one for one in self.companions if one is not self and one.made is None)]
            for outline, polygons in zip(together, _polygons(together, self.min_iou, self.last), strict=True):
                outline.made, outline.companions = polygons, ()
        assert self.made is not None  # set by the loop
        return self.made


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """An instance as proposed by a model.

    bbox_xyxy: the detector's box in image pixels, clipped to the image (the mask may extend a little beyond it).
    """

    category_id: int
    category_name: str
    score: float
    bbox_xyxy: tuple[float, float, float, float]
    image_size_wh: tuple[int, int]
    outline: FittedOutline = field(repr=False)
    is_box: bool = False
    """From a network without masks: mask and polygons are the box."""

    def in_fidelity(self, min_iou: float | None) -> "Prediction":
        """The same instance with polygons of another fidelity."""
        outline = FittedOutline(self.outline.exact, min_iou)
        return Prediction(
            self.category_id, self.category_name, self.score, self.bbox_xyxy, self.image_size_wh, outline, self.is_box
        )

    def to_coco(self, image_id: int) -> dict[str, Any]:
        """An entry of COCO's results list: the mask as run lengths, the detector's box as x, y, width, height."""
        x1, y1, x2, y2 = self.bbox_xyxy
        return {
            "image_id": image_id,
            "category_id": self.category_id,
            **({} if self.is_box else {"segmentation": self._run_lengths()}),
            "bbox": [round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)],
            "score": round(self.score, 6),
        }

    def _run_lengths(self) -> dict[str, Any]:
        rle = mask_to_rle(self.mask)
        return {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")}

    @property
    def crop_mask(self) -> NDArray[np.bool_]:
        """(h, w) bool, the smallest window around the mask."""
        return self.outline.exact.mask

    @property
    def crop_xy(self) -> tuple[int, int]:
        """The corner of `crop_mask` in the image."""
        return self.outline.exact.corner_xy

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(H, W) bool at the size of the image, built on each call."""
        return full_mask(self.crop_mask, self.crop_xy, self.image_size_wh)

    @property
    def polygons(self) -> tuple[Polygon, ...]:
        """Parts with holes on pixel edges, with at least the requested IoU with the mask.

        The whole selection is made at once: small objects then take a quarter of the time.
        """
        if self.is_box:
            (x1, y1), (x2, y2) = rounded(np.array(self.bbox_xyxy).reshape(2, 2)).tolist()
            return (Polygon.of([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]),)
        return self.outline.polygons()

    @property
    def dense(self) -> bytes | None:
        """The exact outline, packed (`geometry.dense`); None if `polygons` is exact already."""
        if self.is_box or self.outline.min_iou is None or self.outline.min_iou == 1:
            return None
        exact = self.outline.exact
        if exact.packed is None:
            exact.packed = mask_to_dense(exact.mask, exact.corner_xy)
        return exact.packed


def outline_together(predictions: Iterable[Prediction], last: LastPrepared) -> None:
    """Make the polygons of these, all of one fidelity, together when the first is accessed."""
    waiting = [prediction.outline for prediction in predictions if prediction.outline.made is None]
    for outline in waiting:
        outline.companions, outline.last = waiting, last


def _polygons(
    outlines: Sequence[FittedOutline], min_iou: float | None, last: LastPrepared | None
) -> list[tuple[Polygon, ...]]:
    new = [outline.exact for outline in outlines if outline.exact.traced is None]
    traced = trimmed_to_traced([exact.mask for exact in new], [exact.corner_xy for exact in new])
    for exact, found in zip(new, traced, strict=True):
        exact.traced = found
    known = [outline.exact.traced for outline in outlines if outline.exact.traced]
    return traced_to_polygons(known, min_iou, last)
