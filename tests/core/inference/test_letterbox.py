"""Masks of letterboxed images lie where the tensors say: every pixel's centre is looked up in the prototypes."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import maskwright as mw
import tiny_models

SIDE, CELLS, ANCHORS, CLASSES = 64, 16, 40, 6
CHANCE = np.random.default_rng(5)
PROTOTYPES = np.stack([cv2.GaussianBlur(CHANCE.normal(0, 1, (CELLS, CELLS)), (0, 0), 1.2) for _ in range(4)])
COEFFICIENTS = CHANCE.normal(0, 1, (CLASSES, 4))
BOXES = np.array(
    [[32, 32, 30, 20], [20, 30, 25, 16], [44, 34, 20, 22], [32, 24, 40, 10], [30, 40, 12, 14], [32, 32, 60, 30]]
)
"""Centre x, centre y, width, height in pixels of the input."""
SIZES = [(64, 64), (64, 48), (48, 64), (640, 480), (500, 333), (333, 500), (1280, 717), (30, 19), (37, 64), (101, 57)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> mw.Model:
    table = np.zeros((1, 4 + CLASSES + 4, ANCHORS))
    table[0, :4, :CLASSES] = BOXES.T
    table[0, 4 : 4 + CLASSES, :CLASSES] = np.eye(CLASSES) * 0.9
    table[0, 4 + CLASSES :, :CLASSES] = COEFFICIENTS.T
    path = tmp_path_factory.mktemp("yolo") / "seg.xml"
    outputs = {"output0": table, "output1": PROTOTYPES[None]}
    return mw.load_model(tiny_models.saved(path, {"images": (1, 3, SIDE, SIDE)}, outputs), precision="f32")


def looked_up(number: int, size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """By the definition: resized to fit, laid into the middle, four pixels to a cell."""
    width, height = size_wh
    scale = min(SIDE / width, SIDE / height)
    inner_w, inner_h = round(scale * width), round(scale * height)
    left, above = (SIDE - inner_w) // 2, (SIDE - inner_h) // 2
    x, y = np.arange(width), np.arange(height)
    pitch = SIDE / CELLS
    u = ((x + 0.5) * inner_w / width + left) / pitch - 0.5
    v = ((y + 0.5) * inner_h / height + above) / pitch - 0.5
    logits = np.tensordot(COEFFICIENTS[number], PROTOTYPES, 1).astype(np.float32)
    grid = np.tile(u.astype(np.float32), (height, 1)), np.tile(v.astype(np.float32)[:, None], (1, width))
    cx, cy, w, h = BOXES[number]
    inside_x = (x >= (cx - w / 2 - left) * width / inner_w) & (x < (cx + w / 2 - left) * width / inner_w)
    inside_y = (y >= (cy - h / 2 - above) * height / inner_h) & (y < (cy + h / 2 - above) * height / inner_h)
    sampled = cv2.remap(logits, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray((sampled > 0) & inside_x & inside_y[:, None])


@pytest.mark.parametrize("size_wh", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_masks_are_where_the_tensors_say_at_any_aspect_ratio(model: mw.Model, size_wh: tuple[int, int]) -> None:
    found = model.predict(np.zeros((size_wh[1], size_wh[0], 3), np.uint8)).select(score=0.5, nms_iou=1.0)
    assert len(found) == CLASSES
    for instance in found:
        expected = looked_up(instance.category_id - 1, size_wh)
        differing = np.count_nonzero(instance.mask != expected)
        assert differing <= max(1, 0.001 * expected.sum())  # cv2.remap looks up in steps of 1/32 of a cell
