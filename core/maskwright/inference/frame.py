"""The position of an image inside a network's input, and the resizing that puts it there."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """Maps coordinates normalised to the network input (0..1) to image pixels.

    `extent_wh`: size in image pixels of what the whole input shows: the image itself if stretched, more if padded.
    `start_xy`: position of the input's upper left corner in the image: the origin unless there is padding on the left
    or above.
    """

    size_wh: tuple[int, int]
    extent_wh: tuple[float, float]
    start_xy: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def stretched(cls, size_wh: tuple[int, int]) -> "Frame":
        """The image fills the whole input."""
        return cls(size_wh, (float(size_wh[0]), float(size_wh[1])))

    @classmethod
    def padded(
        cls,
        size_wh: tuple[int, int],
        content_wh: tuple[int, int],
        input_wh: tuple[int, int],
        corner_xy: tuple[int, int] = (0, 0),
    ) -> "Frame":
        """The image, resized to `content_wh`, has its corner at `corner_xy` of an input of `input_wh`."""
        (width, height), (inner_w, inner_h), (outer_w, outer_h) = size_wh, content_wh, input_wh
        x_pitch, y_pitch = width / inner_w, height / inner_h
        return cls(size_wh, (outer_w * x_pitch, outer_h * y_pitch), (-corner_xy[0] * x_pitch, -corner_xy[1] * y_pitch))

    def boxes_to_pixels(self, boxes_xyxy: NDArray[np.floating]) -> NDArray[np.float32]:
        """Boxes (N, 4) normalised to the input as (N, 4) float32 in image pixels."""
        extent, start = np.array(self.extent_wh * 2, np.float32), np.array(self.start_xy * 2, np.float32)
        return np.asarray(boxes_xyxy.astype(np.float32) * extent + start)


def resized(image: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize an image (H, W, 3) uint8.

    Bilinear as in training, but area-averaged if it shrinks to less than half, where bilinear would skip pixels. Not
    done in the graph: with a dynamic input size OpenVINO resizes in f32, which cost 7 % more at 640x480 and 160 % more
    at 4000x3000 (YOLACT stand-in, one core).
    """
    height, width = image.shape[:2]
    if (width, height) == size_wh:
        return image
    shrinks = min(width / size_wh[0], height / size_wh[1]) >= 2
    return cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)  # type: ignore[return-value]  # cv2 types any dtype


def padded(
    image: NDArray[np.uint8],
    input_wh: tuple[int, int],
    value: tuple[int, int, int],
    corner_xy: tuple[int, int] = (0, 0),
) -> NDArray[np.uint8]:
    """The image with its corner at `corner_xy` of a canvas (H, W, 3) uint8 of that size, filled with `value`."""
    height, width = image.shape[:2]
    if (width, height) == input_wh:
        return np.ascontiguousarray(image)
    left, above = corner_xy
    below, right = input_wh[1] - height - above, input_wh[0] - width - left
    return cv2.copyMakeBorder(image, above, below, left, right, cv2.BORDER_CONSTANT, value=value)  # type: ignore[return-value]
