"""Random crops with matching label maps: scaled, rotated, recoloured, with whole objects of other images pasted
in."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.learning.recipe import Recipe
from maskwright.learning.samples import IGNORED, LearningSample
from maskwright.training.augment import Crop

_SMALLEST_REMNANT_PX = 8
_HIDDEN_SHARE = 0.8
_EDGE_BLUR_PX = 0.8
_NEAR_OBJECT = 0.5


@dataclass(frozen=True, slots=True)
class _Warped:
    image: NDArray[np.uint8]
    labels: NDArray[np.int16]
    categories: NDArray[np.int64]


def random_crop(
    sample: LearningSample, random: np.random.Generator, recipe: Recipe, *, donor: LearningSample | None = None
) -> Crop:
    """A square crop of `recipe.crop` pixels, in whose labels -1 is ignored; `donor` provides whole objects to paste
    in."""
    warped = _warped(sample, random, recipe)
    if donor is not None:
        warped = _with_pasted(warped, _warped(donor, random, recipe), random, recipe)
    kept, boxes, present = _compacted(warped.labels)
    return Crop(_recoloured(warped.image, random, recipe.colour), kept, boxes, warped.categories[present])


def _warped(sample: LearningSample, random: np.random.Generator, recipe: Recipe) -> _Warped:
    size = recipe.crop
    matrix = _matrix(sample, random, recipe)
    image = cv2.warpAffine(sample.image, matrix, (size, size), flags=cv2.INTER_LINEAR)
    labels = cv2.warpAffine(sample.labels, matrix, (size, size), flags=cv2.INTER_NEAREST)
    turns = int(random.integers(4)) if recipe.turns else 0
    image, labels = np.rot90(image, turns), np.rot90(labels, turns)
    if random.random() < 0.5:
        image, labels = image[:, ::-1], labels[:, ::-1]
    return _Warped(np.ascontiguousarray(image, np.uint8), np.ascontiguousarray(labels, np.int16), sample.categories)


def _matrix(sample: LearningSample, random: np.random.Generator, recipe: Recipe) -> NDArray[np.float64]:
    """(2, 3) affine matrix from the sample to the crop, for pixel centres at integers."""
    size = recipe.crop
    height, width = sample.labels.shape
    low, high = np.log(recipe.scale_range)
    scale = np.exp(random.uniform(low, high)) / sample.scale
    aspect = np.exp(random.uniform(-recipe.aspect, recipe.aspect) / 2)
    angle = np.deg2rad(random.uniform(-recipe.rotation_deg, recipe.rotation_deg)) * (random.random() < 0.5)
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([scale * aspect, scale / aspect])
    # A smaller image lies anywhere in the crop; of a larger one the crop may be any part.
    half, inner = size / 2 / scale, np.array([width, height]) / 2
    reach = np.abs(inner - half)
    centre = inner + random.uniform(-reach, reach + 1e-6)
    if len(sample.centres) and random.random() < _NEAR_OBJECT:
        near = sample.centres[random.integers(len(sample.centres))] + random.normal(0, size / 5 / scale, 2)
        centre = np.clip(near, inner - reach, inner + reach)
    return np.hstack([linear, (np.array([size / 2, size / 2]) - linear @ centre)[:, None]])


def _with_pasted(base: _Warped, donor: _Warped, random: np.random.Generator, recipe: Recipe) -> _Warped:
    """Some of the donor's objects that are completely in its crop, pasted over `base` in place, edges blended."""
    whole = _whole_labels(donor.labels)
    if not len(whole):
        return base
    chosen = random.permutation(whole)[: int(random.integers(1, recipe.paste_most + 1))]
    mask = np.isin(donor.labels, chosen)
    before = np.bincount(base.labels[base.labels > 0], minlength=1)
    offset = len(base.categories)
    labels = np.where(mask, donor.labels + np.int16(offset), base.labels).astype(np.int16)
    after = np.bincount(labels[(labels > 0) & (labels <= offset)], minlength=len(before))[: len(before)]
    hidden = np.flatnonzero((before > 0) & (after < (1 - _HIDDEN_SHARE) * before))
    labels[np.isin(labels, hidden) & (labels > 0)] = IGNORED
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _EDGE_BLUR_PX)[..., None]
    image = base.image + alpha * (donor.image.astype(np.float32) - base.image)
    return _Warped(image.astype(np.uint8), labels, np.concatenate([base.categories, donor.categories]))


def _whole_labels(labels: NDArray[np.int16]) -> NDArray[np.int64]:
    """Labels that do not touch the crop's border."""
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    counts = np.bincount(labels[labels > 0], minlength=1)
    counts[border[border > 0]] = 0
    return np.flatnonzero(counts >= _SMALLEST_REMNANT_PX)


def _compacted(labels: NDArray[np.int16]) -> tuple[NDArray[np.int16], NDArray[np.float32], NDArray[np.int64]]:
    """Renumber the remaining labels as 1..N; returns also their boxes (N, 4) xyxy and former positions (N,) int64.

    Remnants of a few pixels at the border are ignored: part of an object, but too little to find.
    """
    counts = np.bincount(labels[labels > 0], minlength=1)
    present = np.flatnonzero(counts >= _SMALLEST_REMNANT_PX)
    number = np.full(max(len(counts), 1), IGNORED, np.int16)
    number[0] = 0
    number[present] = np.arange(1, len(present) + 1)
    renumbered = np.where(labels < 0, np.int16(IGNORED), number[np.maximum(labels, 0)])
    return renumbered, _boxes(renumbered), present - 1


def _boxes(labels: NDArray[np.int16]) -> NDArray[np.float32]:
    """(N, 4) xyxy of labels 1..N, all of which occur; sorts once, which costs a tenth of `minimum.at`."""
    y, x = np.nonzero(labels > 0)
    values = labels[y, x]
    if not len(values):
        return np.zeros((0, 4), np.float32)
    order = np.argsort(values, kind="stable")
    y, x = y[order], x[order]
    starts = np.searchsorted(values[order], np.arange(1, int(values.max()) + 1))
    lows = [np.minimum.reduceat(x, starts), np.minimum.reduceat(y, starts)]
    highs = [np.maximum.reduceat(x, starts) + 1, np.maximum.reduceat(y, starts) + 1]
    return np.stack([*lows, *highs], 1).astype(np.float32)


def _recoloured(image: NDArray[np.uint8], random: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    """Random gamma, gain, slight tint, blur and noise, each with its own probability; one lookup table per channel."""
    levels = np.repeat((np.arange(256, dtype=np.float32) / 255)[:, None], 3, axis=1)
    if random.random() < 0.5:
        levels = levels ** np.float32(np.exp(strength * random.uniform(-0.35, 0.35)))
    if random.random() < 0.6:
        gain = np.exp(strength * random.uniform(-0.35, 0.3))
        levels = levels * np.float32(gain) + np.float32(strength * random.uniform(-0.05, 0.05))
    if random.random() < 0.3:
        levels = levels * np.exp(strength * random.uniform(-0.08, 0.08, 3)).astype(np.float32)
    table = np.clip(levels * 255 + 0.5, 0, 255).astype(np.uint8)
    changed = cv2.LUT(image, table[None])
    if random.random() < 0.1 * strength:
        changed = cv2.GaussianBlur(changed, (0, 0), random.uniform(0.4, 1.2))
    return np.ascontiguousarray(changed, np.uint8)
