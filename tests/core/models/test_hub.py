"""Models from the Hugging Face hub, with a client that acts like the real one and needs no network."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.installed import FOLDER_VARIABLE, installed_models
from maskwright.inference.model import load_model
from maskwright.models.download import DownloadCancelledError
from maskwright.models.install import get_model

ADDRESS = "hf://OpenVINO/rtmdet_inst_tiny-fp16-ov"
BOXES = [[4, 4, 20, 20, 0.9]]


class HubError(Exception):
    pass


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], object]], None]:
    """Make the client fill the folder with what `write` writes, telling its bars two halves of 1000 bytes."""
    pytest.importorskip("tqdm")

    def answer(write: Callable[[Path], object]) -> None:
        def snapshot_download(repository: str, *, local_dir: Path, tqdm_class: Any, **_: Any) -> None:
            files, content = tqdm_class(total=3), tqdm_class(total=1000, unit="B")
            local_dir.mkdir(parents=True, exist_ok=True)
            for _half in range(2):
                content.update(500)
            files.update(1)
            write(local_dir)

        client, errors = ModuleType("huggingface_hub"), ModuleType("huggingface_hub.errors")
        client.snapshot_download = snapshot_download  # type: ignore[attr-defined]  # a stand-in for the module
        errors.HfHubHTTPError = errors.LocalEntryNotFoundError = HubError  # type: ignore[attr-defined]  # the same
        monkeypatch.setitem(sys.modules, "huggingface_hub", client)
        monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)

    return answer


def write_network(folder: Path, name: str = "openvino.xml") -> Path:
    outputs = {"boxes": BOXES, "labels": [0], "masks": np.ones((1, 9, 9))}
    return tiny_models.saved(folder / name, {"image": (1, 3, 32, 32)}, outputs)


def test_a_ready_network_is_installed_under_its_own_name(serve: Callable[..., None]) -> None:
    serve(write_network)
    seen: list[tuple[int, int]] = []
    model = get_model(ADDRESS, on_progress=lambda *progress: seen.append(progress))
    assert (model.name, model.family, model.source) == ("rtmdet_inst_tiny-fp16-ov", "instances", ADDRESS)
    assert len(load_model(model.name).predict(np.zeros((32, 32, 3), np.uint8)).select()) == 1
    assert seen == [(500, 1000), (1000, 1000)]


def test_a_download_from_the_hub_can_be_cancelled(serve: Callable[..., None]) -> None:
    serve(write_network)
    cancel = threading.Event()
    with pytest.raises(DownloadCancelledError):
        get_model(ADDRESS, on_progress=lambda *_: cancel.set(), cancel=cancel)
    assert installed_models() == ()


def test_a_repository_with_two_networks_is_refused(serve: Callable[..., None]) -> None:
    serve(lambda folder: (write_network(folder), write_network(folder, "second.xml")))
    with pytest.raises(ModelError, match="holds 2 IRs, expected one"):
        get_model(ADDRESS)


def test_a_network_of_no_known_family_leaves_nothing(serve: Callable[..., None], folder: Path) -> None:
    serve(lambda place: tiny_models.saved(place / "m.xml", {"image": (1, 3, 8, 8)}, {"logits": np.zeros((1, 1000))}))
    with pytest.raises(ModelError, match="no known model family"):
        get_model(ADDRESS)
    assert list(folder.iterdir()) == []


def test_a_refusal_is_told_in_plain_words(serve: Callable[..., None]) -> None:
    def fails(_folder: Path) -> None:
        raise HubError("404 Client Error.\n\nRepository Not Found for url: ...\nPlease make sure ...")

    serve(fails)
    with pytest.raises(ModelError, match=r"could not be downloaded: the hub cannot be reached$"):
        get_model(ADDRESS)


def test_without_the_client_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModelError, match=r"maskwright\[hub\]"):
        get_model("rtmdet_inst_tiny")
