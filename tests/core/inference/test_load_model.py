import logging
from pathlib import Path

import numpy as np
import pytest

import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.installed import FOLDER_VARIABLE
from maskwright.inference.model import load_model
from maskwright.inference.runtime import list_devices
from maskwright.models.install import add_file


def test_same_files_have_the_same_hash(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first = tiny_models.yolact(tmp_path / "one.xml")
    copy = tmp_path / "a" / "one.xml"
    for suffix in (".xml", ".bin"):
        copy.with_suffix(suffix).write_bytes(first.with_suffix(suffix).read_bytes())
    assert load_model(first).content_hash == load_model(copy).content_hash


def test_changed_weights_change_the_hash(tmp_path: Path) -> None:
    path = tiny_models.yolact(tmp_path / "one.xml")
    before = load_model(path).content_hash
    tiny_models.yolact(path, proto=np.full((1, 8, 8, 1), 3.0))
    assert load_model(path).content_hash != before


def test_missing_weights_file_is_named(tmp_path: Path) -> None:
    path = tiny_models.yolact(tmp_path / "one.xml")
    path.with_suffix(".bin").unlink()
    with pytest.raises(ModelError, match=r"one\.xml: .*one\.bin is missing"):
        load_model(path)


def test_truncated_weights_are_refused(tmp_path: Path) -> None:
    path = tiny_models.yolact(tmp_path / "one.xml")
    path.with_suffix(".bin").write_bytes(path.with_suffix(".bin").read_bytes()[:20])
    with pytest.raises(ModelError, match=r"one\.xml: not a readable model"):
        load_model(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"absent\.xml: no such model file"):
        load_model(tmp_path / "absent.xml")


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ModelError, match="no bundled or installed model called nothing-like-it"):
        load_model("nothing-like-it")


def test_a_folder_of_the_same_name_does_not_hide_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    add_file(tiny_models.yolact(tmp_path / "cells.xml"), name="cells")
    (tmp_path / "cells").mkdir()
    assert load_model("cells").name == "cells"


def test_a_path_may_hold_any_characters(tmp_path: Path) -> None:
    folder = tmp_path / "mes modèles 模型"
    folder.mkdir()
    assert load_model(tiny_models.yolact(folder / "réseau 1.xml")).name == "réseau 1"


def test_a_checkpoint_is_sent_to_the_converter(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"net\.pth: the file must be converted first \(maskwright models get FILE"):
        load_model(tmp_path / "net.pth")


def test_text_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_text("hello")
    path.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(ModelError, match="not a readable model"):
        load_model(path)


def test_unknown_outputs_are_listed_with_the_families(tmp_path: Path) -> None:
    path = tiny_models.saved(tmp_path / "odd.xml", {"image": (1, 3, 8, 8)}, {"logits": np.zeros((1, 1000))})
    with pytest.raises(ModelError, match=r"logits \[1, 1000\].*known families: .*yolact.*mask_rcnn"):
        load_model(path)


def test_outputs_with_the_right_names_but_contradicting_shapes_are_not_yolact(tmp_path: Path) -> None:
    path = tiny_models.yolact(tmp_path / "odd.xml", boxes=np.zeros((1, 7, 4)))
    with pytest.raises(ModelError, match="no known model family"):
        load_model(path)


def test_a_network_without_an_input_is_of_no_family(tmp_path: Path) -> None:
    path = tmp_path / "odd.xml"
    path.write_text('<?xml version="1.0"?><net name="n" version="11"/>')
    path.with_suffix(".bin").write_bytes(b"")
    with pytest.raises(ModelError, match="no known model family"):
        load_model(path)


def test_unusable_device_gives_way_to_the_cpu_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tiny_models.yolact(tmp_path / "one.xml")
    with caplog.at_level(logging.INFO):
        model = load_model(path, device="GPU.77")
    assert model.device == "CPU"
    assert model.device_note is not None
    assert "GPU.77" in model.device_note


def test_auto_names_the_device_that_it_chose(tmp_path: Path) -> None:
    model = load_model(tiny_models.yolact(tmp_path / "one.xml"), device="AUTO", precision="f32", num_threads=1)
    assert model.device in list_devices()
    assert model.precision in ("", "f32")
    assert len(model.predict(BLUE).select()) == 2


def test_the_device_asked_for_needs_no_note(tmp_path: Path) -> None:
    model = load_model(tiny_models.yolact(tmp_path / "one.xml"), precision="f32", num_threads=1)
    assert (model.device, model.device_note) == ("CPU", None)


def test_notes_inside_the_file_set_name_labels_and_operating_point(tmp_path: Path) -> None:
    notes = {
        "model_name": "cells",
        "labels": "cell dividing_cell",
        "category_ids": "3 7",
        "score_threshold": "0.35",
        "nms_iou": "0.4",
        "max_instances": "500",
        "mask_parts": "largest",
        "agnostic_nms": "True",
    }
    model = load_model(tiny_models.yolact(tmp_path / "one.xml", notes=notes))
    assert model.name == "cells"
    assert [(label.id, label.name) for label in model.labels] == [(3, "cell"), (7, "dividing cell")]
    assert (model.default_score, model.default_nms_iou, model.max_instances) == (0.35, 0.4, 500)
    assert model.predict(BLUE).defaults.keeps_largest_part
    assert model.predict(BLUE).defaults.is_class_agnostic


@pytest.mark.parametrize(
    "notes",
    [
        pytest.param({"labels": "only_one"}, id="too few labels"),
        pytest.param({"labels": "a b", "category_ids": "1 1"}, id="repeated ids"),
        pytest.param({"labels": "a b", "category_ids": "1 x"}, id="id that is no number"),
        pytest.param({"score_threshold": "high"}, id="score that is no number"),
    ],
)
def test_damaged_notes_are_refused_with_the_file(tmp_path: Path, notes: dict[str, str]) -> None:
    with pytest.raises(ModelError, match=r"one\.xml: the model's"):
        load_model(tiny_models.yolact(tmp_path / "one.xml", notes=notes))


BLUE = np.zeros((16, 16, 3), np.uint8)
BLUE[..., 0] = 255


@pytest.mark.parametrize(
    ("name", "pixels", "loudest"),
    [
        pytest.param("input.1", None, 1, id="converted IR takes BGR"),
        pytest.param("image", None, 3, id="bundled interface takes RGB"),
        pytest.param("input.1", "rgb", 3, id="overridden"),
    ],
)
def test_channel_order_follows_the_interface(tmp_path: Path, name: str, pixels: None, loudest: int) -> None:
    model = load_model(tiny_models.seeing_yolact(tmp_path / "eye.xml", name=name), pixels=pixels, precision="f32")
    candidates = model.predict(BLUE)
    assert candidates.classes.tolist() == [loudest - 1]
    assert candidates.scores == pytest.approx([1.0])


def test_a_network_that_convolves_its_input_is_fed_normalised_rgb(tmp_path: Path) -> None:
    path = tiny_models.seeing_yolact(tmp_path / "eye.xml", convolves=True)
    image = np.full((16, 16, 3), 255, np.uint8)
    raw = load_model(path, precision="f32").predict(image)
    converted = load_model(path, precision="f32", pixels="bgr").predict(image)
    assert len(raw) == 0  # (255 - 124) / 58 over 255 is far below the floor
    assert converted.scores == pytest.approx([1, 1, 1])


def test_free_input_size_keeps_the_image_and_pads_it(tmp_path: Path) -> None:
    path = tiny_models.seeing_yolact(tmp_path / "eye.xml", name="image", shape=(1, 3, -1, -1))
    image = np.full((32, 16, 3), 255, np.uint8)
    candidates = load_model(path, precision="f32").predict(image)
    assert candidates.scores == pytest.approx([0.5] * 3)  # half of the 32 x 32 input is padding
    assert candidates.select(0.4)[0].crop_mask.shape == (32, 16)
