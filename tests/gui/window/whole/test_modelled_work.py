"""By whatever road a project is changed, and whatever runs at the same time: it holds what was done, and shows it.

More: `MASKWRIGHT_MODEL_SEEDS=20 MASKWRIGHT_MODEL_STEPS=600 pytest -n 2 tests/gui/window/whole/test_modelled_work.py`.
"""

import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from fake_assistant import FakeBackend
from maskwright.assist.view import BackendAssistant
from maskwright_gui.app import Workbench
from maskwright_gui.features.point import assistants
from modelled_roads import RoadsWork

SEEDS = int(os.environ.get("MASKWRIGHT_MODEL_SEEDS", "2"))
STEPS = int(os.environ.get("MASKWRIGHT_MODEL_STEPS", "60"))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_project_holds_what_was_done_by_every_road(
    qtbot: QtBot, opened: Workbench, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(assistants, "loaded", lambda _name: BackendAssistant(FakeBackend()))
    opened.model.choose("tiny.xml")
    work = RoadsWork(qtbot, opened, folder, seed)
    for step in range(1, STEPS + 1):
        work.step()
        if step % 15 == 0:
            work.check()
    work.check()
    work.check_export(tmp_path / "out.json")
