"""A project that is open for reading only says so before anything is done in vain."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.project import store
from maskwright_gui.app import Workbench
from project_builders import drawn, square
from window_support import image_folder

READING = {"open_folder", "export", "next_image", "tool_select", "select_all", "copy", "fit", "close_project"}
CHANGING = {
    "tool_polygon",
    "tool_brush",
    "tool_point",
    "accept",
    "delete",
    "class_1",
    "run_model",
    "run_batch",
    "merge",
}
CHANGING |= {"done", "import", "import_folder", "undo", "paste"}
ACCESS = store._access


def open_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if another program had each project open; within one program a project can be opened twice."""
    monkeypatch.setattr(store, "_access", lambda _file: "it is open elsewhere: on another computer")


@pytest.fixture
def reading(qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """The window on a project that another program works on, with an object of 32 x 32 on its first image."""
    project = opened.session.project
    category = project.stored.categories.add("cell")
    shape = drawn(project.stored.instances.reserve_ids(1)[0], square(8, 8, 32), category_id=category.id)
    project.stored.instances.apply(1, Change.of([(None, shape)]), label="Draw")
    path = project.path
    opened.projects.close_project()
    open_elsewhere(monkeypatch)
    with qtbot.waitSignals([opened.projects.opened, opened.projects.images_added], timeout=20_000):
        opened.projects.open_path(path)
    qtbot.waitUntil(lambda: opened.images.on_screen == 1)
    opened.window.canvas.setFocus()
    return opened


def test_it_says_so_in_the_header_and_in_the_hint(reading: Workbench) -> None:
    shown = [button for button in reading.window.header.findChildren(QToolButton) if button.isVisible()]
    assert any(button.text() == "Read only" and "open elsewhere" in button.toolTip() for button in shown)
    assert reading.window.canvas.hint.startswith("Read only")


def test_what_cannot_work_is_off(reading: Workbench) -> None:
    table = reading.window.actions_table
    assert {id_ for id_ in CHANGING if table[id_].isEnabled()} == set()
    assert {id_ for id_ in READING if not table[id_].isEnabled()} == set()


def test_no_tool_is_taken_up_by_its_key(qtbot: QtBot, reading: Workbench) -> None:
    qtbot.keyClick(reading.window.canvas, Qt.Key.Key_P)
    assert reading.window.canvas.tool.name == "select"


def test_the_tool_of_the_project_before_is_put_down(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.classes.add("cell")
    qtbot.keyClick(opened.window.canvas, Qt.Key.Key_P)
    path = opened.session.project.path
    opened.projects.close_project()
    open_elsewhere(monkeypatch)
    with qtbot.waitSignal(opened.projects.images_added, timeout=20_000):
        opened.projects.open_path(path)
    assert opened.window.canvas.tool.name == "select"


@pytest.mark.parametrize("press", [(8.0, 8.0), (24.0, 8.0), (24.0, 24.0)], ids=["vertex", "edge", "inside"])
def test_dragging_an_object_changes_nothing_and_complains_of_nothing(
    qtbot: QtBot, reading: Workbench, press: tuple[float, float]
) -> None:
    canvas, before = reading.window.canvas, reading.session.document
    told = len(reading.window.toasts.messages)
    reading.editing.select_all()
    start, end = (
        QPoint(*map(round, canvas.navigator.viewport.to_screen(*point)))
        for point in (press, (press[0] + 9.0, press[1] + 9.0))
    )

    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas, end)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=end)

    assert reading.session.document is before
    assert len(reading.window.toasts.messages) == told


def test_buttons_of_the_panels_are_off(reading: Workbench) -> None:
    texts = {"This image", "All images"}
    buttons = [one for one in reading.window.findChildren(QPushButton) if one.text() in texts]
    assert [button.isEnabled() for button in buttons] == [False, False]
    assert not reading.thresholds.strip.isEnabled()


def test_the_next_project_can_be_changed_again(
    qtbot: QtBot, reading: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_access", ACCESS)
    with qtbot.waitSignals([reading.projects.opened, reading.projects.images_added], timeout=20_000):
        reading.projects.open_path(image_folder(tmp_path / "others", 2))
    assert reading.window.actions_table["tool_polygon"].isEnabled()
    assert reading.thresholds.strip.isEnabled()
    assert "Read only" not in reading.window.canvas.hint
    buttons = reading.window.header.findChildren(QToolButton)
    assert not any(button.text() == "Read only" and button.isVisible() for button in buttons)
