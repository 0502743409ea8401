from pathlib import Path

import numpy as np
import pytest

import tiny_models
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright.inference.model import load_model
from shared_data import shared_path

IMAGE = np.zeros((20, 20, 3), np.uint8)  # fitted to 40 x 40 of the 60 x 40 input
END = [-1, 0, 0, 0, 0, 0, 0]
UNUSED = [0, 0, 0, 0, 0, 0, 0]
FULL = np.ones((4, 90, 5, 5))


def row(label: float = 3, score: float = 0.9, box: tuple[float, ...] = (0.0, 0.0, 1 / 3, 1.0)) -> list[float]:
    return [0, label, score, *box]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_padding_is_undone_in_both_layouts(tmp_path: Path, layout: str) -> None:
    path = tiny_models.mask_rcnn(tmp_path / "m.xml", [row(), END, UNUSED, UNUSED], FULL, layout=layout)
    (found,) = load_model(path, precision="f32").predict(IMAGE).select()
    assert found.bbox_xyxy == pytest.approx((0, 0, 10, 20))
    assert (found.category_id, found.category_name) == (3, "car")
    assert found.mask[5:15, :10].all()  # corners of a full map are round: zero lies on two sides of them
    assert not found.mask[:, 10:].any()


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        pytest.param([row(), END, row(score=0.8), row()], 1, id="first marker ends"),
        pytest.param([row(), UNUSED, row(), row()], 1, id="zero confidence ends"),
        pytest.param([row(1), row(2), row(3), row(4)], 4, id="no marker when full"),
        pytest.param([END, UNUSED, UNUSED, UNUSED], 0, id="nothing found"),
        pytest.param([row(91), row(0), row(2), END], 1, id="unknown labels"),
        pytest.param([row(score=np.nan), row(2), END, UNUSED], 1, id="NaN score"),
        pytest.param([row(box=(0.5, 0.5, 0.1, 0.1)), row(2), END, UNUSED], 1, id="inverted box"),
        pytest.param([row(box=(np.inf, 0, np.inf, 1)), row(2), END, UNUSED], 1, id="infinite box"),
    ],
)
def test_which_rows_count(tmp_path: Path, rows: list[list[float]], count: int) -> None:
    path = tiny_models.mask_rcnn(tmp_path / "m.xml", rows, FULL)
    assert len(load_model(path).predict(IMAGE).select()) == count


def test_the_mask_of_the_predicted_class_is_taken(tmp_path: Path) -> None:
    masks = np.zeros((4, 90, 5, 5))
    masks[0, 2] = 1
    path = tiny_models.mask_rcnn(tmp_path / "m.xml", [row(3), row(4), END, UNUSED], masks)
    assert [found.category_id for found in load_model(path).predict(IMAGE).select()] == [3]


def test_ids_that_coco_never_used_are_tolerated_but_not_offered(tmp_path: Path) -> None:
    model = load_model(tiny_models.mask_rcnn(tmp_path / "m.xml", [row(12), END, UNUSED, UNUSED], FULL))
    assert model.predict(IMAGE).select()[0].category_name == "category 12"
    assert model.labels == COCO_CATEGORIES


def test_more_rows_than_masks_are_cut(tmp_path: Path) -> None:
    model = load_model(tiny_models.mask_rcnn(tmp_path / "m.xml", [row(), row(2), END, UNUSED], FULL))
    rows = np.array([row(1), row(2), row(3)], np.float32)
    assert len(model.decode({"reshape_do_2d": rows, "masks": FULL[:2].astype(np.float32)}, (20, 20))) == 2


@pytest.mark.parametrize("name", ["reshape_do_2d/sink_port_0", "reshape_do_2d:0", "something/else"])
def test_names_seen_in_the_wild(tmp_path: Path, name: str) -> None:
    path = tiny_models.saved(
        tmp_path / "m.xml",
        {"image_tensor": (1, 3, 40, 60), "image_info": (1, 3)},
        {name: np.array([row(), END]), "masks": np.ones((2, 90, 5, 5))},
    )
    assert load_model(path).family == "mask_rcnn"


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_the_image_is_fitted_into_the_upper_left_of_the_published_input(tmp_path: Path, layout: str) -> None:
    """As the accuracy checker does: scale min(800 / H, 1365 / W), whole pixels rounded down, black around, and the
    size of the whole input told beside it."""
    shape = (1, 3, 800, 1365) if layout == "NCHW" else (1, 800, 1365, 3)
    outputs = {"reshape_do_2d": [END], "masks": np.ones((1, 90, 5, 5))}
    path = tiny_models.saved(tmp_path / "m.xml", {"image_tensor": shape, "image_info": (1, 3)}, outputs)
    pixels, info = load_model(path).feeds(np.full((427, 640, 3), 255, np.uint8)).values()
    assert info.tolist() == [[800, 1365, 1]]
    assert pixels.shape == (1, 800, 1365, 3)
    width = int(800 / 427 * 640)
    assert pixels[0, :, :width].min() == 255
    assert pixels[0, :, width:].max() == 0


def test_masks_are_close_to_the_reference_paste() -> None:
    """oracle/mask_rcnn.npz holds the accuracy checker's paste, which rounds boxes; ours samples exactly."""
    stored = np.load(shared_path("oracle/mask_rcnn.npz"))
    model = load_model(shared_path("models/standin_maskrcnn_interface/standin-maskrcnn-nhwc.xml"))
    tensors = {"reshape_do_2d": stored["det"], "masks": stored["masks"].astype(np.float32)}
    found = model.decode(tensors, (int(stored["W"]), int(stored["H"]))).select(0.05, 1.0)
    masks = np.unpackbits(stored["ref_masks"])[: np.prod(stored["ref_masks_shape"])]
    masks = masks.reshape(stored["ref_masks_shape"]).astype(bool)
    assert [instance.category_id for instance in found] == stored["det"][: len(found), 1].astype(int).tolist()
    ious = [(a.mask & b).sum() / (a.mask | b).sum() for a, b in zip(found, masks, strict=True)]
    sides = [min(x2 - x1, y2 - y1) for x1, y1, x2, y2 in (instance.bbox_xyxy for instance in found)]
    assert np.mean(ious) >= 0.96
    assert min(iou for iou, side in zip(ious, sides, strict=True) if side > 60) >= 0.90
