from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QTreeWidget
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.installed import FOLDER_VARIABLE, Installed, installed_models
from maskwright.models import install
from maskwright.models.install import add_file
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.operation import Operation

NAME = "yolact-resnet50-fpn-pytorch"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def dialog(qtbot: QtBot) -> ModelsDialog:
    found = ModelsDialog()
    found.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)  # qtbot closes it a second time
    qtbot.addWidget(found)
    found.show()
    return found


def button(dialog: ModelsDialog, name: str) -> QPushButton:
    return next(each for each in dialog.findChildren(QPushButton) if each.accessibleName() == name)


def table(dialog: ModelsDialog) -> QTreeWidget:
    found = dialog.findChild(QTreeWidget)
    assert found is not None
    return found


def text(dialog: ModelsDialog, name: str) -> str:
    found = dialog.findChild(QLabel, name)
    assert found is not None
    return found.text()


def is_busy(dialog: ModelsDialog) -> bool:
    found = dialog.findChild(QProgressBar)
    assert found is not None
    return not found.isHidden()


def choose(dialog: ModelsDialog, name: str) -> None:
    listed = table(dialog)
    rows = [listed.topLevelItem(row) for row in range(listed.topLevelItemCount())]
    listed.setCurrentItem(next(item for item in rows if item is not None and item.text(0) == name))


def finished(qtbot: QtBot, dialog: ModelsDialog) -> None:
    qtbot.waitUntil(lambda: not is_busy(dialog), timeout=20_000)


def fake_download(monkeypatch: pytest.MonkeyPatch, work: Callable[..., Installed]) -> None:
    monkeypatch.setattr(install, "get_model", work)


def test_the_catalogue_is_shown_with_what_can_be_done(dialog: ModelsDialog) -> None:
    choose(dialog, NAME)
    assert button(dialog, "Download this model").isVisible()
    assert not button(dialog, "Use this model").isEnabled()
    assert "published mask AP 0.280" in text(dialog, "about")


def test_a_file_is_added_and_can_be_used(qtbot: QtBot, dialog: ModelsDialog, tmp_path: Path) -> None:
    dialog.add_file(tiny_models.yolact(tmp_path / "tiny.xml"))
    finished(qtbot, dialog)
    choose(dialog, "tiny")
    with qtbot.waitSignal(dialog.model_chosen) as chosen:
        button(dialog, "Use this model").click()
    assert chosen.args == [str(installed_models()[0].path)]


def test_a_file_that_is_refused_is_told(qtbot: QtBot, dialog: ModelsDialog, tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"
    path.write_bytes(b"\x80\x02cos\nsystem\n.")
    dialog.add_file(path)
    finished(qtbot, dialog)
    assert "odd.pth: refused" in text(dialog, "told")


def test_a_download_shows_its_progress_and_ends(
    qtbot: QtBot, dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tiny_models.yolact(tmp_path / "tiny.xml")

    def work(name: str, *, on_progress: Callable[[int, int], None]) -> Installed:
        on_progress(1_000_000, 2_000_000)
        return add_file(source, name=name)

    fake_download(monkeypatch, work)
    choose(dialog, NAME)
    button(dialog, "Download this model").click()
    assert is_busy(dialog)
    finished(qtbot, dialog)
    assert text(dialog, "told") == f"{NAME} is ready."
    assert button(dialog, "Use this model").isEnabled()


def download_without_end(dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begins a download that goes on until it is cancelled."""

    def endless(name: str, *, on_progress: Callable[[int, int], None]) -> Installed:
        while True:
            on_progress(1, 2)

    fake_download(monkeypatch, endless)
    choose(dialog, NAME)
    button(dialog, "Download this model").click()


def test_a_download_can_be_cancelled(qtbot: QtBot, dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    download_without_end(dialog, monkeypatch)
    button(dialog, "Cancel").click()
    finished(qtbot, dialog)
    assert text(dialog, "told").startswith("Cancelled.")
    assert button(dialog, "Download this model").isEnabled()


def test_what_has_arrived_is_shown_and_resumed(dialog: ModelsDialog, folder: Path) -> None:
    part = folder / ".downloads" / NAME / "net.pth.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(30_000_000))
    dialog.reload()
    choose(dialog, NAME)
    item = table(dialog).currentItem()
    assert item is not None
    assert item.text(2) == "30 of 127 MB"
    assert button(dialog, "Download this model").text() == "Resume"


def test_the_end_of_a_download_is_not_the_end_of_the_work(
    qtbot: QtBot, dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    is_watched = Event()

    def work(name: str, *, on_progress: Callable[[int, int], None]) -> Installed:
        is_watched.wait(20)
        on_progress(5, 5)
        return add_file(tiny_models.yolact(tmp_path / "tiny.xml"), name=name)

    fake_download(monkeypatch, work)
    choose(dialog, NAME)
    button(dialog, "Download this model").click()
    task = dialog.findChild(Operation)
    assert task is not None
    task.progressed.connect(lambda _done, _total, what: said.append(what))
    is_watched.set()
    finished(qtbot, dialog)
    assert said == [f"{NAME}: checking and converting"]


def test_a_failed_download_is_told_with_its_reason(
    qtbot: QtBot, dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(name: str, *, on_progress: Callable[[int, int], None]) -> Installed:
        raise ModelError("no network", hint="bring a file")

    fake_download(monkeypatch, fails)
    choose(dialog, NAME)
    button(dialog, "Download this model").click()
    finished(qtbot, dialog)
    assert text(dialog, "told") == "no network (bring a file)"


def test_changed_files_are_found_and_the_model_removed(qtbot: QtBot, dialog: ModelsDialog, tmp_path: Path) -> None:
    model = add_file(tiny_models.yolact(tmp_path / "tiny.xml"))
    dialog.reload()
    choose(dialog, "tiny")
    model.path.with_suffix(".bin").write_bytes(b"")
    button(dialog, "Check this model").click()
    finished(qtbot, dialog)
    assert "changed or damaged" in text(dialog, "told")
    button(dialog, "Remove this model").click()
    assert installed_models() == ()


def test_closing_ends_the_work(qtbot: QtBot, dialog: ModelsDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    download_without_end(dialog, monkeypatch)
    task = dialog.findChild(Operation)
    assert task is not None
    dialog.close()
    assert task.isFinished()


def test_closing_the_window_ends_a_download(qtbot: QtBot, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(name: str, *, on_progress: Callable[[int, int], None]) -> Installed:
        while True:
            on_progress(1, 2)

    fake_download(monkeypatch, endless)
    bench.window.actions_table["models"].trigger()
    (dialog,) = bench.window.findChildren(ModelsDialog)
    choose(dialog, NAME)
    button(dialog, "Download this model").click()
    task = dialog.findChild(Operation)
    assert task is not None
    with qtbot.waitSignal(task.finished):
        bench.window.close()
