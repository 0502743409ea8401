from pathlib import Path

import cv2
import numpy as np
import pytest

import tiny_checkpoint
import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.adapters.pixels import float_tensor
from maskwright.inference.interface import ImageInput
from maskwright.inference.model import load_model
from maskwright.models.convert import convert
from maskwright.models.quantise import quantise


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{k}.png" for k in range(10)]
    for path in paths:
        cv2.imwrite(str(path), rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    return paths


def test_too_few_readable_images_are_refused(tmp_path: Path, images: list[Path]) -> None:
    images[0].write_text("no image")
    with pytest.raises(ModelError, match="9 images could be read, 10 are the least"):
        quantise(tiny_models.yolact(tmp_path / "tiny.xml"), images, tmp_path / "out")


def test_float_tensors_are_what_the_graph_would_make_of_pixels() -> None:
    pixels = np.array([[[[10, 20, 30]]]], np.uint8)
    wanted = ImageInput(layout="NCHW", is_rgb=True, mean=(1.0, 2.0, 3.0), scale=(1.0, 2.0, 1.0))
    assert float_tensor(pixels, wanted).tolist() == [[[[29.0]], [[9.0]], [[7.0]]]]


def test_a_quantised_model_answers_alike(tmp_path: Path, images: list[Path]) -> None:
    pytest.importorskip("nncf", exc_type=ImportError)
    weights = tiny_checkpoint.yolact_weights()
    source = convert(tiny_checkpoint.saved(tmp_path / "net.pth", weights), tmp_path / "f", precision="f32").path
    made = quantise(source, images, tmp_path / "out")
    assert "FakeQuantize" in made.read_text()
    image = cv2.imread(str(images[0]))
    before, after = (load_model(path, precision="f32").predict(np.asarray(image, np.uint8)) for path in (source, made))
    assert load_model(made).labels == load_model(source).labels
    assert np.median(np.abs(np.sort(before.scores)[-50:] - np.sort(after.scores)[-50:])) < 0.05
