"""Whatever numbers a network of any family returns: no crash, and nothing invented."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import tiny_graphdef
import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model, load_model

Shapes = Mapping[str, tuple[int, ...]]
ROWS = 6
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1.0, 0.5, 2.0, 1e-30, 3e38, -3e38, 40.0, 1e6)

FAMILIES: dict[str, Shapes] = {
    "yolact": {"conf": (1, ROWS, 3), "boxes": (1, ROWS, 4), "mask": (1, ROWS, 2), "proto": (1, 8, 8, 2)},
    "mask_rcnn": {"reshape_do_2d": (ROWS, 7), "masks": (ROWS, 90, 3, 3)},
    "mask_rcnn_tf": {
        "detection_boxes": (1, ROWS, 4),
        "detection_classes": (1, ROWS),
        "detection_masks": (1, ROWS, 5, 5),
        "detection_scores": (1, ROWS),
        "num_detections": (1,),
    },
    "instances": {"boxes": (ROWS, 5), "labels": (ROWS,), "masks": (ROWS, 5, 5)},
    "torchvision_mask_rcnn": {"boxes": (ROWS, 4), "labels": (ROWS,), "scores": (ROWS,), "masks": (ROWS, 1, 5, 5)},
    "rf_detr": {"dets": (1, ROWS, 4), "labels": (1, ROWS, 5), "masks": (1, ROWS, 6, 6)},
    "yolo_seg": {"output0": (1, 9, 20), "output1": (1, 2, 8, 8)},
    "yolo_seg rows": {"output0": (1, ROWS, 8), "output1": (1, 2, 8, 8)},
}


def loaded(folder: Path, family: str) -> Model:
    outputs = {name: np.zeros(shape, np.float32) for name, shape in FAMILIES[family].items()}
    if family == "mask_rcnn_tf":
        return load_model(tiny_graphdef.frozen_graph(folder / "net.pb", outputs))
    return load_model(tiny_models.saved(folder / "net.xml", {"image": (1, 3, 40, 40)}, outputs))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    known: dict[str, Model] = {}

    def find(family: str) -> Model:
        if family not in known:
            known[family] = loaded(tmp_path_factory.mktemp(family), family)
        return known[family]

    return find


def garbage(shape: tuple[int, ...], seed: int, share: float) -> NDArray[np.float32]:
    """Numbers that a network could return, of any size, with a share of those that it should not."""
    rng = np.random.default_rng(seed)
    kinds = (rng.random(shape), rng.normal(0, 30, shape), rng.integers(-2, 92, shape), rng.random(shape) * 50)
    values = kinds[rng.integers(len(kinds))].astype(np.float32)
    odd = rng.random(shape) < share
    values[odd] = rng.choice(SPECIAL, int(odd.sum()))
    return values


def assert_sound(candidates: Candidates, model: Model, size_wh: tuple[int, int]) -> None:
    """Everything a user would be shown makes sense by itself."""
    width, height = size_wh
    ids = {category.id for category in candidates.categories}
    assert np.isfinite(candidates.boxes_xyxy[candidates.rows]).all()
    for instance in candidates.select(0.05, 0.9):
        x1, y1, x2, y2 = instance.bbox_xyxy
        assert 0 <= x1 < x2 <= width
        assert 0 <= y1 < y2 <= height
        assert 0.05 < instance.score <= 1
        assert instance.category_id in ids
        assert instance.mask.any()
        assert instance.mask.shape == (height, width)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    share=st.sampled_from([0.0, 0.02, 0.3, 1.0]),
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
)
def test_random_tensors_give_sound_instances_or_none(
    models: Callable[[str], Model], family: str, seed: int, share: float, size: tuple[int, int]
) -> None:
    model = models(family)
    assert model.family == family.split()[0]
    outputs = {name: garbage(shape, seed + k, share) for k, (name, shape) in enumerate(FAMILIES[family].items())}
    found = model.decode(outputs, size)
    assert_sound(found, model, size)
    assert_sound(Candidates.from_bytes(found.to_bytes()), model, size)


def resized(shape: tuple[int, ...], change: tuple[int, int]) -> tuple[int, ...]:
    axis, size = change
    return tuple(size if k == axis % len(shape) else length for k, length in enumerate(shape))


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_tensors_of_other_sizes_are_refused_or_cut(
    models: Callable[[str], Model], family: str, data: st.DataObject
) -> None:
    model, shapes = models(family), dict(FAMILIES[family])
    name = data.draw(st.sampled_from(sorted(shapes)))
    shapes[name] = resized(shapes[name], (data.draw(st.integers(0, 3)), data.draw(st.integers(0, 12))))
    outputs: dict[str, NDArray[Any]] = {key: garbage(shape, 7, 0.0) for key, shape in shapes.items()}
    try:
        found = model.decode(outputs, (40, 30))
    except ModelError:
        return
    assert_sound(found, model, (40, 30))
