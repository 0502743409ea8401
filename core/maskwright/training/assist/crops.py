"""One training crop: a window, its target object, and a first prompt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.bundled.drawing import draw_box, draw_clicks
from maskwright.samples.shapes import ShapeSettings, outline
from maskwright.training.assist import prompts, windows
from maskwright.training.assist.objects import Object, ObjectSet, PicturePyramid, cut_object
from maskwright.training.assist.windows import Box, Warp

SMALLEST_VISIBLE_CELLS = 12
PASTE_CHANCE = 0.25
NEW_PLACE_CHANCE = 0.12
INVENTED_CHANCE = 0.06


class Ask(StrEnum):
    """What the user gives first."""

    BOX = "box"
    CLICK = "click"
    OUTLINE = "outline"


ASK_CHANCES = {Ask.BOX: 0.48, Ask.CLICK: 0.36, Ask.OUTLINE: 0.16}


@dataclass(frozen=True, slots=True)
class PromptCrop:
    """`image` (S, S, 3) RGB, `wanted` (S/2, S/2) coverage 0..255, `prompt` (4, S/2, S/2) 0..255; all uint8."""

    image: NDArray[np.uint8]
    wanted: NDArray[np.uint8]
    prompt: NDArray[np.uint8]


class CropMaker:
    """Samples crops from object sets; all randomness comes from the generator passed to `crop`."""

    def __init__(self, sets: list[ObjectSet]) -> None:
        self._sets = sets
        self._set_chances = np.array([one.share for one in sets]) / sum(one.share for one in sets)
        self._chances = [one.chances() for one in sets]

    def crop(self, random: np.random.Generator, *, size: int) -> PromptCrop:
        """A crop of `size` x `size` pixels with its object visible."""
        while True:
            crop = self._try(random, size)
            if crop is not None:
                return crop

    def _draw(self, random: np.random.Generator) -> tuple[ObjectSet, PicturePyramid, Object]:
        chosen = int(random.choice(len(self._sets), p=self._set_chances))
        pairs, chances = self._chances[chosen]
        i, j = pairs[random.choice(len(pairs), p=chances)]
        picture = self._sets[chosen].pictures[i]
        return self._sets[chosen], picture, picture.objects[j]

    def _try(self, random: np.random.Generator, size: int) -> PromptCrop | None:
        origin, picture, wanted = self._draw(random)
        ask = Ask(random.choice(list(ASK_CHANCES), p=list(ASK_CHANCES.values())))
        if ask is Ask.CLICK and origin.parts and random.random() < 0.7:
            ask = Ask.BOX
        boxed, window = _window(wanted, picture, ask, random)
        warp = windows.warp_window(window, size=size, turn=windows.random_turn(random, any_way_up=origin.turns))
        image, mask = self._scene(random, origin, picture, wanted, warp)
        region = mask > 127
        if np.count_nonzero(region) < SMALLEST_VISIBLE_CELLS:
            return None
        prompt = _first_prompt(region, _box_of(region, random) if boxed else None, ask, random)
        return PromptCrop(recoloured(image, random), mask, (prompt * 255 + 0.5).astype(np.uint8))

    def _scene(
        self, random: np.random.Generator, origin: ObjectSet, picture: PicturePyramid, wanted: Object, warp: Warp
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The warped image and mask; sometimes with another background, or with something in front."""
        image, mask = warp.picture(picture), warp.mask(wanted.mask, wanted.corner_xy)
        chance = random.random()
        if origin.turns or chance > PASTE_CHANCE + NEW_PLACE_CHANCE + INVENTED_CHANCE:
            return image, mask
        _, other, object_there = self._draw(random)
        placed = _onto(object_there, wanted, warp, random)
        if chance < NEW_PLACE_CHANCE:
            # The target object stays; its surroundings are taken from elsewhere.
            return _blend(placed.picture(other), image, _full(mask, warp.size)), mask
        if chance < NEW_PLACE_CHANCE + INVENTED_CHANCE:
            shape = _invented(wanted, random)
            mask = warp.mask(shape.mask, shape.corner_xy) if shape is not None else mask
            return _blend(image, placed.picture(other), _full(mask, warp.size)), mask
        front = placed.mask(object_there.mask, object_there.corner_xy)
        left = np.asarray(cv2.subtract(mask, front), np.uint8)
        if np.count_nonzero(left > 127) < 0.4 * np.count_nonzero(mask > 127):
            return image, mask
        return _blend(image, placed.picture(other), _full(front, warp.size)), left


def recoloured(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Grey, tint, gain, gamma and inversion through one lookup table per channel; sometimes blur or noise."""
    if random.random() < 0.12:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if random.random() < 0.05:
        image = image[..., random.permutation(3)]
    if random.random() < 0.7:
        value = np.linspace(0, 1, 256)[:, None]
        curve = value ** np.exp(random.uniform(-0.4, 0.4)) * np.exp(random.uniform(-0.4, 0.3))
        curve = curve * np.exp(random.uniform(-0.15, 0.15, 3)) + random.uniform(-0.06, 0.06)
        if random.random() < 0.04:
            curve = 1 - curve
        table = np.clip(curve * 255, 0, 255).astype(np.uint8)[:, None, :]
        image = np.asarray(cv2.LUT(np.ascontiguousarray(image), table), np.uint8)
    if random.random() < 0.12:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.4, 1.5)), np.uint8)
    if random.random() < 0.1:
        noise = random.standard_normal(image.shape[:2], dtype=np.float32)[..., None] * random.uniform(2, 12)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(image)


def _window(wanted: Object, picture: PicturePyramid, ask: Ask, random: np.random.Generator) -> tuple[bool, Box]:
    """Whether the user drew a box, and the window to show."""
    box = wanted.box_xyxy
    if ask is Ask.BOX:
        margin = windows.BOX_MARGIN * float(np.exp(random.uniform(-0.12, 0.15)))
        share = 0.08 if random.random() < 0.5 else 0.02
        return True, windows.box_window(windows.jittered(box, random, share), margin=margin)
    longer = max(box[2] - box[0], box[3] - box[1], 16.0)
    if ask is Ask.OUTLINE and random.random() < 0.55:
        window = windows.box_window(windows.jittered(box, random, 0.1), margin=float(random.uniform(1.2, 1.9)))
        return random.random() < 0.4, window
    if ask is Ask.OUTLINE:
        ratio = float(random.uniform(0.35, 1.0))
    else:
        ratio = float(np.exp(random.uniform(np.log(0.8), np.log(6.0))))
    height, width = picture.levels[0].shape[:2]
    side = float(np.clip(longer * ratio, windows.SMALLEST_SIDE_PX, 1.2 * max(height, width)))
    stretch = float(np.exp(random.uniform(-0.3, 0.3)))
    point = _point_of(wanted, random, at_rim=ask is Ask.OUTLINE)
    if random.random() < 0.35:
        point = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    centre = np.array(point) + random.normal(0, 0.06 * side, 2)
    return False, windows.around((float(centre[0]), float(centre[1])), (side * stretch, side / stretch))


def _point_of(wanted: Object, random: np.random.Generator, *, at_rim: bool) -> tuple[float, float]:
    region = wanted.mask > 0
    if at_rim:
        inner = np.asarray(cv2.erode(np.pad(wanted.mask, 1), np.ones((3, 3), np.uint8)))[1:-1, 1:-1] > 0
        region = region & ~inner
    cells = np.argwhere(region)
    y, x = cells[random.integers(len(cells))]
    return wanted.corner_xy[0] + float(x) + 0.5, wanted.corner_xy[1] + float(y) + 0.5


def _first_prompt(
    region: NDArray[np.bool_], box: Box | None, ask: Ask, random: np.random.Generator
) -> NDArray[np.float32]:
    planes = np.zeros((4, *region.shape), np.float32)
    if box is not None:
        draw_box(planes[0], box)
    if ask is Ask.OUTLINE:
        planes[3] = prompts.spoiled(region, random)
        if random.random() < 0.75:
            _add_click(planes, prompts.next_click(planes[3] > 0.5, region, random))
        return planes
    if ask is Ask.BOX and random.random() < 0.8:
        return planes
    chance = random.random()
    if ask is Ask.CLICK and chance < 0.12:
        draw_clicks(planes[1], prompts.stroke(region, random))
    inside = prompts.random_point(region, random)
    if inside is not None:
        draw_clicks(planes[1], np.array([inside]))
    if chance > 0.8:
        _several_clicks(planes, region, random)
    return planes


def _several_clicks(planes: NDArray[np.float32], region: NDArray[np.bool_], random: np.random.Generator) -> None:
    reach = max(3, round(0.25 * float(np.sqrt(region.sum()))))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near = (np.asarray(cv2.dilate(region.astype(np.uint8), kernel)) > 0) & ~region
    for _ in range(int(random.integers(1, 6))):
        positive = random.random() < 0.5
        cells = np.argwhere(region if positive else near)[:, ::-1]
        if len(cells):
            draw_clicks(planes[1 if positive else 2], cells[random.integers(len(cells))][None].astype(float))


def _add_click(planes: NDArray[np.float32], click: tuple[float, float, bool] | None) -> None:
    if click is not None:
        x, y, positive = click
        draw_clicks(planes[1 if positive else 2], np.array([[x, y]]))


def _box_of(region: NDArray[np.bool_], random: np.random.Generator) -> Box:
    """The object's box as a user draws it, half of the time carefully; in cells of the prompt."""
    x, y, width, height = cv2.boundingRect(region.astype(np.uint8))
    return windows.jittered((x, y, x + width, y + height), random, 0.1 if random.random() < 0.5 else 0.02)


def _onto(other: Object, wanted: Object, warp: Warp, random: np.random.Generator) -> Warp:
    """A warp that shows `other` near `wanted`, at about its size."""
    scale = np.sqrt(wanted.area / other.area) * np.exp(random.uniform(-0.7, 0.5))
    x0, y0, x1, y1 = wanted.box_xyxy
    ox0, oy0, ox1, oy1 = other.box_xyxy
    size = np.array([x1 - x0, y1 - y0])
    target = np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + random.normal(0, 0.5, 2) * size
    shift = target - scale * np.array([(ox0 + ox1) / 2, (oy0 + oy1) / 2])
    linear = warp.matrix[:, :2] * scale
    return Warp(np.hstack([linear, (warp.matrix[:, :2] @ shift + warp.matrix[:, 2])[:, None]]), warp.size)


def _invented(wanted: Object, random: np.random.Generator) -> Object | None:
    """A random rough blob in place of `wanted`, to be filled with another image's texture."""
    height, width = wanted.mask.shape
    settings = ShapeSettings(1, (1, 1), elongation=0.8, roughness=float(random.uniform(0.02, 0.18)))
    points = outline(random, 0.45 * float(np.sqrt(height * width)), settings)
    canvas = np.zeros((2 * max(height, width), 2 * max(height, width)), np.uint8)
    centre = canvas.shape[0] / 2
    cv2.fillPoly(canvas, [np.round(points + centre).astype(np.int32)], 1)
    cut = cut_object(canvas)
    if cut is None:
        return None
    x, y = wanted.corner_xy[0] + width / 2 - centre, wanted.corner_xy[1] + height / 2 - centre
    return Object(cut.mask, (round(x) + cut.corner_xy[0], round(y) + cut.corner_xy[1]), cut.area)


def _full(mask: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blend(behind: NDArray[np.uint8], front: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = alpha[..., None].astype(np.uint16)
    return ((behind * (255 - share) + front * share + 127) // 255).astype(np.uint8)
