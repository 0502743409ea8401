"""Random crops with matching label maps, and colour changes that a microscope could cause; needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.training.dataset import TrainingSample

SCALE_RANGE = (0.6, 2.6)
MEDIAN_SIZE_RANGE_PX = (8.0, 64.0)
ASPECT_LOG_LIMIT = 0.2
ROTATION_LIMIT_DEG = 20.0
CENTRED_SHARE = 0.5
SMALLEST_REMNANT_PX = 6


@dataclass(frozen=True, slots=True)
class Crop:
    """A training crop; row i of `boxes` is label i + 1."""

    image: NDArray[np.uint8]  # (S, S, 3) RGB
    labels: NDArray[np.int16]  # (S, S)
    boxes: NDArray[np.float32]  # (N, 4) xyxy on pixel edges
    categories: NDArray[np.int64]  # (N,)


def random_crop(sample: TrainingSample, random: np.random.Generator, *, size: int) -> Crop:
    """A square crop of `size` pixels, randomly warped and recoloured."""
    matrix = _random_matrix(sample, random, size=size)
    image = cv2.warpAffine(sample.image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    labels = cv2.warpAffine(sample.labels, matrix, (size, size), flags=cv2.INTER_NEAREST)
    turns, mirrored = int(random.integers(4)), bool(random.random() < 0.5)
    image, labels = np.rot90(image, turns), np.rot90(labels, turns)
    if mirrored:
        image, labels = image[:, ::-1], labels[:, ::-1]
    kept, boxes, present = compacted(labels.astype(np.int16))
    return Crop(
        image=recoloured(np.ascontiguousarray(image, dtype=np.uint8), random),
        labels=kept,
        boxes=boxes,
        categories=sample.categories[present],
    )


def compacted(
    labels: NDArray[np.int16],
) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.int64]]:
    """Renumber the remaining labels as 1..N; returns also their boxes (N, 4) xyxy and former positions (N,) int64.

    Remnants of a few pixels at the border become background.
    """
    y, x = np.nonzero(labels)
    values = labels[y, x]
    counts = np.bincount(values)
    present = np.flatnonzero(counts >= SMALLEST_REMNANT_PX)
    number = np.zeros(max(len(counts), 1), np.int16)
    number[present] = np.arange(1, len(present) + 1)
    row = number[values].astype(np.int64) - 1
    y, x, row = y[row >= 0], x[row >= 0], row[row >= 0]
    boxes = np.empty((len(present), 4), np.float32)
    boxes[:, :2], boxes[:, 2:] = np.inf, -np.inf
    for column, (position, lower) in enumerate([(x, True), (y, True), (x, False), (y, False)]):
        (np.minimum if lower else np.maximum).at(boxes[:, column], row, position + (0 if lower else 1))
    return number[labels], boxes, present - 1


def recoloured(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Random grey, permutation, inversion, tint, gamma, gain, blur and noise, each with its own probability."""
    colour = image.astype(np.float32) / 255
    if random.random() < 0.15:
        colour = np.repeat(colour.mean(2, keepdims=True), 3, axis=2)
    if random.random() < 0.15:
        colour = colour[..., random.permutation(3)]
    if random.random() < 0.1:
        colour = 1 - colour
    if random.random() < 0.5:
        colour = colour ** np.float32(np.exp(random.uniform(-0.5, 0.5)))
    if random.random() < 0.6:
        colour = colour * np.float32(np.exp(random.uniform(-0.6, 0.5))) + np.float32(random.uniform(-0.06, 0.06))
    if random.random() < 0.3:
        colour = colour * np.exp(random.uniform(-0.3, 0.3, 3)).astype(np.float32)
    if random.random() < 0.15:
        colour = np.asarray(cv2.GaussianBlur(colour, (0, 0), random.uniform(0.4, 1.6)), dtype=np.float32)
    if random.random() < 0.2:
        noise = random.standard_normal(colour.shape[:2], dtype=np.float32)[..., None]
        colour = colour + noise * np.float32(random.uniform(0.005, 0.05))
    return np.asarray(np.clip(colour * 255 + 0.5, 0, 255), dtype=np.uint8)


def _random_matrix(sample: TrainingSample, random: np.random.Generator, *, size: int) -> NDArray[np.float64]:
    """(2, 3) affine matrix from the image to the crop, for pixel centres at integers."""
    height, width = sample.labels.shape
    scale = _random_scale(sample, random, size=size)
    aspect = np.exp(random.uniform(-ASPECT_LOG_LIMIT, ASPECT_LOG_LIMIT) / 2)
    angle = np.deg2rad(random.uniform(-ROTATION_LIMIT_DEG, ROTATION_LIMIT_DEG)) * (random.random() < 0.5)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([scale * aspect, scale / aspect])
    # The crop's centre in the image: anywhere that fills the crop, or near an instance.
    margin = np.minimum(size / 2 / scale, np.array([width, height]) / 2)
    centre = random.uniform(margin, np.array([width, height]) - margin + 1e-6)
    if random.random() < CENTRED_SHARE:
        y, x = np.nonzero(sample.labels)
        pick = random.integers(len(x))
        near = np.array([x[pick], y[pick]]) + random.normal(0, size / 6 / scale, 2)
        centre = np.clip(near, margin, np.array([width, height]) - margin)
    return np.hstack([linear, (np.array([size / 2, size / 2]) - linear @ centre)[:, None]])


def _random_scale(sample: TrainingSample, random: np.random.Generator, *, size: int) -> float:
    """Log-uniform, then adjusted so that the median instance stays within the sizes that the network is for.

    Small images are hardly reduced: most of the crop would be empty, and inference enlarges small images.
    """
    areas = np.bincount(sample.labels.ravel())[1:]
    median_px = float(np.sqrt(np.median(areas[areas > 0])))
    lowest = min(1.0, max(SCALE_RANGE[0], 0.75 * size / max(sample.labels.shape)))
    scale = np.exp(random.uniform(np.log(lowest), np.log(SCALE_RANGE[1])))
    return float(np.clip(scale, MEDIAN_SIZE_RANGE_PX[0] / median_px, MEDIAN_SIZE_RANGE_PX[1] / median_px))


# Rare kinds of micrographs are sampled more often than their share.
