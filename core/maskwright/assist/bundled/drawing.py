"""Prompts as input planes of the network: box, clicks inside and outside, previous outline. Training draws them with
the same code."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import SoftMask
from maskwright.assist.prompt import Box, MaskCrop, Prompt
from maskwright.assist.window import Window

CLICK_SPREAD = 12.5
"""A click is drawn as exp(-d^2 / CLICK_SPREAD), with the distance d in cells."""
_CLICK_REACH = 12
Plane = NDArray[np.float32]


def prompt_planes(prompt: Prompt, window: Window, cells: int, earlier: Plane | None) -> Plane:
    """(4, cells, cells) float32, 0..1. `earlier`: (cells, cells) probabilities of the previous outline, if any."""
    planes = np.zeros((4, cells, cells), np.float32)
    corner, pitch = np.array((window.x, window.y)), np.array((window.width, window.height)) / cells
    if prompt.box_xyxy is not None:
        x1, y1, x2, y2 = ((np.reshape(prompt.box_xyxy, (2, 2)) - corner) / pitch).ravel().tolist()
        draw_box(planes[0], (x1, y1, x2, y2))
    clicks = (prompt.points_xy - corner) / pitch - 0.5
    draw_clicks(planes[1], clicks[prompt.labels == 1])
    draw_clicks(planes[2], clicks[prompt.labels == 0])
    if earlier is not None:
        planes[3] = earlier
    return planes


def draw_clicks(plane: Plane, points_xy: NDArray[np.float64]) -> None:
    """Draw clicks into `plane` (H, W) in place; points (N, 2) in cells, with the centre of the first cell at (0, 0)."""
    height, width = plane.shape
    for x, y in points_xy:
        left, top = max(0, round(x) - _CLICK_REACH), max(0, round(y) - _CLICK_REACH)
        right, bottom = min(width, round(x) + _CLICK_REACH + 1), min(height, round(y) + _CLICK_REACH + 1)
        if left >= right or top >= bottom:
            continue
        columns = np.arange(left, right, dtype=np.float32) - x
        rows = np.arange(top, bottom, dtype=np.float32) - y
        disc = np.exp(-(columns[None, :] ** 2 + rows[:, None] ** 2) / CLICK_SPREAD)
        part = plane[top:bottom, left:right]
        np.maximum(part, disc, out=part)


def draw_box(plane: Plane, box_xyxy: Box) -> None:
    """Fill the box (in continuous cells, edges at whole numbers) with 1; partly covered cells get the fraction."""
    height, width = plane.shape
    x1, y1, x2, y2 = box_xyxy
    np.maximum(plane, _covered(height, y1, y2)[:, None] * _covered(width, x1, x2)[None, :], out=plane)


def earlier_plane(prompt: Prompt, window: Window, cells: int) -> Plane | None:
    """The previous outline as (cells, cells) probabilities: from the last answer, else from the outline to correct."""
    if prompt.previous is not None:
        return _of_answer(prompt.previous, window, cells)
    return _of_pixels(prompt.mask, window, cells) if prompt.mask is not None else None


def _of_answer(soft: SoftMask, window: Window, cells: int) -> Plane:
    if any(len(axis.steps) != 1 for axis in soft.axes):  # an answer of another network, resized in several steps
        pixels, corner_xy = soft.mask()
        return _of_pixels(MaskCrop(pixels, corner_xy), window, cells)
    chance = np.asarray(1 / (1 + np.exp(-np.clip(soft.logits, -30, 30))), np.float32)
    x, y = (axis.steps[0] for axis in soft.axes)
    return _resampled(chance, (x.start, y.start), (x.pitch, y.pitch), window, cells)


def _of_pixels(crop: MaskCrop, window: Window, cells: int) -> Plane:
    height, width = crop.pixels.shape
    if not crop.pixels.size:
        return np.zeros((cells, cells), np.float32)
    # Averaged first where cells are large, for what follows looks at four neighbours only.
    small = max(1, round(width * cells / window.width)), max(1, round(height * cells / window.height))
    small = min(small[0], width), min(small[1], height)
    shares = cv2.resize(crop.pixels.view(np.uint8) * np.uint8(255), small, interpolation=cv2.INTER_AREA)
    plane = np.asarray(shares, np.float32) / np.float32(255)
    return _resampled(plane, crop.corner_xy, (width / small[0], height / small[1]), window, cells)


def _resampled(
    plane: Plane, start_xy: tuple[float, float], pitch_xy: tuple[float, float], window: Window, cells: int
) -> Plane:
    """Resample a grid to a window's cells; its corner is at `start_xy` in the image, its cells are `pitch_xy` px."""
    steps = np.array((window.width, window.height)) / cells
    scale = steps / pitch_xy
    offset = (np.array((window.x, window.y)) + steps / 2 - start_xy) / pitch_xy - 0.5
    matrix = np.array([[scale[0], 0, offset[0]], [0, scale[1], offset[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, matrix, (cells, cells), flags=flags), np.float32)


def _covered(count: int, start: float, end: float) -> Plane:
    edges = np.arange(count, dtype=np.float32)
    return np.asarray(np.clip(np.minimum(edges + 1, end) - np.maximum(edges, start), 0, 1), np.float32)
