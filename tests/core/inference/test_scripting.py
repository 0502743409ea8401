"""The model as scripts use it: any kind of image, many at a time, results as others want them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

import maskwright as mw
import tiny_models
from maskwright.inference.candidates import Candidates
from maskwright.inference.image_input import image_to_bgr
from maskwright.inference.interface import TensorSpec

SIZE_HW = (48, 64)


@pytest.fixture
def model(tmp_path: Path) -> mw.Model:
    return mw.load_model(tiny_models.yolact(tmp_path / "tiny.xml"))


def noise(*shape: int, dtype: Any = np.uint8) -> Any:
    return np.random.default_rng(0).integers(0, 255, shape).astype(dtype)


def file(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), noise(*SIZE_HW, 3))
    return tmp_path / "a.png"


KINDS: dict[str, Callable[[Path], Any]] = {
    "path": file,
    "str": lambda tmp_path: str(file(tmp_path)),
    "pillow": lambda tmp_path: Image.open(file(tmp_path)),
    "pillow_grey": lambda _: Image.fromarray(noise(*SIZE_HW)),
    "pillow_16": lambda _: Image.fromarray(noise(*SIZE_HW, dtype=np.uint16)),
    "pillow_palette": lambda _: Image.fromarray(noise(*SIZE_HW, 3)).quantize(8),
    "grey": lambda _: noise(*SIZE_HW),
    "grey_channel": lambda _: noise(*SIZE_HW, 1),
    "bgr": lambda _: noise(*SIZE_HW, 3),
    "bgra": lambda _: noise(*SIZE_HW, 4),
    "16_bit": lambda _: noise(*SIZE_HW, dtype=np.uint16) * 200,
    "float": lambda _: noise(*SIZE_HW, 3) / 255.0,
    "view": lambda _: noise(96, 64, 3)[::2],
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_any_image_is_taken(model: mw.Model, tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    assert model.predict(kind(tmp_path)).frame.size_wh == (64, 48)


def test_a_file_and_what_it_holds_are_the_same_image(tmp_path: Path) -> None:
    path = file(tmp_path)
    wanted = noise(*SIZE_HW, 3)
    for image in (path, str(path), Image.open(path), wanted):
        assert np.array_equal(image_to_bgr(image), wanted)


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    clear = np.zeros((*SIZE_HW, 4), np.uint8)
    cv2.imwrite(str(tmp_path / "clear.png"), clear)
    for image in (clear, tmp_path / "clear.png", clear.astype(np.uint16)):
        assert image_to_bgr(image).min() == 255


def test_a_turned_pillow_image_is_upright(tmp_path: Path) -> None:
    turned = Image.fromarray(noise(*SIZE_HW, 3))
    turned.getexif()[0x0112] = 6
    turned.save(tmp_path / "turned.png", exif=turned.getexif())
    for image in (Image.open(tmp_path / "turned.png"), tmp_path / "turned.png"):
        assert image_to_bgr(image).shape == (64, 48, 3)


@pytest.mark.parametrize(
    "wrong", [None, 3, [1, 2], noise(4, 4, 2), noise(0, 4, 3), noise(4), np.array([["a"]])], ids=str
)
def test_what_is_no_image_is_refused(model: mw.Model, wrong: Any) -> None:
    with pytest.raises(mw.InputError, match="expected a"):
        model.predict(wrong)


def test_a_missing_file_is_an_image_error(model: mw.Model, tmp_path: Path) -> None:
    with pytest.raises(mw.ImageError):
        model.predict(str(tmp_path / "none.png"))


def test_a_batch_comes_in_its_order_and_is_read_only_a_little_ahead(model: mw.Model) -> None:
    read: list[int] = []

    def images() -> Any:
        for width in range(20, 80):
            read.append(width)
            yield noise(30, width, 3)

    batch = model.predict_batch(images(), in_flight=2)
    first = next(batch)
    assert isinstance(first, Candidates)
    assert len(read) <= 6
    widths = [each.frame.size_wh[0] for each in (first, *batch) if isinstance(each, Candidates)]
    assert widths == list(range(20, 80))


def test_an_image_that_fails_ends_a_batch_or_comes_out_as_its_error(model: mw.Model, tmp_path: Path) -> None:
    images = [noise(9, 9, 3), tmp_path / "none.png", noise(9, 9, 3)]
    with pytest.raises(mw.ImageError):
        list(model.predict_batch(images))
    kinds = [type(each) for each in model.predict_batch(images, keeps_going=True)]
    assert kinds == [Candidates, mw.ImageError, Candidates]


def test_results_load_in_pycocotools(model: mw.Model, tmp_path: Path) -> None:
    found = model.predict(noise(*SIZE_HW, 3)).to_coco(7, score=0.2)
    truth = {
        "info": {},
        "images": [{"id": 7, "file_name": "a.png", "width": 64, "height": 48}],
        "annotations": [],
        "categories": [{"id": each.id, "name": each.name} for each in model.labels],
    }
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    loaded = COCO(str(tmp_path / "truth.json")).loadRes(json.loads(json.dumps(found)))
    assert sorted(annotation["score"] for annotation in loaded.anns.values()) == pytest.approx([0.8, 0.9])


@pytest.mark.parametrize("score", [0.2, 0.99], ids=["some", "none"])
def test_arrays_have_a_row_for_each_instance(model: mw.Model, score: float) -> None:
    candidates = model.predict(noise(*SIZE_HW, 3))
    arrays = candidates.to_arrays(score=score)
    count = len(candidates.select(score=score))
    assert arrays["mask"].shape == (count, *SIZE_HW)
    assert {len(rows) for rows in arrays.values()} == {count}


@pytest.mark.parametrize(
    "wrong",
    [{"score": -0.1}, {"score": 1.1}, {"score": float("nan")}, {"nms_iou": 2}, {"max_instances": 0}, {"min_iou": 5}],
    ids=str,
)
def test_impossible_thresholds_are_refused(model: mw.Model, wrong: dict[str, Any]) -> None:
    with pytest.raises(mw.InputError, match="expected"):
        model.predict(noise(*SIZE_HW, 3)).select(**wrong)


def test_models_and_results_say_what_they_are(model: mw.Model) -> None:
    assert "yolact" in repr(model)
    assert "64 x 48" in repr(model.predict(noise(*SIZE_HW, 3)))


@pytest.mark.parametrize("device", ["XPU", "cpu", "GPX.0", ""], ids=str)
def test_an_unknown_device_is_an_error(tmp_path: Path, device: str) -> None:
    with pytest.raises(mw.ModelError, match="has no device"):
        mw.load_model(tiny_models.yolact(tmp_path / "tiny.xml"), device=device)


@pytest.mark.parametrize(
    "outputs",
    [
        {"output": (1, 8400, 85)},
        {"output0": (1, 84, 8400)},
        {"output0": (1, 300, 6)},
        {"detection_out": (1, 1, 200, 7)},
        {"logits": (1, 100, 92), "pred_boxes": (1, 100, 4)},
        {"boxes": (100, 5), "labels": (100,)},
        {"a": (1, 255, 13, 13), "b": (1, 255, 26, 26)},
    ],
    ids=["yolox", "yolo_v8", "yolo_v10", "ssd", "detr", "otx", "yolo_v3"],
)
def test_a_detector_of_boxes_is_taken_or_told_as_such(tmp_path: Path, outputs: dict[str, tuple[int, ...]]) -> None:
    tensors = {name: np.zeros(shape, np.float32) for name, shape in outputs.items()}
    path = tiny_models.saved(tmp_path / "boxes.xml", {"images": (1, 3, 640, 640)}, tensors)
    if outputs.keys() == {"a", "b"}:
        with pytest.raises(mw.ModelError, match="finds only boxes, in an unknown layout"):
            mw.load_model(path)
    else:
        assert mw.load_model(path).finds_boxes_only


@pytest.mark.parametrize("shapes", [{"logits": (1, 1000)}, {"out": (1, 21, 64, 64)}], ids=["classes", "pixels"])
def test_other_networks_are_not_taken_for_detectors(shapes: dict[str, tuple[int, ...]]) -> None:
    from maskwright.inference.model import finds_boxes_only

    assert not finds_boxes_only([TensorSpec(frozenset({name}), shape) for name, shape in shapes.items()])
