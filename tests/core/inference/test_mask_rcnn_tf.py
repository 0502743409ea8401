from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike

import tiny_graphdef
from maskwright.errors import ModelError
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright.inference.model import Model, load_model

IMAGE = np.zeros((20, 40, 3), np.uint8)


def five_outputs(**changed: ArrayLike) -> Mapping[str, ArrayLike]:
    """Three rows, of which two are detections: a car on the left half and a category that COCO never used."""
    return {
        "detection_boxes": [[[0, 0, 1, 0.5], [0, 0.5, 1, 1], [0, 0, 0, 0]]],
        "detection_classes": [[3, 12, 1]],
        "detection_masks": np.ones((1, 3, 5, 5)),
        "detection_scores": [[0.9, 0.8, 0]],
        "num_detections": [2],
        **changed,
    }


def frozen(tmp_path: Path, **changed: ArrayLike) -> Model:
    return load_model(tiny_graphdef.frozen_graph(tmp_path / "frozen.pb", five_outputs(**changed)), precision="f32")


def test_a_frozen_graph_is_read_directly(tmp_path: Path) -> None:
    model = frozen(tmp_path)
    car, other = model.predict(IMAGE).select()
    assert (model.family, model.labels) == ("mask_rcnn_tf", COCO_CATEGORIES)
    assert (car.category_id, car.category_name, car.score) == (3, "car", pytest.approx(0.9))
    assert car.bbox_xyxy == (0, 0, 20, 20)
    assert car.mask[5:15, :20].all()
    assert not car.mask[:, 20:].any()
    assert (other.category_id, other.category_name) == (12, "category 12")


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        pytest.param({"num_detections": [1]}, 1, id="fewer stated"),
        pytest.param({"num_detections": [300]}, 2, id="more stated than rows"),
        pytest.param({"num_detections": [np.nan]}, 2, id="stated NaN"),
        pytest.param({"num_detections": [0]}, 0, id="nothing found"),
        pytest.param({"detection_scores": [[0.9, 1.7, 0]]}, 1, id="score above one"),
        pytest.param({"detection_boxes": np.full((1, 3, 4), np.nan)}, 0, id="boxes NaN"),
        pytest.param({"detection_masks": np.full((1, 3, 5, 5), np.nan)}, 0, id="masks NaN"),
    ],
)
def test_which_rows_count(tmp_path: Path, changed: dict[str, ArrayLike], count: int) -> None:
    assert len(frozen(tmp_path, **changed).predict(IMAGE).select()) == count


def test_a_graph_without_masks_is_told_as_such(tmp_path: Path) -> None:
    outputs = dict(five_outputs())
    del outputs["detection_masks"]
    with pytest.raises(ModelError, match=r"finds only boxes.*detection_boxes"):
        load_model(tiny_graphdef.frozen_graph(tmp_path / "frozen.pb", outputs))


def test_raw_tensors_may_carry_port_numbers(tmp_path: Path) -> None:
    tensors = {f"{name}:0": np.asarray(value, np.float32) for name, value in five_outputs().items()}
    assert len(frozen(tmp_path).decode(tensors, (40, 20))) == 2
