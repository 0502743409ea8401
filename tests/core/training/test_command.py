import runpy
import sys

import pytest


def test_without_pytorch_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # what an import of a missing package meets
    with pytest.raises(SystemExit, match=r"training needs PyTorch \(pip install"):
        runpy.run_module("maskwright.training", run_name="__main__")
