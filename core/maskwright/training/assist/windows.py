"""Which window of an image a training crop shows, and how it is warped to the network's square input."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.training.assist.objects import CoverMask, PicturePyramid

SMALLEST_SIDE_PX = 32.0
LARGEST_DISTORTION = 2.0
BOX_MARGIN = 1.4
BOX_MARGIN_PX = 8.0
OUTSIDE = 127
"""Grey beyond the image's border: zero after normalisation."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Warp:
    """`matrix` (2, 3) maps continuous image coordinates to the crop of `size` pixels (edges at 0 and `size`)."""

    matrix: NDArray[np.float64]
    size: int

    def points(self, points_xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 2) points in the crop."""
        return np.asarray(points_xy @ self.matrix[:, :2].T + self.matrix[:, 2])

    def picture(self, picture: PicturePyramid) -> NDArray[np.uint8]:
        """(S, S, 3) uint8 from the coarsest level that is at least as fine as the crop."""
        scale = float(np.sqrt(abs(np.linalg.det(self.matrix[:, :2]))))
        level = int(np.clip(np.floor(np.log2(max(1.0, 1.2 / max(scale, 1e-6)))), 0, len(picture.levels) - 1))
        source, full = picture.levels[level], picture.levels[0]
        ratio = np.array([source.shape[1] / full.shape[1], source.shape[0] / full.shape[0]])
        matrix = _centred(np.hstack([self.matrix[:, :2] / ratio, self.matrix[:, 2:]]))
        out = cv2.warpAffine(source, matrix, (self.size, self.size), flags=cv2.INTER_LINEAR, borderValue=(OUTSIDE,) * 3)
        return np.asarray(out, np.uint8)

    def mask(self, mask: CoverMask, corner_xy: tuple[int, int]) -> NDArray[np.uint8]:
        """(S / 2, S / 2) uint8 0..255: how much of each cell the mask covers."""
        shifted = self.matrix[:, 2] + self.matrix[:, :2] @ np.array(corner_xy, np.float64)
        matrix = _centred(np.hstack([self.matrix[:, :2], shifted[:, None]]))
        fine = cv2.warpAffine(mask * np.uint8(255), matrix, (self.size, self.size), flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.resize(fine, (self.size // 2, self.size // 2), interpolation=cv2.INTER_AREA), np.uint8)


def warp_window(window: Box, *, size: int, turn: NDArray[np.float64]) -> Warp:
    """The window (xyxy) stretched to the square, then rotated about its centre by the (2, 2) matrix `turn`."""
    x0, y0, x1, y1 = window
    linear = turn @ np.diag([size / (x1 - x0), size / (y1 - y0)])
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    return Warp(np.hstack([linear, (size / 2 - linear @ centre)[:, None]]), size)


def box_window(box: Box, *, margin: float = BOX_MARGIN) -> Box:
    """The window for a box: enlarged about its centre, not too small, not too distorted."""
    x0, y0, x1, y1 = box
    width, height = (x1 - x0) * margin + BOX_MARGIN_PX, (y1 - y0) * margin + BOX_MARGIN_PX
    width, height = max(width, SMALLEST_SIDE_PX), max(height, SMALLEST_SIDE_PX)
    width, height = max(width, height / LARGEST_DISTORTION), max(height, width / LARGEST_DISTORTION)
    return around(((x0 + x1) / 2, (y0 + y1) / 2), (width, height))


def around(centre_xy: tuple[float, float], size_wh: tuple[float, float]) -> Box:
    """The box of that size about that centre."""
    (x, y), (width, height) = centre_xy, size_wh
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def jittered(box: Box, random: np.random.Generator, share: float) -> Box:
    """Each side moved by up to `share` of the width or height."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    moves = random.uniform(-share, share, 4)
    return x0 + moves[0] * width, y0 + moves[1] * height, x1 + moves[2] * width, y1 + moves[3] * height


def random_turn(random: np.random.Generator, *, any_way_up: bool) -> NDArray[np.float64]:
    """(2, 2): mirrored half of the time, slightly tilted; quarter turns if orientation has no meaning."""
    turn = np.diag([-1.0 if random.random() < 0.5 else 1.0, 1.0])
    if any_way_up:
        quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
        turn = np.linalg.matrix_power(quarter, int(random.integers(4))) @ turn
    if random.random() < 0.25:
        angle = np.deg2rad(random.uniform(-20, 20))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ turn
    return turn


def _centred(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """From continuous coordinates (edges at integers) to OpenCV's (pixel centres at integers)."""
    offset = matrix[:, :2] @ np.array([0.5, 0.5]) + matrix[:, 2] - 0.5
    return np.hstack([matrix[:, :2], offset[:, None]])
