"""Model files, good and bad, as a user picks them in the window."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.document.values import InstanceState
from maskwright.project.model_choice import remember_model
from maskwright_gui.app import Workbench
from maskwright_gui.workers.inference import Loader, load_choice


@pytest.fixture
def loader() -> Loader:
    return load_choice


def test_model_file_runs_from_its_path(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    path = tiny_models.yolact(tmp_path / "own.xml")
    opened.projects.open_path(path)  # as dropping it does
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        opened.model.run_on_image()
    assert [instance.state for instance in opened.session.document] == [InstanceState.PROPOSED] * 2
    assert opened.settings.value("model/source") == str(path)


def test_devices_are_looked_for_when_someone_looks(qtbot: QtBot, opened: Workbench) -> None:
    with qtbot.waitSignal(opened.inference.devices_found, timeout=20_000) as blocker:
        opened.model.panel.devices_requested.emit()
    assert "CPU" in blocker.args[0]
    assert "AUTO" in opened.model.panel.devices


def test_model_with_unknown_outputs_says_which(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    path = tiny_models.saved(tmp_path / "odd.xml", {"data": (1, 3, 8, 8)}, {"strange": [[1.0]]})
    with qtbot.waitSignal(opened.inference.model_failed, timeout=20_000):
        opened.model.choose(str(path))
    assert "strange" in opened.window.toasts.messages[-1].detail


def test_model_without_its_weights_says_so(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    path = tiny_models.yolact(tmp_path / "half.xml")
    path.with_suffix(".bin").unlink()
    with qtbot.waitSignal(opened.inference.model_failed, timeout=20_000):
        opened.model.choose(str(path))
    assert "half" in opened.window.toasts.messages[-1].detail


def test_a_project_goes_on_with_its_own_model(qtbot: QtBot, opened: Workbench, folder: Path, tmp_path: Path) -> None:
    mine = str(tiny_models.yolact(tmp_path / "mine.xml"))
    opened.model.choose(mine)
    opened.model.choose("nuclei")
    remember_model(opened.session.project.stored, mine)  # as a batch on the command line does
    with qtbot.waitSignal(opened.projects.opened, timeout=20_000):
        opened.projects.open_path(folder)
    assert opened.model.choice.source == mine


def test_a_missing_model_of_the_project_is_told(qtbot: QtBot, opened: Workbench, folder: Path, tmp_path: Path) -> None:
    remember_model(opened.session.project.stored, tmp_path / "gone.xml")
    with qtbot.waitSignal(opened.model.told) as told:
        opened.projects.open_path(folder)
    assert "gone.xml" in told.args[0].detail
    assert opened.model.choice.source == "nuclei"
