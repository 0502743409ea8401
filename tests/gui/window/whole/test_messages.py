"""Messages stand where they cover nothing that is needed, and speak of the work instead of libraries."""

import sqlite3
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from maskwright.errors import ProjectError
from maskwright.inference.model import Model
from maskwright.prelabel import Proposer
from maskwright.project import backup
from maskwright.project.backup import back_up_daily
from maskwright_gui.app import Workbench
from maskwright_gui.messages import Message
from project_builders import make_project


def on_screen(widget: object) -> QRect:
    return QRect(widget.mapToGlobal(QPoint(0, 0)), widget.size())  # type: ignore[attr-defined]  # any widget


@pytest.mark.parametrize("width", [1440, 1200], ids=["wide", "narrow"])
def test_they_leave_the_minimap_free(qtbot: QtBot, opened: Workbench, width: int) -> None:
    opened.window.resize(width, 700)
    opened.window.toasts.show_message(Message("Something to know", "With a detail."))
    canvas = opened.window.canvas
    canvas.navigator.zoom_to_box((0.0, 0.0, 12.0, 12.0))
    qtbot.waitUntil(canvas.minimap.isVisible)

    assert not on_screen(opened.window.toasts).intersects(on_screen(canvas.minimap))

    canvas.navigator.zoom_to_fit()
    assert not canvas.minimap.isVisible()
    corner = on_screen(canvas).bottomRight() - on_screen(opened.window.toasts).bottomRight()
    assert max(corner.x(), corner.y()) <= 16


@pytest.mark.parametrize("place", ["infer", "proposals"])
def test_a_bug_in_a_batch_is_told_in_plain_words(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ValueError("broadcast shapes (1, 2)")

    monkeypatch.setattr(*((Model, "feeds", fails) if place == "infer" else (Proposer, "proposals", fails)))
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()

    reasons = {failure.reason for failure in opened.batch.failures()}
    assert len(reasons) == 1
    assert not {word for reason in reasons for word in ("ValueError", "broadcast") if word in reason}


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("no such table: xyz"), OSError(28, "No space left on device")], ids=["sql", "os"]
)
def test_a_backup_that_fails_says_why_without_the_librarys_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: object) -> None:
        raise error

    with make_project(tmp_path) as project:
        path = project.path / "project.db"
    monkeypatch.setattr(backup, "copy_database", fails)

    with pytest.raises(ProjectError) as told:
        back_up_daily(path)

    assert not {word for word in ("table", "Errno", "sqlite") if word in told.value.message}


@pytest.mark.parametrize("chosen", ["Copy", "Save"])
def test_of_two_ways_out_each_has_its_button_and_one_ends_the_message(
    qtbot: QtBot, opened: Workbench, chosen: str
) -> None:
    done: list[str] = []
    toasts = opened.window.toasts
    message = Message(
        "Damaged", "What now?", "error", "Copy", lambda: done.append("Copy"), True, "Save", lambda: done.append("Save")
    )
    toasts.show_message(message)
    buttons = {each.text(): each for each in toasts.findChildren(QPushButton)}
    assert list(buttons) == ["Save", "Copy"]
    buttons[chosen].click()
    assert done == [chosen]
    assert message not in toasts.messages
