"""Prompts as a user gives them: drawn planes, simulated clicks and strokes, outlines that need correcting."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from maskwright.assist.bundled.drawing import Plane, draw_clicks

Points = NDArray[np.float64]


def deepest_point(region: NDArray[np.bool_]) -> tuple[float, float] | None:
    """The (x, y) cell of `region` (H, W) farthest from its outside; the border counts as outside. None if empty."""
    if not region.any():
        return None
    distance = depth(region)
    y, x = np.unravel_index(int(distance.argmax()), distance.shape)
    return float(x), float(y)


def depth(region: NDArray[np.bool_]) -> Plane:
    """The distance of each cell of `region` to its outside, in cells; 0 outside."""
    padded = np.pad(region.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def random_point(region: NDArray[np.bool_], random: np.random.Generator) -> tuple[float, float] | None:
    """A random point of `region`, more likely deep inside; half of the time the deepest."""
    if random.random() < 0.5:
        return deepest_point(region)
    if not region.any():
        return None
    chances = depth(region).ravel() ** 1.5
    pick = int(random.choice(len(chances), p=chances / chances.sum()))
    return float(pick % region.shape[1]), float(pick // region.shape[1])


def next_click(
    answer: NDArray[np.bool_], wanted: NDArray[np.bool_], random: np.random.Generator | None = None
) -> tuple[float, float, bool] | None:
    """(x, y, positive) of the user's next click: in the middle of the larger error; None if there is none.

    With `random` the point is chosen as by `random_point`.
    """
    missing, surplus = wanted & ~answer, answer & ~wanted
    depths = [depth(missing), depth(surplus)]
    positive = bool(depths[0].max() >= depths[1].max())
    region = missing if positive else surplus
    point = deepest_point(region) if random is None else random_point(region, random)
    return None if point is None else (*point, positive)


def stroke(region: NDArray[np.bool_], random: np.random.Generator) -> Points:
    """Points (N, 2) of a rough straight stroke through `region`, those that fall inside it."""
    cells = np.argwhere(region)[:, ::-1]
    ends = cells[random.integers(len(cells), size=2)].astype(np.float64)
    count = int(random.integers(4, 13))
    points = ends[0] + np.linspace(0, 1, count)[:, None] * (ends[1] - ends[0])
    inside = region[np.round(points[:, 1]).astype(int), np.round(points[:, 0]).astype(int)]
    return np.asarray(points[inside])


def spoiled(wanted: NDArray[np.bool_], random: np.random.Generator) -> Plane:
    """An inaccurate outline of the object: too fat or thin, coarse, shifted, cut or spilled."""
    height, width = wanted.shape
    mask = wanted.astype(np.uint8)
    size = max(4.0, float(np.sqrt(mask.sum())))
    if random.random() < 0.5:
        radius = int(random.integers(1, max(2, int(0.12 * size)) + 1))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        change = cv2.erode if random.random() < 0.5 else cv2.dilate
        mask = np.asarray(change(mask, kernel), np.uint8)
    if random.random() < 0.4:
        step = max(1, int(size / random.uniform(6, 28)))
        small = cv2.resize(mask.astype(np.float32), (max(2, width // step), max(2, height // step)), interpolation=3)
        mask = (cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5).astype(np.uint8)
    if random.random() < 0.6:
        rim = np.argwhere(wanted)[:, ::-1]
        for _ in range(int(random.integers(1, 4))):
            centre = rim[random.integers(len(rim))] + random.normal(0, 0.15 * size, 2)
            axes = np.maximum(1, random.uniform(0.08, 0.4, 2) * size).astype(int)
            angle, value = float(random.uniform(0, 180)), int(random.random() < 0.5)
            point = (round(float(centre[0])), round(float(centre[1])))
            cv2.ellipse(mask, point, (int(axes[0]), int(axes[1])), angle, 0, 360, value, -1)
    if random.random() < 0.3:
        shift = random.normal(0, 0.05 * size, 2)
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
        mask = np.asarray(cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_NEAREST), np.uint8)
    plane = mask.astype(np.float32)
    if random.random() < 0.5:
        plane = np.clip(cv2.GaussianBlur(plane, (0, 0), random.uniform(0.5, 3)), 0, 1).astype(np.float32)
    return plane


def clicked(prompts: Tensor, logits: Tensor, wanted: Tensor, random: np.random.Generator | None) -> Tensor:
    """The prompts after another click on each answer's larger error, with the answer as the previous outline.

    `prompts` (N, 4, H, W), `logits` (N, 1, H, W), `wanted` (N, H, W) uint8; without `random` always the deepest point.
    """
    chance = logits.float().sigmoid()
    result = prompts.clone()
    result[:, 3] = chance[:, 0]
    answers, truths = (chance[:, 0] > 0.5).numpy(), (wanted > 127).numpy()
    for number, (answer, truth) in enumerate(zip(answers, truths, strict=True)):
        click = next_click(answer, truth, random)
        if click is not None:
            x, y, positive = click
            draw_clicks(result[number, 1 if positive else 2].numpy(), np.array([[x, y]]))
    return result
