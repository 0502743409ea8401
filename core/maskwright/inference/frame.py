"""Where an image lies inside a network's input, and the resizing that puts it there."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """Maps coordinates normalised to the network input (0..1) to image pixels.

    `extent_wh` is the size in image pixels of what the whole input shows: the image itself when it is stretched,
    more than the image where padding was added on the right and at the bottom.
    """

    size_wh: tuple[int, int]
    extent_wh: tuple[float, float]

    @classmethod
    def stretched(cls, size_wh: tuple[int, int]) -> "Frame":
        return cls(size_wh, (float(size_wh[0]), float(size_wh[1])))

    @classmethod
    def padded(cls, size_wh: tuple[int, int], content_wh: tuple[int, int], input_wh: tuple[int, int]) -> "Frame":
        """The image was resized to `content_wh` and laid in the upper left of an input of `input_wh`."""
        (width, height), (inner_w, inner_h), (outer_w, outer_h) = size_wh, content_wh, input_wh
        return cls(size_wh, (outer_w * width / inner_w, outer_h * height / inner_h))


def fitted_wh(size_wh: tuple[int, int], input_wh: tuple[int, int]) -> tuple[int, int]:
    """Size of the image inside the input when its proportions are kept (rounded down, at least 1)."""
    scale = min(input_wh[1] / size_wh[1], input_wh[0] / size_wh[0])
    return max(int(scale * size_wh[0]), 1), max(int(scale * size_wh[1]), 1)


def resized(image: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Image (H, W, 3) uint8 at another size.

    Bilinear as in the networks' training; averaged where it shrinks to less than half, where bilinear would skip
    pixels. Done here and not in the graph: a resize inside OpenVINO works in f32 with a free input size, which cost
    7 % more at 640x480 and 160 % more at 4000x3000 (YOLACT stand-in, one core).
    """
    height, width = image.shape[:2]
    if (width, height) == size_wh:
        return image
    shrinks = min(width / size_wh[0], height / size_wh[1]) >= 2
    return cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)  # type: ignore[return-value]  # cv2 types any dtype


def padded(image: NDArray[np.uint8], input_wh: tuple[int, int], value: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The image laid in the upper left of a canvas (H, W, 3) uint8 of that size, filled with `value`."""
    height, width = image.shape[:2]
    if (width, height) == input_wh:
        return np.ascontiguousarray(image)
    below, right = input_wh[1] - height, input_wh[0] - width
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=value)  # type: ignore[return-value]
