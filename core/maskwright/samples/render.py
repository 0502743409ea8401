"""How a label map looks through a microscope: fluorescence, stained tissue, phase contrast. BGR uint8 out."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.samples.shapes import LabelMap

Picture = NDArray[np.float32]
"""(H, W) or (H, W, 3) float32, 0..1."""
Renderer = Callable[[np.random.Generator, LabelMap], NDArray[np.uint8]]


def smooth_noise(rng: np.random.Generator, shape_hw: tuple[int, int], scale_px: float) -> Picture:
    """Noise of zero mean and unit deviation whose structures are about `scale_px` wide."""
    height, width = shape_hw
    coarse = rng.normal(0, 1, (max(3, int(height / scale_px) + 3), max(3, int(width / scale_px) + 3)))
    field = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    deviation = float(field.std())
    return np.asarray((field - float(field.mean())) / max(deviation, 1e-6), dtype=np.float32)


def per_nucleus(rng: np.random.Generator, labels: LabelMap, low: float, high: float) -> Picture:
    """One random value per nucleus, 0 outside."""
    values = rng.uniform(low, high, labels.max() + 1).astype(np.float32)
    values[0] = 0
    picture: Picture = values[labels]
    return picture


def dome(labels: LabelMap, *, edge_px: float) -> Picture:
    """0 outside, rising to 1 within `edge_px` of each nucleus' own border (touching nuclei keep their seam)."""
    same = np.ones(labels.shape, np.uint8)
    same[labels == 0] = 0
    same[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    same[1:, :][labels[1:, :] != labels[:-1, :]] = 0
    distance = cv2.distanceTransform(same, cv2.DIST_L2, 5)
    return np.asarray(np.clip(distance / edge_px, 0, 1) ** 0.7, np.float32)


def fluorescence(
    *, gain: float = 1.0, haze: float = 0.08, noise: float = 0.02, tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Renderer:
    """Bright nuclei on black, as a DAPI channel shows them; `tint` is BGR."""

    def render(rng: np.random.Generator, labels: LabelMap) -> NDArray[np.uint8]:
        shape = (labels.shape[0], labels.shape[1])
        chromatin = 1 + 0.16 * smooth_noise(rng, shape, 5) + 0.10 * smooth_noise(rng, shape, 2.2)
        signal = per_nucleus(rng, labels, 0.45, 1.0) * dome(labels, edge_px=4) * chromatin
        glow = cv2.GaussianBlur(signal, (0, 0), 14)
        picture = gain * (cv2.GaussianBlur(signal, (0, 0), 0.9) + haze * 2.5 * glow) + haze * 0.25
        picture = picture + rng.normal(0, 1, shape) * (noise * (0.4 + np.sqrt(np.clip(picture, 0, 1))))
        return _to_u8(picture[..., None] * np.array(tint, np.float32))

    return render


def stained(*, ground: tuple[int, int, int], nucleus: tuple[int, int, int]) -> Renderer:
    """Dark nuclei in fibrous tissue, as haematoxylin and eosin show them; colours are BGR."""

    def render(rng: np.random.Generator, labels: LabelMap) -> NDArray[np.uint8]:
        shape = (labels.shape[0], labels.shape[1])
        fibres = 0.6 * smooth_noise(rng, shape, 26) + 0.5 * smooth_noise(rng, shape, 7)
        tissue = np.clip(1 + 0.045 * fibres + 0.10 * _wavy_strands(rng, shape), 0.6, 1.15)
        near_nuclei = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), 12)
        lumen = np.clip(smooth_noise(rng, shape, 60) - 1.0 - 6 * near_nuclei, 0, 1)[..., None]
        base = np.array(ground, np.float32) / 255 * tissue[..., None]
        base = base * (1 - lumen) + 0.95 * lumen
        chromatin = 1 + 0.20 * smooth_noise(rng, shape, 4) + 0.12 * smooth_noise(rng, shape, 2)
        depth = per_nucleus(rng, labels, 0.62, 1.0) * dome(labels, edge_px=3)
        alpha = np.clip(cv2.GaussianBlur(depth * chromatin, (0, 0), 0.8), 0, 1)[..., None]
        picture = base * (1 - alpha) + np.array(nucleus, np.float32) / 255 * alpha
        return _to_u8(picture + rng.normal(0, 0.012, (*shape, 3)))

    return render


def phase_contrast(*, ground: float = 0.55) -> Renderer:
    """Grey cells with a dark rim and a bright halo, as an unstained bright-field picture shows them."""

    def render(rng: np.random.Generator, labels: LabelMap) -> NDArray[np.uint8]:
        shape = (labels.shape[0], labels.shape[1])
        inside = (labels > 0).astype(np.float32)
        rim = inside - dome(labels, edge_px=5)
        halo = cv2.GaussianBlur(inside, (0, 0), 3.5) * (1 - inside)
        organelles = smooth_noise(rng, shape, 4) * 0.05 * inside
        picture = ground + 0.04 * smooth_noise(rng, shape, 120) + 0.30 * halo - 0.32 * rim * inside
        picture = picture - 0.06 * inside + organelles
        picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.8) + rng.normal(0, 0.012, shape)
        return _to_u8(np.repeat(picture[..., None], 3, axis=2))

    return render


def _wavy_strands(rng: np.random.Generator, shape_hw: tuple[int, int]) -> Picture:
    """Streaks along a random direction, bent by slow noise, as collagen lies in tissue."""
    height, width = shape_hw
    side = int(np.hypot(height, width)) + 80
    streaks = cv2.GaussianBlur(smooth_noise(rng, (side, side), 3), (0, 0), sigmaX=10, sigmaY=1.4)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = rng.uniform(0, np.pi)
    bend = 22 * smooth_noise(rng, shape_hw, 90)
    across = (x - width / 2) * np.sin(turn) + (y - height / 2) * np.cos(turn) + bend
    along = (x - width / 2) * np.cos(turn) - (y - height / 2) * np.sin(turn)
    map_x, map_y = (along + side / 2).astype(np.float32), (across + side / 2).astype(np.float32)
    bent = cv2.remap(streaks, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(bent, np.float32)


def _to_u8(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    return np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
