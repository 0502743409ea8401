"""Edges finer than the network's grid: the probabilities follow the colours of a sharper image of the window.

A guided filter (He, Sun, Tang, TPAMI 2013) with a colour image as its guide, applied only in a band around the outline:
away from the edge the network's answer stays."""

import cv2
import numpy as np
from numpy.typing import NDArray

RADIUS_CELLS = 2.0
EPSILON = 1e-4
"""Regularisation for colours in 0..1: how much contrast counts as an edge."""
_BAND_RADII = 2
_SURE = 8.0
"""Logits per unit of probability near the edge; the logistic function is half as steep there as a filtered step."""
_MOST_LOGIT = 20.0
Plane = NDArray[np.float32]


def along_colours(logits: Plane, picture_bgr: NDArray[np.uint8]) -> Plane:
    """(H, W) float32 logits at the resolution of a picture (H, W, 3) uint8 that shows the same area as the (h, w)
    logits.

    On 45 objects of photos/bsds over 120 px: boundary IoU in a band of 0.5 % of the diagonal .384 -> .402 (standard
    error of the difference .004), in one of 2 % +.002, IoU +.002; a grey guide gives +.013, GrabCut in the same band
    loses .006 of IoU.
    """
    height, width = picture_bgr.shape[:2]
    size_wh = (width, height)
    smooth = cv2.resize(np.clip(logits, -_MOST_LOGIT, _MOST_LOGIT), size_wh, interpolation=cv2.INTER_LINEAR)
    chance = np.asarray(1 / (1 + np.exp(-smooth)), np.float32)
    radius = max(1, round(RADIUS_CELLS * max(width / logits.shape[1], height / logits.shape[0])))
    colours = np.asarray(picture_bgr, np.float32) / np.float32(255)
    filtered = np.where(_band(chance, _BAND_RADII * radius), _guided(colours, chance, radius), chance)
    return np.asarray((filtered - 0.5) * _SURE, np.float32)


def _band(chance: Plane, radius: int) -> NDArray[np.bool_]:
    """The pixels around the outline: those whose square of this radius holds both inside and outside."""
    share = _mean((chance > 0.5).astype(np.float32), radius)
    return np.asarray((share > 1e-4) & (share < 1 - 1e-4))


def _guided(colours: Plane, plane: Plane, radius: int) -> Plane:
    """The plane as a linear function of the three colours in each square, averaged over all squares."""
    colours = colours - colours.mean(axis=(0, 1))  # small numbers, because their products are subtracted below
    mean_colour, mean = _mean(colours, radius), _mean(plane, radius)
    shared = _mean(colours * plane[..., None], radius) - mean_colour * mean[..., None]
    slopes = _solved(_covariances(colours, mean_colour, radius), shared)
    offset = mean - (slopes * mean_colour).sum(axis=-1)
    averaged = _mean(np.dstack((slopes, offset)), radius)
    return np.asarray((averaged[..., :3] * colours).sum(axis=-1) + averaged[..., 3], np.float32)


def _covariances(colours: Plane, mean: Plane, radius: int) -> tuple[Plane, ...]:
    """Covariances of the colours in each square: 00, 11, 22, 01, 02, 12; EPSILON is added to the first three."""
    squares = _mean(colours * colours, radius) - mean * mean + np.float32(EPSILON)
    pairs = ((0, 1), (0, 2), (1, 2))
    products = np.dstack([colours[..., i] * colours[..., j] for i, j in pairs])
    mixed = _mean(products, radius) - np.dstack([mean[..., i] * mean[..., j] for i, j in pairs])
    return *(squares[..., k] for k in range(3)), *(mixed[..., k] for k in range(3))


def _solved(matrix: tuple[Plane, ...], right: Plane) -> Plane:
    """Solve A x = right for the symmetric matrix of each pixel, by its adjugate.

    In float64: in grey pictures all three colours are equal, and the determinant is only about EPSILON squared.
    """
    a, d, f, b, c, e = (plane.astype(np.float64) for plane in matrix)
    rows = ((d * f - e * e, c * e - b * f, b * e - c * d), (a * f - c * c, b * c - a * e), (a * d - b * b,))
    determinant = np.maximum(a * rows[0][0] + b * rows[0][1] + c * rows[0][2], np.float32(1e-14))
    x, y, z = (right[..., k] for k in range(3))
    solved = (
        rows[0][0] * x + rows[0][1] * y + rows[0][2] * z,
        rows[0][1] * x + rows[1][0] * y + rows[1][1] * z,
        rows[0][2] * x + rows[1][1] * y + rows[2][0] * z,
    )
    return np.asarray(np.dstack(solved) / determinant[..., None], np.float32)


def _mean(plane: Plane, radius: int) -> Plane:
    side = 2 * radius + 1
    return np.asarray(cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT), np.float32)
