"""Positions and shapes of the nuclei in a scene: seeded, non-overlapping label maps."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

LabelMap = NDArray[np.int32]
"""(H, W) int32: 0 background, 1..N one value per nucleus."""


@dataclass(frozen=True, slots=True)
class ShapeSettings:
    """How many nuclei, how large (pixels), how round and how crowded."""

    count: int
    radius_px: tuple[float, float]
    elongation: float = 0.35
    """0 for circles; with 0.5 the long axis may be twice the short one."""
    roughness: float = 0.06
    """Amplitude of the outline's harmonics, relative to the radius."""
    overlap: float = 0.0
    """How far two nuclei may overlap, relative to the smaller radius; the later one lies on top."""
    clusters: int = 0
    """0 to spread evenly; otherwise nuclei gather around this many centres."""
    min_visible: float = 0.55
    """A nucleus is removed if less than this fraction of it stays visible."""


def outline(rng: np.random.Generator, radius: float, settings: ShapeSettings) -> NDArray[np.float64]:
    """(96, 2) float64 star-convex outline around (0, 0), pixels: an ellipse with a few harmonics."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    stretch = 1 + settings.elongation * rng.uniform(0, 1)
    radial = np.ones_like(angle)
    for order in (2, 3, 4, 5):
        amplitude = settings.roughness * rng.normal() / order**0.5
        radial += amplitude * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    points = np.stack([np.cos(angle) * stretch, np.sin(angle) / stretch], axis=1) * radial[:, None] * radius
    turn = rng.uniform(0, np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ rotation.T, dtype=np.float64)


def place_nuclei(rng: np.random.Generator, size_wh: tuple[int, int], settings: ShapeSettings) -> LabelMap:
    """A label map with up to `settings.count` nuclei; fewer if no room is left. Labels are 1..N without gaps."""
    width, height = size_wh
    centres = _cluster_centres(rng, size_wh, settings.clusters)
    labels = np.zeros((height, width), np.int32)
    placed: list[tuple[float, float, float]] = []
    areas = [0]
    for _ in range(settings.count * 12):
        if len(placed) == settings.count:
            break
        radius = float(np.exp(rng.uniform(*np.log(settings.radius_px))))
        x, y = _candidate_centre(rng, size_wh, centres)
        if not _has_room(placed, (x, y, radius), settings.overlap):
            continue
        points = outline(rng, radius, settings) + np.array([x, y])
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.round(points * 16 - 8).astype(np.int32)], 1, shift=4)
        if not mask.any():
            continue
        placed.append((x, y, radius))
        labels[mask > 0] = len(placed)
        areas.append(int(mask.sum()))
    return _without_hidden(labels, np.array(areas), settings.min_visible)


def _cluster_centres(rng: np.random.Generator, size_wh: tuple[int, int], count: int) -> NDArray[np.float64]:
    return rng.uniform(0.15, 0.85, (count, 2)) * size_wh


def _candidate_centre(
    rng: np.random.Generator, size_wh: tuple[int, int], centres: NDArray[np.float64]
) -> tuple[float, float]:
    if len(centres):
        point = centres[rng.integers(len(centres))] + rng.normal(0, 0.13 * min(size_wh), 2)
    else:
        point = rng.uniform(0, 1, 2) * size_wh
    return float(point[0]), float(point[1])


def _has_room(placed: list[tuple[float, float, float]], nucleus: tuple[float, float, float], overlap: float) -> bool:
    x, y, radius = nucleus
    return all(np.hypot(x - px, y - py) >= radius + pr + 1.5 - overlap * 2 * min(radius, pr) for px, py, pr in placed)


def _without_hidden(labels: LabelMap, areas: NDArray[np.int64], min_visible: float) -> LabelMap:
    """Drop nuclei that are mostly covered, keep the largest piece of each, and renumber as 1..N."""
    visible = np.bincount(labels.ravel(), minlength=len(areas))
    result = np.zeros_like(labels)
    kept = 0
    for label in range(1, len(areas)):
        if visible[label] < max(12, min_visible * areas[label]):
            continue
        pieces, components, stats, _ = cv2.connectedComponentsWithStats(
            (labels == label).astype(np.uint8), connectivity=4
        )
        if pieces < 2:
            continue
        kept += 1
        result[components == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))] = kept
    return result
