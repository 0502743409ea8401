"""The nuclei model that ships: present, small, and with the interface its card promises. Needs no PyTorch."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest

from maskwright_resources import resource_path

SIZE_LIMIT_BYTES = 8 * 2**20


@pytest.fixture(scope="module")
def folder() -> Path:
    return resource_path("models", "nuclei")


@pytest.fixture(scope="module")
def card(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "card.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return openvino.Core().read_model(folder / "nuclei.xml")


def note(model: Any, key: str) -> str:
    return str(model.get_rt_info(["model_info", key]).astype(str))


def test_weights_are_small_and_those_of_the_card(folder: Path, card: dict[str, Any]) -> None:
    weights = (folder / card["file"]).with_suffix(".bin").read_bytes()

    assert len(weights) + (folder / card["file"]).stat().st_size <= SIZE_LIMIT_BYTES
    assert hashlib.sha256(weights).hexdigest() == card["sha256"]


def test_notes_inside_the_model_match_the_card(model: Any, card: dict[str, Any]) -> None:
    assert note(model, "model_type") == card["family"] == "yolact"
    assert note(model, "model_name") == f"maskwright-{card['name']}"
    assert note(model, "labels").split() == card["classes"]
    assert note(model, "version") == card["version"]
    assert note(model, "license") == card["license"]


@pytest.mark.parametrize("size_hw", [(64, 64), (96, 160)], ids=["square", "landscape"])
def test_outputs_follow_the_input_size(model: Any, size_hw: tuple[int, int]) -> None:
    height, width = size_hw
    anchors = sum((height // stride) * (width // stride) for stride in (4, 8, 16))

    answers = openvino.compile_model(model, "CPU")({"image": np.zeros((1, 3, *size_hw), np.float32)})

    assert answers["conf"].shape == (1, anchors, 2)
    assert answers["boxes"].shape == (1, anchors, 4)
    assert answers["mask"].shape == (1, anchors, 32)
    assert answers["proto"].shape == (1, height // 2, width // 2, 32)
    np.testing.assert_allclose(answers["conf"].sum(-1), 1, atol=1e-2)


def test_bright_disc_on_black_is_found(model: Any) -> None:
    y, x = np.mgrid[:128, :128]
    disc = ((x - 60) ** 2 + (y - 70) ** 2 <= 14**2) * 120.0
    image = np.repeat(disc[None, None], 3, axis=1).astype(np.float32)

    answers = openvino.compile_model(model, "CPU")({"image": image})

    best = answers["conf"][0, :, 1].argmax()
    assert answers["conf"][0, best, 1] > 0.35
    np.testing.assert_allclose(answers["boxes"][0, best] * 128, [46, 56, 74, 84], atol=3)
