from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.adapters.pairs import scored_pairs
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Defaults
from shared_data import shared_path

BLACK = np.zeros((20, 40, 3), np.uint8)


def tiny(tmp_path: Path, **tensors: ArrayLike) -> Model:
    return load_model(tiny_models.yolact(tmp_path / "tiny.xml", **tensors), precision="f32")


def test_prediction_of_a_known_answer(tmp_path: Path) -> None:
    left, right = tiny(tmp_path).predict(BLACK).select()
    assert (left.category_id, left.category_name, left.score) == (1, "category 1", pytest.approx(0.9))
    assert left.bbox_xyxy == (0, 0, 20, 20)
    assert left.mask.shape == (20, 40)
    # One prototype cell (5 px) of padding, less half a cell where the last cell fades out.
    assert left.mask[:, :25].all()
    assert not left.mask[:, 25:].any()
    assert right.category_id == 2


def test_raw_tensors_decode_to_the_same_candidates(tmp_path: Path) -> None:
    model = tiny(tmp_path)
    predicted = model.predict(BLACK)
    decoded = model.decode({k: np.asarray(v) for k, v in tiny_models.yolact_outputs().items()}, (40, 20))
    np.testing.assert_array_equal(predicted.boxes_xyxy, decoded.boxes_xyxy)
    np.testing.assert_array_equal(predicted.scores, decoded.scores)


def test_raw_tensors_with_other_names_are_told_by_shape(tmp_path: Path) -> None:
    outputs = {f"out{k}:0": np.asarray(value) for k, value in enumerate(tiny_models.yolact_outputs().values())}
    assert len(tiny(tmp_path).decode(outputs, (40, 20))) == 2


def test_a_missing_tensor_is_an_error_that_lists_what_came(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not the outputs of yolact: conf \[1, 2, 3\]"):
        tiny(tmp_path).decode({"conf": np.zeros((1, 2, 3), np.float32)}, (40, 20))


@pytest.mark.parametrize(
    "tensors",
    [
        pytest.param({"conf": np.full((1, 2, 3), np.nan)}, id="scores NaN"),
        pytest.param({"conf": np.full((1, 2, 3), np.inf)}, id="scores infinite"),
        pytest.param({"conf": np.zeros((1, 2, 3))}, id="zero detections"),
        pytest.param({"boxes": np.full((1, 2, 4), np.nan)}, id="boxes NaN"),
        pytest.param({"boxes": [[[0.9, 0.9, 0.1, 0.1]] * 2]}, id="boxes inverted"),
        pytest.param({"boxes": [[[2, 2, 3, 3]] * 2]}, id="boxes outside"),
        pytest.param({"mask": np.full((1, 2, 1), np.nan)}, id="coefficients NaN"),
        pytest.param({"proto": np.full((1, 8, 8, 1), np.nan)}, id="prototypes NaN"),
        pytest.param({"proto": np.full((1, 8, 8, 1), -9e9)}, id="masks empty"),
    ],
)
def test_senseless_tensors_give_no_instance(tmp_path: Path, tensors: dict[str, ArrayLike]) -> None:
    assert tiny(tmp_path, **tensors).predict(BLACK).select() == ()


def test_box_beyond_the_image_is_clipped(tmp_path: Path) -> None:
    model = tiny(tmp_path, boxes=[[[-0.4, -1.0, 1.4, 2.0]] * 2])
    first = model.predict(BLACK).select()[0]
    assert first.bbox_xyxy == (0, 0, 40, 20)
    assert first.mask.all()


def test_one_pixel_image(tmp_path: Path) -> None:
    found = tiny(tmp_path).predict(np.zeros((1, 1, 3), np.uint8)).select()
    assert [instance.mask.shape for instance in found] == [(1, 1), (1, 1)]


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(np.zeros((4, 4, 2), np.uint8), id="two channels"),
        pytest.param(np.zeros((4, 4, 3), np.complex64), id="complex"),
        pytest.param(np.zeros((0, 4, 3), np.uint8), id="empty"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected a numeric array"):
        tiny(tmp_path).predict(image)


def test_selection_and_masks_equal_the_reference_decoder() -> None:
    """oracle/yolact.npz: what the accuracy checker returns for score > 0.05, per-class NMS 0.5, top 100."""
    stored = np.load(shared_path("oracle/yolact.npz"))
    model = load_model(shared_path("models/standin_yolact_interface/standin-yolact-interface.xml"), precision="f32")
    size_wh = int(stored["W"]), int(stored["H"])
    tensors = {name: stored[f"raw_{name}"] for name in ("conf", "boxes", "mask", "proto")}
    found = list(model.decode(tensors, size_wh).select(0.05, 0.5, 100))
    masks = np.unpackbits(stored["ref_masks"])[: np.prod(stored["ref_masks_shape"])]
    masks = masks.reshape(stored["ref_masks_shape"]).astype(bool)
    ids = [label.id for label in model.labels]
    expected = [k for k in range(len(masks)) if masks[k].any()]
    assert len(found) == len(expected)
    for k in expected:
        box = np.clip(stored["ref_xyxy"][k], 0, size_wh * 2)
        match = next(
            instance
            for instance in found
            if instance.category_id == ids[stored["ref_class0"][k]]
            and abs(instance.score - stored["ref_score"][k]) < 1e-5
            and np.abs(instance.bbox_xyxy - box).max() < 0.01
        )
        found.remove(match)
        assert (match.mask & masks[k]).sum() / (match.mask | masks[k]).sum() >= 0.999


@given(st.integers(0, 40), st.integers(1, 9), st.data())
def test_pairs_above_the_floor_are_found_wherever_they_are(anchors: int, columns: int, data: st.DataObject) -> None:
    picked = data.draw(st.sets(st.tuples(st.integers(0, max(anchors - 1, 0)), st.integers(0, columns - 1))))
    scores = np.full((anchors, columns), 0.01, np.float32)
    for row, column in picked if anchors else ():
        scores[row, column] = 0.5
    pairs = scored_pairs(scores, Defaults())
    expected = np.argwhere(scores > 0.05)
    assert np.stack([pairs.used[pairs.rows], pairs.classes], axis=1).tolist() == expected.tolist()
