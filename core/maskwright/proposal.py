"""A script's proposal: one object from any detector, in whichever form that provides."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskwright.document.values import Category
from maskwright.errors import InputError
from maskwright.geometry.polygon import Polygon

Outlines = Polygon | Sequence[Polygon] | Sequence[ArrayLike]
"""One polygon, several, or rings of points: (N, 2), or flat as in COCO; each ring is a polygon."""
_FIDELITY = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """A proposed object, for `Project.put_proposals`.

    category: the name of a class, its id, or the `Category`. score: from 0 to 1. Give exactly one of the following, in
    pixels of the upright image; a box may accompany any of the others and is then ignored:

    - polygons: a `Polygon`, several, or rings of points, x to the right, y down, on pixel edges;
    - mask: (H, W), true or above 0 inside the object, of the size of the image;
    - rle: COCO's run lengths, {"size": [height, width], "counts": text or list};
    - bbox_xyxy: left, top, right, bottom. A box alone stays a box until someone outlines it.

    Raises InputError for an invalid score and for an object without pixels.
    """

    category: str | int | Category
    score: float
    polygons: Outlines | None = None
    mask: NDArray[Any] | None = field(default=None, repr=False)
    rle: Mapping[str, Any] | None = field(default=None, repr=False)
    bbox_xyxy: Sequence[float] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "score", checked_score(self.score))
        if isinstance(self.category, bool) or not isinstance(self.category, str | int | np.integer | Category):
            raise InputError(f"expected a class by name or id, got {self.category!r}")
        given = [name for name in ("polygons", "mask", "rle") if getattr(self, name) is not None]
        if len(given) > 1 or not (given or self.bbox_xyxy is not None):
            got = " and ".join(given) or "none"
            raise InputError(f"expected exactly one of polygons, mask, rle and bbox_xyxy, got {got}")
        self._require_something()

    @property
    def is_box(self) -> bool:
        """Whether there is only a box."""
        return self.polygons is None and self.mask is None and self.rle is None

    def outlined(self, size_wh: tuple[int, int] | None = None) -> tuple[Polygon, ...]:
        """Its outline as polygons; checked against the image's size if given. Raises InputError."""
        try:
            return self._outlined(size_wh)
        except (ValueError, TypeError) as error:
            raise InputError(str(error)) from error

    def pixels(self, size_wh: tuple[int, int] | None = None) -> NDArray[np.bool_] | None:
        """(H, W) bool if it was given as pixels, else None. Raises ValueError for another size."""
        from maskwright.geometry.rle import counts_to_mask, rle_counts

        if self.mask is not None:
            pixels = np.asarray(self.mask) > 0
        elif self.rle is not None:
            height, width = (int(side) for side in self.rle["size"])
            pixels = counts_to_mask(rle_counts(self.rle["counts"]), (height, width))
        else:
            return None
        if pixels.ndim != 2:
            raise ValueError(f"expected an (H, W) mask, got {pixels.shape}")
        if size_wh is not None and pixels.shape != size_wh[::-1]:
            raise ValueError(
                f"expected a mask of {size_wh[0]} x {size_wh[1]}, got {pixels.shape[1]} x {pixels.shape[0]}"
            )
        return pixels

    def _require_something(self) -> None:
        try:
            pixels = self.pixels()
            is_empty = not pixels.any() if pixels is not None else not self._outlined(None)
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(str(error)) from error
        if is_empty:
            raise InputError("expected a non-empty object")

    def _outlined(self, size_wh: tuple[int, int] | None) -> tuple[Polygon, ...]:
        if self.polygons is not None:
            return as_polygons(self.polygons)
        pixels = self.pixels(size_wh)
        if pixels is not None:
            from maskwright.geometry.convert import mask_to_polygons

            return mask_to_polygons(pixels, min_iou=_FIDELITY)
        from maskwright.formats.boxes import rectangle

        corners = [float(value) for value in self.bbox_xyxy or ()]
        if len(corners) != 4 or not all(map(math.isfinite, corners)):
            raise ValueError(f"expected a box of four numbers, got {self.bbox_xyxy!r}")
        return rectangle(*corners)


def as_polygons(outlines: Outlines) -> tuple[Polygon, ...]:
    """Raises ValueError or TypeError for anything but an outline of at least three finite points."""
    if isinstance(outlines, Polygon):
        return (outlines,)
    rings: Sequence[Any] = outlines
    if _is_flat(rings) or all(not isinstance(each, Polygon) and len(each) == 2 and _is_flat(each) for each in rings):
        rings = [outlines] if len(rings) else []  # a single ring: of points, or flat as in COCO
    return tuple(each if isinstance(each, Polygon) else Polygon.of(_points(each)) for each in rings)


def checked_score(score: Any) -> float:
    """Raises InputError for anything but a number from 0 to 1."""
    try:
        found = float(score)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected a score from 0 to 1, got {score!r}") from error
    if not 0 <= found <= 1:  # a NaN makes both comparisons false
        raise InputError(f"expected a score from 0 to 1, got {score!r}")
    return found


def _points(ring: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(ring, np.float64)
    if points.ndim == 1 and len(points) % 2 == 0:
        points = points.reshape(-1, 2)
    return points


def _is_flat(outlines: Iterable[Any]) -> bool:
    return all(isinstance(each, int | float | np.number) for each in outlines)
