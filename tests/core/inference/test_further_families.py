"""Families beyond the two seeds, each through a tiny graph and against a decoder written out here.

The decoders are plain: every mask is resized to the whole image by cv2 and thresholded, boxes are mapped back by the
rules of the family. Soft random tensors, so that a shift of half a cell would show.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

import tiny_models
import tiny_onnx
from maskwright.errors import ModelError
from maskwright.inference.candidates import Candidates
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright.inference.model import Model, load_model
from maskwright.inference.prediction import Prediction

Mask = NDArray[np.bool_]
WIDE = np.zeros((60, 100, 3), np.uint8)
"""Laid into an 80 x 80 input: 80 x 48, a scale of 0.8."""
SIDE = 80


def loaded(
    folder: Path,
    outputs: Mapping[str, ArrayLike],
    *,
    notes: Mapping[str, str] | None = None,
    inputs: Mapping[str, tuple[int, ...]] | None = None,
) -> Model:
    shapes = inputs or {"image": (1, 3, SIDE, SIDE)}
    return load_model(tiny_models.saved(folder / "net.xml", shapes, outputs, notes=notes), precision="f32")


def soft(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Smooth noise, finest at a quarter of the grid."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 2, (*shape[:-2], 4, 4)).astype(np.float32)
    flat = [cv2.resize(cell, shape[:-3:-1], interpolation=cv2.INTER_CUBIC) for cell in coarse.reshape(-1, 4, 4)]
    return np.array(flat, np.float32).reshape(shape)


def sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return 1 / (1 + np.exp(-values))


def iou(a: Mask, b: Mask) -> float:
    return float((a & b).sum() / (a | b).sum())


def pasted(heat: NDArray[np.float32], box: NDArray[np.float64], size_wh: tuple[int, int]) -> Mask:
    """A heat map stretched over its box, pixel by pixel, zero around the map."""
    padded = np.pad(heat, 1)
    mask = np.zeros(size_wh[::-1], bool)
    for row in range(size_wh[1]):
        for column in range(size_wh[0]):
            u = (column + 0.5 - box[0]) / (box[2] - box[0]) * heat.shape[1] + 0.5
            v = (row + 0.5 - box[1]) / (box[3] - box[1]) * heat.shape[0] + 0.5
            if 0 <= u < heat.shape[1] + 1 and 0 <= v < heat.shape[0] + 1:
                j, i = int(u), int(v)
                window = padded[i : i + 2, j : j + 2]
                mask[row, column] = np.array([1 - v + i, v - i]) @ window @ np.array([1 - u + j, u - j]) > 0.5
    return mask


def listed(boxes: ArrayLike, labels: ArrayLike, masks: ArrayLike) -> dict[str, ArrayLike]:
    return {"boxes": boxes, "labels": labels, "masks": masks}


BOXES = np.array([[8, 8, 40, 40, 0.9], [30, 20, 72, 44, 0.8]])
HEAT = sigmoid(3 * soft(2, 14, 14) + 2)


def check(found: Prediction, box: NDArray[np.float64], mask: Mask) -> None:
    np.testing.assert_allclose(found.bbox_xyxy, box, atol=1e-4)
    assert iou(found.mask, mask) > 0.99


@pytest.mark.parametrize("batched", [False, True], ids=["unbatched", "batched"])
def test_open_model_zoo_instances_keep_proportions(tmp_path: Path, batched: bool) -> None:
    outputs = listed(BOXES, [0, 79], HEAT)
    if batched:
        outputs = {name: np.asarray(value)[None] for name, value in outputs.items()}
    model = loaded(tmp_path, outputs)
    first, second = model.predict(WIDE).select()
    assert (model.family, first.category_name, second.category_id) == ("instances", "person", 90)
    for found, box, heat in zip((first, second), BOXES, HEAT, strict=True):
        true_box = box[:4] / 0.8
        check(found, true_box.clip(0, (100, 60, 100, 60)), pasted(heat, true_box, (100, 60)))


def test_a_centred_letterbox_is_undone(tmp_path: Path) -> None:
    notes = {"model_type": "MaskRCNN", "resize_type": "fit_to_window_letterbox", "labels": "otx_empty_lbl a b"}
    boxes = BOXES + np.array([0, 16, 0, 16, 0])
    model = loaded(tmp_path, listed(boxes, [1, 0], HEAT), notes=notes)
    found = model.predict(WIDE).select()
    assert [instance.category_name for instance in found] == ["b", "a"]
    for instance, box, heat in zip(found, BOXES, HEAT, strict=True):
        check(instance, box[:4] / 0.8, pasted(heat, box[:4] / 0.8, (100, 60)))


def test_masks_of_detr_kinds_cover_the_input(tmp_path: Path) -> None:
    notes = {"model_type": "DETRInstSeg", "resize_type": "standard", "labels": "empty a", "nms_execute": "True"}
    maps = sigmoid(soft(2, 20, 20))
    found = loaded(tmp_path, listed(BOXES, [0, 0], maps), notes=notes).predict(WIDE).select(nms_iou=1.0)
    for instance, heat in zip(found, maps, strict=True):
        expected = cv2.resize(heat, (100, 60), interpolation=cv2.INTER_LINEAR) > 0.5
        np.testing.assert_array_equal(instance.mask, expected)


def test_outputs_that_explain_are_ignored(tmp_path: Path) -> None:
    explained = {"saliency_map": np.zeros((1, 3, 4, 4)), "feature_vector": np.zeros((1, 9))}
    outputs = {"out_1": BOXES, "out_2": [0, 1], "out_3": HEAT, **explained}
    assert len(loaded(tmp_path, outputs).predict(WIDE).select()) == 2


def yolo_outputs(classes: int = 3, prototypes: int = 4) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Nine anchors, two of which see something."""
    rng = np.random.default_rng(1)
    detections = np.zeros((4 + classes + prototypes, 20), np.float32)
    detections[:4] = np.array([[40, 40, 8, 8]]).T
    detections[:4, 5], detections[:4, 7] = (24, 36, 30, 24), (56, 44, 28, 30)
    detections[4, 5], detections[6, 7] = 0.9, 0.8
    detections[4 + classes :] = rng.normal(0, 2, (prototypes, 20))
    return detections, soft(prototypes, 20, 20, seed=2)


def yolo_mask(
    coefficients: NDArray[np.float32],
    prototypes: NDArray[np.float32],
    box: NDArray[np.floating],
    threshold: float = 0.5,
) -> Mask:
    """On WIDE: logits over the whole input enlarged, the padding cut away, then cut at the box."""
    logits = cv2.resize(np.tensordot(coefficients, prototypes, 1), (100, 100), interpolation=cv2.INTER_LINEAR)
    whole = sigmoid(logits[20:80]) > threshold
    inside = np.zeros_like(whole)
    x1, y1, x2, y2 = np.ceil(box.round(3)).astype(int)  # pixels whose corner lies inside, as in the reference
    inside[max(y1, 0) : y2, max(x1, 0) : x2] = True
    return whole & inside


def test_yolo_seg_equals_a_plain_decoder(tmp_path: Path) -> None:
    detections, prototypes = yolo_outputs()
    notes = {"labels": "cat dog bird", "reverse_input_channels": "YES", "scale_values": "255.0"}
    model = loaded(tmp_path, {"output0": detections[None], "output1": prototypes[None]}, notes=notes)
    found = model.predict(WIDE).select()
    assert model.family == "yolo_seg"
    assert [instance.category_name for instance in found] == ["cat", "bird"]
    for instance, anchor in zip(found, (5, 7), strict=True):
        x, y, width, height = detections[:4, anchor]
        box = (np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) - (0, 16, 0, 16)) / 0.8
        np.testing.assert_allclose(instance.bbox_xyxy, box, atol=1e-3)
        assert iou(instance.mask, yolo_mask(detections[7:, anchor], prototypes, box)) > 0.999


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.9])
def test_yolo_masks_at_any_threshold_equal_a_plain_decoder(tmp_path: Path, threshold: float) -> None:
    detections, prototypes = yolo_outputs()
    model = loaded(tmp_path, {"output0": detections[None], "output1": prototypes[None]})
    candidates = model.predict(WIDE)
    stored = Candidates.from_bytes(candidates.to_bytes())
    for instance, again in zip(*(c.select(mask_threshold=threshold) for c in (candidates, stored)), strict=True):
        box, anchor = instance.bbox_xyxy, 5 if instance.category_id == candidates.categories[0].id else 7
        expected = yolo_mask(detections[7:, anchor], prototypes, np.array(box), threshold)
        assert iou(instance.mask, expected) > 0.999
        assert iou(again.mask, expected) > 0.99


def test_a_yolo_anchor_is_of_its_best_class_unless_all_are_asked_for(tmp_path: Path) -> None:
    detections, prototypes = yolo_outputs()
    detections[5, 5] = 0.6
    model = loaded(
        tmp_path, {"output0": detections[None], "output1": prototypes[None]}, notes={"labels": "cat dog bird"}
    )
    candidates = model.predict(WIDE)
    assert [each.category_name for each in candidates.select()] == ["cat", "bird"]
    assert [each.category_name for each in candidates.select(multi_label=True)] == ["cat", "bird", "dog"]
    assert not candidates.select(categories=[model.labels[1].id])
    again = Candidates.from_bytes(candidates.to_bytes())
    assert len(again.select()) == 2


def yolo_rows() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two rows that overlap a lot, one of a class that nobody named, and two unused ones."""
    rows = np.zeros((5, 6 + 4), np.float32)
    rows[:3, :4] = (9, 20, 45, 60), (10, 20, 46, 60), (0, 16, 9, 40)
    rows[:3, 4:6] = (0.9, 2), (0.8, 2), (0.7, 3)
    rows[:3, 6:] = np.random.default_rng(1).normal(0, 2, (3, 4))
    return rows, soft(4, 20, 20, seed=2)


@pytest.mark.parametrize("shape", [(1, 3, SIDE, SIDE), (-1, 3, -1, -1)], ids=["fixed", "free size"])
def test_yolo_rows_of_an_end_to_end_export_equal_a_plain_decoder(tmp_path: Path, shape: tuple[int, ...]) -> None:
    rows, prototypes = yolo_rows()
    path = tiny_onnx.onnx_model(
        tmp_path / "net.onnx",
        {"output0": rows[None], "output1": prototypes[None]},
        shape=[size if size > 0 else f"free{k}" for k, size in enumerate(shape)],
        notes={"names": "{0: 'cat', 1: 'dog', 2: 'red fox'}", "imgsz": "[80, 80]"},
    )
    model = load_model(path, precision="f32")
    found = model.predict(WIDE).select()
    assert (model.family, [label.name for label in model.labels]) == ("yolo_seg", ["cat", "dog", "red fox"])
    assert [(instance.category_name, round(instance.score, 3)) for instance in found] == [
        ("red fox", 0.9),
        ("red fox", 0.8),  # the network says what stays: nothing is suppressed here
    ]
    for instance, row in zip(found, rows, strict=False):
        box = (row[:4] - (0, 16, 0, 16)) / 0.8
        np.testing.assert_allclose(instance.bbox_xyxy, box, atol=1e-3)
        assert iou(instance.mask, yolo_mask(row[6:], prototypes, box)) > 0.999


@pytest.mark.parametrize("names", ["", "cat, dog", "{0: 'a', 2: 'b'}", "[1, 2]", "(" * 500, "{'a': 'b'}"])
def test_notes_of_an_exporter_that_are_no_names_are_passed_over(tmp_path: Path, names: str) -> None:
    detections, prototypes = yolo_outputs()
    outputs = {"output0": detections[None], "output1": prototypes[None]}
    model = load_model(tiny_onnx.onnx_model(tmp_path / "net.onnx", outputs, notes={"names": names, "imgsz": "x"}))
    assert [label.name for label in model.labels] == ["category 1", "category 2", "category 3"]


def test_a_yolo_with_a_free_size_is_fed_at_the_usual_one(tmp_path: Path) -> None:
    detections, prototypes = yolo_outputs()
    outputs = {"output0": detections[None], "output1": prototypes[None]}
    model = loaded(tmp_path, outputs, inputs={"images": (-1, 3, -1, -1)})
    (pixels,) = model.feeds(WIDE).values()
    assert pixels.shape == (1, 640, 640, 3)


def test_a_yolo_with_other_labels_than_classes_is_refused(tmp_path: Path) -> None:
    detections, prototypes = yolo_outputs()
    with pytest.raises(ModelError, match=r"net\.xml: 1 labels for 3 classes"):
        loaded(tmp_path, {"output0": detections[None], "output1": prototypes[None]}, notes={"labels": "cat"})


@pytest.mark.parametrize("pasting", [False, True], ids=["heat maps", "pasted"])
@pytest.mark.parametrize("shape", [(3, -1, -1), (1, 3, -1, -1)], ids=["no batch", "batch"])
def test_torchvision_takes_the_image_as_it_is(tmp_path: Path, pasting: bool, shape: tuple[int, ...]) -> None:
    boxes = np.array([[10.5, 5, 60, 50], [50, 20, 95, 58]])
    whole = np.stack([pasted(heat, box, (100, 60)) for heat, box in zip(HEAT, boxes, strict=True)])
    masks = (whole.astype(np.float32) if pasting else HEAT)[:, None]
    outputs = {"boxes": boxes, "labels": [1, 90], "scores": [0.9, 0.7], "masks": masks}
    model = loaded(tmp_path, outputs, inputs={"images": shape})
    found = model.predict(WIDE).select()
    assert model.family == "torchvision_mask_rcnn"
    assert [instance.category_name for instance in found] == ["person", "toothbrush"]
    for instance, box, mask in zip(found, boxes, whole, strict=True):
        check(instance, box, mask)


def test_rf_detr_equals_a_plain_decoder(tmp_path: Path) -> None:
    dets = np.array([[0.3, 0.5, 0.4, 0.6], [0.7, 0.4, 0.3, 0.5], [0.5, 0.5, 0.1, 0.1]])
    logits = np.full((3, 91), -9.0)
    logits[0, 1], logits[1, 90] = 3.0, 1.0
    masks = soft(3, 20, 20, seed=3)
    model = loaded(tmp_path, {"dets": dets[None], "labels": logits[None], "4245": masks[None]})
    found = model.predict(WIDE).select()
    assert model.family == "rf_detr"
    assert model.labels == COCO_CATEGORIES
    assert [(i.category_name, i.score) for i in found] == [
        ("person", pytest.approx(sigmoid(np.float32(3)), abs=1e-5)),
        ("toothbrush", pytest.approx(sigmoid(np.float32(1)), abs=1e-5)),
    ]
    for instance, (x, y, width, height), heat in zip(found, dets, masks, strict=False):
        box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) * (100, 60, 100, 60)
        np.testing.assert_allclose(instance.bbox_xyxy, box, atol=1e-3)
        expected = cv2.resize(heat, (100, 60), interpolation=cv2.INTER_LINEAR) > 0
        np.testing.assert_array_equal(instance.mask, expected)


NAN = float("nan")


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param(listed(np.full((2, 5), NAN), [0, 1], HEAT), id="instances"),
        pytest.param(listed(np.zeros((0, 5)), np.zeros(0), np.zeros((0, 14, 14))), id="instances, none"),
        pytest.param(listed(BOXES, [0, 1], np.full((2, 14, 14), NAN)), id="instances, masks"),
        pytest.param(listed(BOXES, [-5, 1000], HEAT), id="instances, labels"),
        pytest.param({"output0": np.full((1, 40, 50), NAN), "output1": np.zeros((1, 32, 8, 8))}, id="yolo_seg"),
        pytest.param(
            {"boxes": np.full((1, 4), NAN), "labels": [1], "scores": [0.9], "masks": np.ones((1, 1, 9, 9))},
            id="torchvision",
        ),
        pytest.param(
            {"dets": np.full((1, 3, 4), NAN), "labels": np.ones((1, 3, 91)), "masks": np.ones((1, 3, 9, 9))},
            id="rf_detr",
        ),
    ],
)
def test_senseless_tensors_give_no_instance(tmp_path: Path, outputs: Mapping[str, ArrayLike]) -> None:
    assert loaded(tmp_path, outputs).predict(WIDE).select() == ()


@pytest.mark.parametrize(
    ("notes", "is_rgb", "scale"),
    [
        pytest.param({}, False, (), id="no notes"),
        pytest.param({"mean_values": "123.675 116.28 103.53", "scale_values": "58.395 57.12 57.375",
                      "reverse_input_channels": "False"}, True, (58.395, 57.12, 57.375), id="mean falls: RGB"),
        pytest.param({"mean_values": "103.53 116.28 123.675"}, False, (), id="mean rises: BGR"),
        pytest.param({"mean_values": "0.485 0.456 0.406", "scale_values": "0.5 0.5 0.5",
                      "intensity_mode": "scale_to_unit"}, True, (127.5,) * 3, id="to one first"),
        pytest.param({"reverse_input_channels": "True", "scale_values": "[255.0]"}, True, (255.0,) * 3, id="one scale"),
        pytest.param({"color_space": "BGR", "mean_values": "9 8 7"}, False, (), id="said outright"),
    ],
)  # fmt: skip
def test_notes_tell_how_pixels_are_wanted(
    tmp_path: Path, notes: dict[str, str], is_rgb: bool, scale: tuple[float, ...]
) -> None:
    model = loaded(tmp_path, listed(BOXES, [0, 1], HEAT), notes=notes)
    wanted = model._adapter.image_input
    assert wanted.is_rgb == is_rgb
    assert wanted.scale == pytest.approx(scale)
