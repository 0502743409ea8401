import json
from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
from typer.testing import CliRunner

import tiny_checkpoint
import tiny_models
from maskwright import models
from maskwright.cli.app import app
from maskwright.errors import ModelError
from maskwright.images.kind import spread
from maskwright.inference.adapters.pixels import float_tensor
from maskwright.inference.interface import ImageInput
from maskwright.inference.model import load_model
from maskwright.inference.runtime import after_last_weights
from maskwright.models.convert import convert
from maskwright.models.quantise import Cost, cost, quantise


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{k}.png" for k in range(10)]
    for path in paths:
        cv2.imwrite(str(path), rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    return paths


def test_too_few_readable_images_are_refused(tmp_path: Path, images: list[Path]) -> None:
    images[0].write_text("no image")
    with pytest.raises(ModelError, match="9 images could be read; calibration needs at least 10"):
        quantise(tiny_models.yolact(tmp_path / "tiny.xml"), images, tmp_path / "out")


def test_float_tensors_are_what_the_graph_would_make_of_pixels() -> None:
    pixels = np.array([[[[10, 20, 30]]]], np.uint8)
    wanted = ImageInput(layout="NCHW", is_rgb=True, mean=(1.0, 2.0, 3.0), scale=(1.0, 2.0, 1.0))
    assert float_tensor(pixels, wanted).tolist() == [[[[29.0]], [[9.0]], [[7.0]]]]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    pytest.importorskip("nncf", exc_type=ImportError)
    weights = tiny_checkpoint.yolact_weights()
    return convert(tiny_checkpoint.saved(tmp_path / "net.pth", weights), tmp_path / "f", precision="f32").path


def test_a_quantised_model_answers_alike(tmp_path: Path, network: Path, images: list[Path]) -> None:
    made = quantise(network, images, tmp_path / "out")
    assert "FakeQuantize" in made.read_text()
    image = cv2.imread(str(images[0]))
    before, after = (load_model(path, precision="f32").predict(np.asarray(image, np.uint8)) for path in (network, made))
    assert load_model(made).labels == load_model(network).labels
    assert np.median(np.abs(np.sort(before.scores)[-50:] - np.sort(after.scores)[-50:])) < 0.05


def test_decoding_inside_the_graph_stays_exact(tmp_path: Path, network: Path, images: list[Path]) -> None:
    """Boxes come out of additions and products behind the last convolution; eight bits ruin them."""
    graph = openvino.Core().read_model(quantise(network, images, tmp_path / "out"))
    behind = {
        op.get_friendly_name(): op for op in graph.get_ops() if op.get_friendly_name() in after_last_weights(graph)
    }
    kinds = {op.get_type_name() for op in behind.values()}
    assert {"Exp", "Multiply", "Add", "Softmax"} <= kinds
    assert "FakeQuantize" not in kinds


def test_operations_that_share_a_name_do_not_matter(tmp_path: Path, network: Path, images: list[Path]) -> None:
    graph = openvino.Core().read_model(network)
    for op in graph.get_ops():
        if op.get_type_name() == "Relu":
            op.set_friendly_name("relu")
    twins = tmp_path / "twins.xml"
    openvino.save_model(graph, twins)
    assert load_model(quantise(twins, images, tmp_path / "out")).family == "yolact"


def test_a_model_that_is_refused_replaces_nothing(tmp_path: Path, network: Path, images: list[Path]) -> None:
    def refuses(made: Path) -> None:
        assert load_model(made).family == "yolact"
        raise ModelError("too bad")

    earlier = tmp_path / "out" / "net-int8.xml"
    earlier.parent.mkdir()
    earlier.write_text("an earlier one")
    with pytest.raises(ModelError, match="too bad"):
        quantise(network, images, earlier.parent, judge=refuses)
    assert [path.name for path in earlier.parent.iterdir()] == ["net-int8.xml"]
    assert earlier.read_text() == "an earlier one"


def test_images_are_taken_from_all_over_the_folder() -> None:
    paths = [Path(f"{k}") for k in range(10)]
    assert [path.name for path in spread(paths, 4)] == ["0", "2", "5", "7"]
    assert spread(paths, 20) == paths


@pytest.fixture
def truth(tmp_path: Path, images: list[Path]) -> Path:
    """Left half class 1, right half class 2 in every image: what `tiny_models.yolact` sees."""
    halves = [(1, [0, 0, 16, 24]), (2, [16, 0, 16, 24])]
    boxes = [(image, *half) for image in range(len(images)) for half in halves]
    content = {
        "images": [{"id": k, "file_name": path.name, "width": 32, "height": 24} for k, path in enumerate(images)],
        "categories": [{"id": k, "name": f"category {k}"} for k in (1, 2)],
        "annotations": [
            {"id": k, "image_id": image, "category_id": category, "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0,
             "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]]}
            for k, (image, category, (x, y, w, h)) in enumerate(boxes, 1)
        ],
    }  # fmt: skip
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(content))
    return path


def test_what_accuracy_it_costs_is_measured_on_a_ground_truth(tmp_path: Path, truth: Path) -> None:
    good = tiny_models.yolact(tmp_path / "good.xml")
    blind = tiny_models.yolact(tmp_path / "blind.xml", conf=[[[0.1, 0.9, 0.0], [1.0, 0.0, 0.0]]])
    found = cost(good, blind, truth, tmp_path)
    assert found.ap_before == pytest.approx(1)
    assert found.change == pytest.approx(-0.5)


@pytest.mark.parametrize(("limit", "code"), [("0.6", 0), ("0.1", 1)], ids=["kept", "refused"])
def test_the_command_tells_the_cost_and_keeps_no_bad_copy(
    tmp_path: Path, images: list[Path], truth: Path, monkeypatch: pytest.MonkeyPatch, limit: str, code: int
) -> None:
    pytest.importorskip("nncf", exc_type=ImportError)
    monkeypatch.setattr(models.quantise, "cost", lambda *_: Cost(0.9, 0.4, 1.0, 0.5))
    out = tmp_path / "out"
    source = convert(tiny_checkpoint.saved(tmp_path / "n.pth", tiny_checkpoint.yolact_weights()), tmp_path / "f").path
    command = ["models", "quantize", source, images[0].parent, "--out", out, "--truth", truth, "--largest-drop", limit]
    result = CliRunner().invoke(app, [*map(str, command), "--json"], catch_exceptions=False)
    said = json.loads(result.stdout)
    assert result.exit_code == code
    if code:
        assert "0.900 before, 0.400 after (-0.500)" in said["error"]
        assert list(out.iterdir()) == []
    else:
        assert said["cost"]["change"] == pytest.approx(-0.5)
