"""Networks that find boxes and no masks: each layout gives the box that was put into it, and proposals are boxes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import maskwright as mw
import tiny_models
from maskwright.document.values import InstanceState
from maskwright.errors import ModelError
from maskwright.formats.boxes import is_box
from maskwright.inference.candidates import Candidates
from maskwright.inference.thresholds import Thresholds
from maskwright.prelabel.proposing import Proposer
from shared_data import shared_path

SIDE = 64
CELLS = 8 * 8 + 4 * 4 + 2 * 2
IMAGE = np.zeros((32, 64, 3), np.uint8)
"""In a square input it has 16 of padding above and below, or 32 below, or is stretched to twice its height."""
BOX = (8.0, 4.0, 40.0, 24.0)
"""x1, y1, x2, y2 in the image."""


def saved(folder: Path, outputs: Mapping[str, Any], **notes: str) -> Path:
    tensors = {name: np.asarray(value, np.float32) for name, value in outputs.items()}
    return tiny_models.saved(folder / "boxes.xml", {"images": (1, 3, SIDE, SIDE)}, tensors, notes=notes)


def centred(x1: float, y1: float, x2: float, y2: float) -> list[float]:
    return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]


LETTERBOXED = (8, 20, 40, 40)
STRETCHED = (8 / 64, 8 / 64, 40 / 64, 48 / 64)


def anchors() -> dict[str, Any]:
    table = np.zeros((1, 4 + 3, CELLS))
    table[0, :, 5] = [*centred(*LETTERBOXED), 0.1, 0.9, 0.2]
    return {"output0": table}


def grid() -> dict[str, Any]:
    table = np.zeros((1, 3 * CELLS, 5 + 3))
    table[0, 7] = [*centred(*LETTERBOXED), 0.9, 0.1, 1, 0]
    return {"output0": table}


def yolox() -> dict[str, Any]:
    """Cell 3, 1 of the grid of 8 x 8; the image lies in the upper left corner."""
    table = np.full((1, CELLS, 5 + 3), -9.0)
    table[..., 4:] = 0
    x, y, w, h = centred(*BOX)
    table[0, 8 + 3] = [x / 8 - 3, y / 8 - 1, np.log(w / 8), np.log(h / 8), 0.9, 0.1, 1, 0]
    return {"output": table}


def rows() -> dict[str, Any]:
    return {"output0": [[[*LETTERBOXED, 0.9, 1], [0, 0, 0, 0, 0, 0]]]}


def ssd() -> dict[str, Any]:
    return {"detection_out": [[[[0, 2, 0.9, *STRETCHED], [-1, 0, 0, 0, 0, 0, 0], [0, 1, 0.9, 0, 0, 1, 1]]]]}


def listed() -> dict[str, Any]:
    return {"boxes": [[8, 8, 40, 48, 0.9], [0, 0, 0, 0, 0]], "labels": [1, 0]}


def queries() -> dict[str, Any]:
    return {"pred_boxes": [[centred(*STRETCHED), [0, 0, 0, 0]]], "logits": [[[-9, 2.2, -9], [-9, -9, -9]]]}


def detr() -> dict[str, Any]:
    logits = np.zeros((1, 2, 92))
    logits[0, 0, 18], logits[0, 1, 91] = 9, 9
    return {"pred_boxes": [[centred(*STRETCHED), [0, 0, 0, 0]]], "pred_logits": logits}


LAYOUTS = {f.__name__: f for f in (anchors, grid, yolox, rows, ssd, listed, queries)}
NAMES = {"label_names": '["a", "b", "c"]', "labels": "a b c"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_box_comes_out_where_it_was_put(tmp_path: Path, layout: str) -> None:
    notes = NAMES
    if layout == "listed":  # a placeholder stands first in these
        notes = {"label_names": '["x", "a", "b", "c"]', "labels": "x a b c"}
    model = mw.load_model(saved(tmp_path, LAYOUTS[layout](), **notes), precision="f32")
    (found,) = model.predict(IMAGE).select()
    assert model.finds_boxes_only
    assert found.bbox_xyxy == pytest.approx(BOX, abs=0.02)
    assert (found.category_name, round(found.score, 1)) == ("b", 0.9)


def test_the_published_detr_counts_by_ids_and_has_a_class_for_nothing(tmp_path: Path) -> None:
    (found,) = mw.load_model(saved(tmp_path, detr()), precision="f32").predict(IMAGE).select()
    assert (found.category_id, found.category_name) == (18, "dog")
    assert found.bbox_xyxy == pytest.approx(BOX, abs=0.02)


def test_mask_and_outline_are_the_box(tmp_path: Path) -> None:
    candidates = mw.load_model(saved(tmp_path, rows())).predict(IMAGE)
    (found,) = Candidates.from_bytes(candidates.to_bytes()).select()
    assert found.is_box
    assert found.mask.sum() == 32 * 20
    assert found.polygons[0].bounds_xyxy == pytest.approx(BOX, abs=0.02)
    assert "segmentation" not in found.to_coco(1)
    assert candidates.to_arrays()["mask"].shape == (1, 32, 64)


def test_what_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    nan = float("nan")
    wrong = [[nan, 0, 9, 9, 0.9, 1], [20, 20, 10, 30, 0.9, 1], [8, 20, 40, 40, 1.7, 1], [8, 20, 40, 40, 0.9, 99]]
    wrong += [
        [-500, 20, -400, 40, 0.9, 1],
        [8, 20, 8.1, 40, 0.9, 1],
        [8, 20, 40, 40, nan, 1],
        [8, 20, 40, 40, 0.9, nan],
    ]
    assert len(mw.load_model(saved(tmp_path, {"output0": [wrong]}, **NAMES)).predict(IMAGE)) == 0


def test_other_tables_are_not_taken_for_boxes(tmp_path: Path) -> None:
    for outputs in ({"hidden": np.zeros((1, 197, 768))}, {"logits": np.zeros((1, 50, 30))}):
        with pytest.raises(ModelError):
            mw.load_model(saved(tmp_path, outputs))


def test_names_that_do_not_fit_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="2 labels for 3 classes"):
        mw.load_model(saved(tmp_path, anchors(), labels="a b"))


def test_proposals_are_boxes_until_somebody_outlines_them(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), IMAGE)
    model = mw.load_model(saved(tmp_path, rows(), **NAMES))
    with mw.Project.create(tmp_path / "images") as project:
        project.scan()
        (image,) = project
        proposer = Proposer.of(project, model, model.labels, Thresholds())
        proposer.store(project, image.id, model.predict(IMAGE))
        (proposed,) = project.instances.of(image.id)
        assert (proposed.state, is_box(proposed)) == (InstanceState.PROPOSED, True)
        project.accept(image)
        mw.export_annotations(project, tmp_path / "out.json")
        project.edit(image, proposed.id, polygons=[[(8, 4), (40, 4), (30, 20)]])
        assert not is_box(project.instances.of(image.id)[0])
    content = (tmp_path / "out.json").read_text()
    assert '"segmentation":[]' in content
    assert '"bbox":[8' in content


def test_a_published_yolox_finds_what_is_there() -> None:
    model = mw.load_model(shared_path("models/yolox_nano/yolox_nano.onnx"), precision="f32")
    picture = shared_path("coco/val")
    truth = json.loads(shared_path("coco/val.json").read_text())
    people = {c["id"] for c in truth["categories"] if c["name"] == "person"}
    hits = total = 0
    for image in truth["images"][:12]:
        found = [
            f.bbox_xyxy for f in model.predict(picture / image["file_name"]).select(score=0.3) if f.category_id == 1
        ]
        for each in truth["annotations"]:
            x, y, w, h = each["bbox"]
            if (
                each["image_id"] == image["id"]
                and each["category_id"] in people
                and w * h > 96**2
                and not each["iscrowd"]
            ):
                total += 1
                hits += any(_iou((x, y, x + w, y + h), box) > 0.5 for box in found)
    assert total >= 3
    assert hits / total > 0.7


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(w, 0) * max(h, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
