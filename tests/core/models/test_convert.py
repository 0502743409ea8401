import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoint
import tiny_graphdef
import tiny_models
import tiny_onnx
from maskwright.errors import ModelError
from maskwright.inference.model import load_model
from maskwright.models.convert import FileKind, convert
from maskwright.models.yolact_graph import anchor_boxes

FIVE = {
    "detection_boxes": [[[0, 0, 1, 1]]],
    "detection_classes": [[3]],
    "detection_masks": np.ones((1, 1, 5, 5)),
    "detection_scores": [[0.9]],
    "num_detections": [1],
}


@pytest.mark.parametrize("form", ["legacy", "zip"])
def test_a_yolact_checkpoint_becomes_a_model(tmp_path: Path, form: tiny_checkpoint.Format) -> None:
    source = tiny_checkpoint.saved(tmp_path / "net.pth", tiny_checkpoint.yolact_weights(), form)
    made = convert(source, tmp_path / "out")
    model = load_model(made.path, precision="f32")
    assert (made.family, made.kind, model.family, model.name) == ("yolact", FileKind.CHECKPOINT, "yolact", "net")
    assert len(model.labels) == 2
    candidates = model.predict(np.full((30, 40, 3), 90, np.uint8))
    assert np.isfinite(candidates.boxes_xyxy).all()
    assert sorted(path.name for path in made.path.parent.iterdir()) == ["net.bin", "net.xml"]


def test_eighty_classes_are_cocos(tmp_path: Path) -> None:
    weights = tiny_checkpoint.yolact_weights(classes=81)
    model = load_model(convert(tiny_checkpoint.saved(tmp_path / "n.pth", weights), tmp_path).path)
    assert (model.labels[0].name, model.labels[-1].id) == ("person", 90)


def test_more_blocks_are_another_resnet(tmp_path: Path) -> None:
    weights = tiny_checkpoint.yolact_weights(blocks=(1, 2, 3, 1), width=2)
    made = convert(tiny_checkpoint.saved(tmp_path / "n.pth", weights), tmp_path)
    assert 'value="resnet23"' in made.path.read_text()


def test_full_weights_are_kept_when_asked_for(tmp_path: Path) -> None:
    source = tiny_checkpoint.saved(tmp_path / "net.pth", tiny_checkpoint.yolact_weights())
    half = convert(source, tmp_path / "half").path.with_suffix(".bin").stat().st_size
    full = convert(source, tmp_path / "full", precision="f32").path.with_suffix(".bin").stat().st_size
    assert full > 1.3 * half  # the anchors stay f32 in both


def test_missing_weights_are_named(tmp_path: Path) -> None:
    weights = tiny_checkpoint.yolact_weights()
    del weights["fpn.lat_layers.1.weight"]
    with pytest.raises(ModelError, match=r"net\.pth: 1 weights are missing: fpn\.lat_layers\.1\.weight"):
        convert(tiny_checkpoint.saved(tmp_path / "net.pth", weights), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_weights_of_wrong_shape_are_refused(tmp_path: Path) -> None:
    weights = tiny_checkpoint.yolact_weights()
    weights["fpn.lat_layers.1.weight"] = np.zeros((8, 5, 1, 1), np.float32)
    with pytest.raises(ModelError, match=r"net\.pth: the weights are inconsistent"):
        convert(tiny_checkpoint.saved(tmp_path / "net.pth", weights), tmp_path)


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    source = tiny_checkpoint.saved(tmp_path / "net.pth", {"layer.weight": np.zeros(3, np.float32)})
    with pytest.raises(ModelError, match=r"not the weights of a YOLACT.*layer\.weight"):
        convert(source, tmp_path)


def test_a_frozen_graph_is_saved_as_ir(tmp_path: Path) -> None:
    made = convert(tiny_graphdef.frozen_graph(tmp_path / "m.pb", FIVE), tmp_path / "out")
    assert made.family == "mask_rcnn_tf"
    assert len(load_model(made.path).predict(np.zeros((20, 20, 3), np.uint8)).select()) == 1


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as target:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    return path


def test_the_published_archive_is_opened(tmp_path: Path) -> None:
    graph = tiny_graphdef.frozen_graph(tmp_path / "m.pb", FIVE).read_bytes()
    members = {"model/pipeline.config": b"x", "model/frozen_inference_graph.pb": graph}
    made = convert(archive(tmp_path / "mask_rcnn.tar.gz", members), tmp_path / "out")
    assert (made.path.name, made.family) == ("mask_rcnn.xml", "mask_rcnn_tf")


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({"a/../../frozen_inference_graph.pb": b"x"}, "outside its folder", id="escape"),
        pytest.param({"/etc/frozen_inference_graph.pb": b"x"}, "outside its folder", id="absolute"),
        pytest.param({"readme": b"x"}, "0 files called frozen_inference_graph.pb", id="no graph"),
        pytest.param({"a/frozen_inference_graph.pb": b"x", "b/frozen_inference_graph.pb": b"y"}, "2 files", id="two"),
    ],
)
def test_archives_that_are_not_right_are_refused(tmp_path: Path, members: dict[str, bytes], reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        convert(archive(tmp_path / "m.tar.gz", members), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_that_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    member = tarfile.TarInfo("frozen_inference_graph.pb")
    member.size = 5 << 30
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(member.tobuf() + bytes(10_000_000)))
    with pytest.raises(ModelError, match=r"bomb\.tar\.gz: refused: it unpacks to more than 4 GB"):
        convert(path, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_onnx_file_keeps_the_names_that_its_exporter_noted(tmp_path: Path) -> None:
    outputs = {"output0": np.zeros((1, 300, 38)), "output1": np.zeros((1, 32, 20, 20))}
    source = tiny_onnx.onnx_model(tmp_path / "net.onnx", outputs, notes={"names": "{0: 'red fox', 1: 'owl'}"})
    made = convert(source, tmp_path / "out")
    assert (made.kind, made.family) == (FileKind.ONNX, "yolo_seg")
    assert [label.name for label in load_model(made.path).labels] == ["red fox", "owl"]


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.tar.gz", {"frozen_inference_graph.pb": np.random.default_rng(0).bytes(5000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelError, match=r"not a complete \.tar\.gz"):
        convert(path, tmp_path / "out")


def test_an_ir_is_copied_with_its_notes(tmp_path: Path) -> None:
    source = tiny_models.yolact(tmp_path / "tiny.xml", notes={"labels": "cat dog"})
    model = load_model(convert(source, tmp_path / "out").path)
    assert [label.name for label in model.labels] == ["cat", "dog"]


def test_a_pixel_format_that_is_given_is_noted_for_good(tmp_path: Path) -> None:
    source = tiny_models.seeing_yolact(tmp_path / "eye.xml")
    made = convert(source, tmp_path / "out", precision="f32", pixels="rgb")
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 0] = 255
    assert load_model(source, precision="f32").predict(blue).classes.tolist() == [0]
    assert load_model(made.path, precision="f32").predict(blue).classes.tolist() == [2]


def test_a_file_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"123")
    with pytest.raises(ModelError, match="not a known kind of model file"):
        convert(path, tmp_path)


def test_anchors_are_those_of_the_published_network() -> None:
    boxes = anchor_boxes([(69, 69), (35, 35), (18, 18), (9, 9), (5, 5)])
    assert boxes.shape == (19248, 4)
    np.testing.assert_allclose(boxes[0], (0.0072464, 0.0072464, 0.0436364, 0.0436364), atol=1e-7)
    np.testing.assert_allclose(boxes[1, 2:], 0.0308556, atol=1e-7)
    np.testing.assert_allclose(boxes[-1], (0.9, 0.9, 0.9873782, 0.9873782), atol=1e-7)
