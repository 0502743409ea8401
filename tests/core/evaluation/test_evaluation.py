import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

import tiny_models
from maskwright.errors import FormatError
from maskwright.evaluation import evaluate_model, evaluate_predictions
from maskwright.evaluation.truth import category_map
from maskwright.inference.model import Model, load_model
from shared_data import shared_path

SIDE = 40


def rectangle(x: float, y: float, w: float, h: float) -> list[list[float]]:
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


def annotation(key: int, image_id: int, category_id: int, box: tuple[float, float, float, float]) -> dict[str, Any]:
    bbox = list(box)
    parts = {"segmentation": rectangle(*box), "bbox": bbox, "area": box[2] * box[3], "iscrowd": 0}
    return {"id": key, "image_id": image_id, "category_id": category_id, **parts}


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Two black images; the tiny YOLACT sees a cat and a dog on each, the dog on the first one is not there."""
    left, right = (0, 0, SIDE / 2, SIDE), (SIDE / 2, 0, SIDE / 2, SIDE)
    dataset = {
        "images": [{"id": k, "file_name": f"{k}.png", "width": SIDE, "height": SIDE} for k in (1, 2)],
        "categories": [{"id": 1, "name": "cat"}, {"id": 5, "name": "dog"}],
        "annotations": [annotation(1, 1, 1, left), annotation(2, 2, 5, right), annotation(3, 2, 1, left)],
    }
    for image in dataset["images"]:
        cv2.imwrite(str(tmp_path / image["file_name"]), np.zeros((SIDE, SIDE, 3), np.uint8))
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(dataset))
    return path


def tiny(folder: Path, labels: str) -> Model:
    return load_model(tiny_models.yolact(folder / "tiny.xml", notes={"labels": labels}), precision="f32")


def test_a_false_detection_costs_half_of_its_class(truth: Path) -> None:
    seen: list[tuple[int, int]] = []
    model = tiny(truth.parent, "cat dog")
    report = evaluate_model(model, truth, truth.parent, on_progress=lambda *done: seen.append(done))
    assert report.segm["AP"] == pytest.approx(0.75)  # cat: perfect; dog: the first of its two detections is false
    assert report.bbox["AR"] == pytest.approx(1)
    assert (report.image_count, report.truth_count, report.prediction_count) == (2, 3, 4)
    assert seen[-1] == (2, 2)


def test_an_unreadable_image_is_a_failure_and_the_rest_goes_on(truth: Path) -> None:
    (truth.parent / "1.png").write_text("no image")
    report = evaluate_model(tiny(truth.parent, "cat dog"), truth, truth.parent)
    assert [name for name, _ in report.failures] == ["1.png"]
    assert report.prediction_count == 2


def test_an_image_of_another_size_is_a_failure(truth: Path) -> None:
    cv2.imwrite(str(truth.parent / "2.png"), np.zeros((SIDE, 7, 3), np.uint8))
    report = evaluate_model(tiny(truth.parent, "cat dog"), truth, truth.parent)
    assert report.failures == (("2.png", f"is 7x{SIDE}, but the ground truth says {SIDE}x{SIDE}"),)


def test_classes_outside_the_ground_truth_are_named_and_not_judged(truth: Path) -> None:
    report = evaluate_model(tiny(truth.parent, "cat horse"), truth, truth.parent)
    assert report.prediction_count == 2
    assert any("horse" in note for note in report.notes)
    assert any("dog" in note for note in report.notes)


def test_a_cap_over_a_hundred_raises_max_dets_and_says_so(truth: Path) -> None:
    report = evaluate_model(tiny(truth.parent, "cat dog"), truth, truth.parent, max_instances=500)
    assert report.max_dets == 500
    assert any("maxDets" in note for note in report.notes)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param([(9, "Dog"), (4, "cat")], {9: 5, 4: 1}, id="names decide"),
        pytest.param([(1, "kitten"), (7, "cow")], {1: 1}, id="ids where no name fits"),
    ],
)
def test_categories_are_paired(own: list[tuple[int, str]], expected: dict[int, int]) -> None:
    assert category_map(own, [{"id": 1, "name": "cat"}, {"id": 5, "name": "dog"}])[0] == expected


def test_a_single_class_is_paired_with_a_single_class() -> None:
    found, notes = category_map([(3, "cell")], [{"id": 1, "name": "nucleus"}])
    assert found == {3: 1}
    assert notes == ("evaluated under another name: cell as nucleus",)


def test_the_ground_truth_judged_by_itself_is_perfect(truth: Path) -> None:
    report = evaluate_predictions(truth, truth)
    assert report.segm["AP"] == pytest.approx(1)
    assert report.bbox["AP"] == pytest.approx(1)


def test_a_dataset_with_other_ids_and_folders_is_matched_by_name(truth: Path) -> None:
    dataset = json.loads(truth.read_text())
    for image in dataset["images"]:
        image.update(id=image["id"] + 50, file_name=f"photos\\{image['file_name']}")
    for category in dataset["categories"]:
        category["id"] += 10
    for entry in dataset["annotations"]:
        entry.update(image_id=entry["image_id"] + 50, category_id=entry["category_id"] + 10)
    other = truth.with_name("other.json")
    other.write_text(json.dumps(dataset))
    assert evaluate_predictions(other, truth).segm["AP"] == pytest.approx(1)


def test_scores_among_the_attributes_count(truth: Path) -> None:
    dataset = json.loads(truth.read_text())
    false_one = annotation(9, 1, 5, (0, 0, SIDE / 2, SIDE))
    dataset["annotations"] = [{**entry, "attributes": {"score": 0.9}} for entry in dataset["annotations"]]
    dataset["annotations"].insert(0, {**false_one, "attributes": {"score": 0.1}})
    other = truth.with_name("other.json")
    other.write_text(json.dumps(dataset))
    assert evaluate_predictions(other, truth).segm["AP"] == pytest.approx(1)


def test_results_may_hold_rle_of_either_kind(truth: Path) -> None:
    full = coco_mask.frPyObjects(rectangle(0, 0, SIDE / 2, SIDE), SIDE, SIDE)[0]
    plain = {"size": [SIDE, SIDE], "counts": [0, SIDE * SIDE // 2, SIDE * SIDE // 2]}
    entries = [
        {"image_id": 1, "category_id": 1, "score": 0.9, "segmentation": {**full, "counts": full["counts"].decode()}},
        {"image_id": 2, "category_id": 1, "score": 0.8, "segmentation": plain},
    ]
    assert evaluate_predictions(entries, truth).segm["AP"] == pytest.approx(0.5)


def test_no_predictions_give_zero(truth: Path) -> None:
    assert evaluate_predictions([], truth).segm["AP"] == 0


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"segmentation": []}, id="no polygon"),
        pytest.param({"segmentation": None}, id="no segmentation"),
        pytest.param({"segmentation": {"size": [1, 1], "counts": [1]}}, id="another size"),
        pytest.param({"segmentation": rectangle(0, 0, 5, 5), "score": float("nan")}, id="score NaN"),
    ],
)
def test_a_damaged_detection_is_refused(truth: Path, entry: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="invalid detection"):
        evaluate_predictions([{"image_id": 1, "category_id": 1, "score": 0.5, **entry}], truth)


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"images": 3}'])
def test_a_file_that_is_no_ground_truth_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "odd.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=r"odd\.json: (not|the file is empty)"):
        evaluate_predictions([], path)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_the_yolact_stand_in_reaches_its_reference_figure() -> None:
    model = load_model(shared_path("models/standin_yolact_interface/standin-yolact-interface.xml"), precision="f32")
    report = evaluate_model(model, shared_path("coco/val.json"), shared_path("coco/val"), nms_iou=0.5)
    assert report.segm["AP"] >= 0.143


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_the_mask_rcnn_stand_in_reaches_its_reference_figure() -> None:
    """A minute and more of computing, whose length says nothing about whether the figure is right: no limit."""
    model = load_model(shared_path("models/standin_maskrcnn_interface/standin-maskrcnn-nchw.xml"), precision="f32")
    report = evaluate_model(model, shared_path("coco/val.json"), shared_path("coco/val"), nms_iou=0.5)
    assert report.segm["AP"] >= 0.230
