"""A preview of a large image that fills in while the image is decoded."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.images.parts import Part
from maskwright.windowing import deep_to_bgr

_UNKNOWN = 72
"""Dark grey for pixels not decoded yet."""


class Sketch:
    """A subsample of the parts seen so far: no averages, so that a part costs only microseconds."""

    def __init__(self, size_wh: tuple[int, int], max_side_px: int) -> None:
        scale = min(1.0, max_side_px / max(size_wh))
        self._size = max(1, round(size_wh[0] * scale)), max(1, round(size_wh[1] * scale))
        self._columns, self._rows = (
            ((np.arange(count) + 0.5) * whole / count).astype(np.intp)
            for count, whole in zip(self._size, size_wh, strict=True)
        )
        self._samples: NDArray[Any] | None = None
        self._known = np.zeros(self._size[::-1], bool)

    def take(self, part: Part) -> None:
        """Add the pixels of a part."""
        places = [
            slice(*np.searchsorted(all_places, (place.start, place.stop)))
            for all_places, place in zip((self._rows, self._columns), part.places, strict=True)
        ]
        rows, columns = self._rows[places[0]] - part.top, self._columns[places[1]] - part.left
        if self._samples is None:
            self._samples = np.zeros((*self._known.shape, *part.pixels.shape[2:]), part.pixels.dtype)
        self._samples[places[0], places[1]] = part.pixels[np.ix_(rows, columns)]
        self._known[places[0], places[1]] = True

    def picture(self, behind: NDArray[np.uint8] | None = None) -> NDArray[np.uint8] | None:
        """(h, w, 3) uint8 BGR; None before the first part. Unknown pixels show `behind`, an image of any size."""
        if self._samples is None or not self._known.any():
            return None
        picture = np.full((*self._known.shape, 3), _UNKNOWN, np.uint8)
        if behind is not None:
            picture[:] = cv2.resize(behind, self._size, interpolation=cv2.INTER_LINEAR)
        known = self._samples[self._known][:, None]
        picture[self._known] = (known if _is_bgr(known) else deep_to_bgr(known))[:, 0]
        return picture


def _is_bgr(samples: NDArray[Any]) -> bool:
    return samples.dtype == np.uint8 and samples.shape[2:] == (3,)
