"""Generated ground with pits and domes in it: objects that differ from what is around them by their shading alone."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.training.assist.objects import Object, ObjectSet, Picture, cut_object, levels_of

SIDE_PX = 384
RADII_PX = (6.0, 100.0)
MOST_FORMS = 14
Field = NDArray[np.float32]


def relief_objects(*, pictures: int, share: float, seed: int = 0) -> ObjectSet:
    """`pictures` grounds of their own, with up and down meaning nothing in them."""
    made = [_picture(np.random.default_rng((seed, number))) for number in range(pictures)]
    return ObjectSet("relief", tuple(made), share, turns=True)


def _picture(random: np.random.Generator) -> Picture:
    height = ground(random, SIDE_PX) * np.float32(random.uniform(0.2, 3.0))
    tone = 1 + np.float32(random.uniform(0, 0.25)) * ground(random, SIDE_PX)
    found: list[Object] = []
    for _ in range(int(random.integers(2, MOST_FORMS))):
        inside = _add_form(height, tone, random)
        cut = cut_object(inside)
        if cut is not None:
            found.append(cut)
    if not found:
        return _picture(random)
    return Picture(levels_of(_lit(height, tone, random)), tuple(found))


def ground(random: np.random.Generator, side: int) -> Field:
    """(side, side) float32 of about unit deviation: noise at several scales, the coarser the stronger."""
    total = np.zeros((side, side), np.float32)
    fall = random.uniform(0.5, 0.9)
    for octave in range(1, 7):
        cells = random.standard_normal((2**octave + 2, 2**octave + 2), dtype=np.float32)
        total += np.float32(fall**octave) * np.asarray(cv2.resize(cells, (side, side), interpolation=cv2.INTER_CUBIC))
    return np.asarray(total / (total.std() + 1e-6), np.float32)


def _add_form(height: Field, tone: Field, random: np.random.Generator) -> NDArray[np.uint8]:
    """Press one pit or dome into the ground, in place; what it covers, its rim included, as 0/1."""
    radius = float(np.exp(random.uniform(*np.log(RADII_PX))))
    away = _distance(height.shape[0], radius, random)
    crest, floor = random.uniform(0.6, 0.92), random.uniform(0.1, 0.55)
    depth = radius * random.uniform(0.12, 0.5)
    wall = np.clip((away - floor) / (crest - floor), 0, 1) ** random.uniform(1, 2)
    slope = np.clip((1.02 - away) / (1.02 - crest), 0, 1) ** 2
    rim = random.uniform(0.1, 0.5) * np.where(away < crest, wall, slope)
    form = depth * (np.where(away < crest, wall - 1, 0) + rim)
    if random.random() < 0.2:
        form = -form
    old = np.clip((away - 0.5) / 0.5, random.uniform(0.2, 0.9), 1)
    height[:] = height * old + form
    if random.random() < 0.35:
        tone[away < crest] *= np.float32(random.uniform(0.7, 1.25))
    return (away < 1).astype(np.uint8)


def _distance(side: int, radius: float, random: np.random.Generator) -> Field:
    """(side, side): distance from the middle of a form, 1 on its outline, which is nearly a circle."""
    x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) + 0.5 - random.uniform(0, side) for _ in "xy"))
    turn, stretch = random.uniform(0, np.pi), random.uniform(1, 1.2)
    across, along = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    angle = np.arctan2(along, across)
    edge, rough = np.ones_like(angle), random.uniform(0, 0.03)
    for order in (2, 3, 4, 5, 7):
        edge += np.float32(random.normal(0, rough)) * np.cos(order * angle + random.uniform(0, 2 * np.pi))
    return np.asarray(np.hypot(across / stretch, along * stretch) / (radius * edge), np.float32)


def _lit(height: Field, tone: Field, random: np.random.Generator) -> NDArray[np.uint8]:
    """(side, side, 3) RGB uint8: the ground in slanting light."""
    down, right = np.gradient(height)
    steep = random.uniform(0.5, 1.5)
    towards, up = random.uniform(0, 2 * np.pi), np.deg2rad(random.uniform(15, 65))
    light = np.cos(up) * np.cos(towards), np.cos(up) * np.sin(towards), np.sin(up)
    facing = (light[2] - steep * (right * light[0] + down * light[1])) / np.sqrt(1 + steep**2 * (right**2 + down**2))
    shade = tone * (random.uniform(0.1, 0.5) + np.clip(facing, 0, None))
    shade = cv2.GaussianBlur(shade.astype(np.float32), (0, 0), random.uniform(0.3, 1.2))
    shade = shade / shade.mean() * random.uniform(70, 170)
    shade += random.normal(0, random.uniform(0.5, 7), shade.shape)
    tint = 1 + random.normal(0, random.choice([0.0, 0.12]), 3)
    return np.asarray(np.clip(shade[..., None] * tint, 0, 255), np.uint8)
