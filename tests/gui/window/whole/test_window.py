"""The window as a user meets it: opening, walking through images, correcting, closing."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from maskwright.document.values import ImageState, InstanceState
from maskwright.project.store import Project
from maskwright_gui.app import Workbench, spare_collector
from window_support import image_folder

Key = Qt.Key
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def spared(bench: Workbench) -> Iterator[Workbench]:
    spare_collector(bench)
    yield bench
    gc.unfreeze()


def at(bench: Workbench, x: float, y: float) -> QPoint:
    """Where an image point is on the canvas."""
    screen = bench.window.canvas.navigator.viewport.to_screen(x, y)
    return QPoint(round(screen[0]), round(screen[1]))


def draw_triangle(qtbot: QtBot, bench: Workbench, *, left: float = 10) -> None:
    canvas = bench.window.canvas
    qtbot.keyClick(canvas, Key.Key_P)
    for x, y in ((left, 10), (left + 20, 10), (left, 30)):
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at(bench, x, y))
    qtbot.keyClick(canvas, Key.Key_Return)


def stored(bench: Workbench, image_id: int = 1) -> list[InstanceState]:
    bench.session.save()
    assert bench.session.project is not None
    return [instance.state for instance in bench.session.project.stored.instances.of(image_id)]


def test_folder_becomes_a_project_inside_it(opened: Workbench, folder: Path) -> None:
    assert (folder / ".maskwright" / "project.db").is_file()
    assert opened.images.rows.rowCount() == 6
    assert opened.window.canvas.isVisible()


def test_hint_line_says_what_the_keys_do_from_the_start(opened: Workbench) -> None:
    assert opened.window.status.hint == opened.window.canvas.hint != ""


def test_empty_state_is_shown_without_a_project(bench: Workbench) -> None:
    assert bench.window.empty_state.isVisible()
    assert not bench.window.actions_table["run_model"].isEnabled()


def test_folder_without_images_says_why(qtbot: QtBot, bench: Workbench, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with qtbot.waitSignal(bench.projects.told, timeout=20_000):
        bench.projects.open_path(tmp_path / "bare")
    (message,) = bench.window.toasts.messages
    assert "no image" in message.detail
    assert "bare" in message.detail


def test_unreadable_files_are_told_and_the_rest_goes_on(qtbot: QtBot, bench: Workbench, folder: Path) -> None:
    (folder / "zzz.jpg").write_text("not a picture")
    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        bench.projects.open_path(folder)
    assert bench.images.rows.rowCount() == 6
    told = [message for message in bench.window.toasts.messages if "1 file cannot be read" in message.text]
    assert [message.stays for message in told] == [True], "the list of them can be had nowhere else"
    bench.projects.close_project()
    assert not any(message.stays for message in bench.window.toasts.messages)


def test_keys_walk_through_the_images(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyClick(canvas, Key.Key_D)
    qtbot.keyClick(canvas, Key.Key_D)
    qtbot.keyClick(canvas, Key.Key_A)
    qtbot.waitUntil(lambda: opened.images.on_screen == 2)
    qtbot.waitUntil(lambda: opened.images.panel.list_view.currentIndex().row() == 1)


def test_drawn_polygon_is_stored(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    assert stored(opened) == [InstanceState.DRAWN]
    assert opened.session.project.stored.images.record(1).state is ImageState.IN_PROGRESS


def test_undo_and_redo_by_key(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    canvas = opened.window.canvas
    qtbot.keyClick(canvas, Key.Key_Z, CTRL)
    assert stored(opened) == []
    qtbot.keyClick(canvas, Key.Key_Z, CTRL | SHIFT)
    assert stored(opened) == [InstanceState.DRAWN]


def test_undo_belongs_to_its_image(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    opened.images.next_image()
    draw_triangle(qtbot, opened)
    opened.images.previous_image()
    opened.editing.undo()
    assert (stored(opened, 1), stored(opened, 2)) == ([], [InstanceState.DRAWN])


def test_delete_key_removes_the_selection(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    qtbot.keyClick(opened.window.canvas, Key.Key_V)
    qtbot.mouseClick(opened.window.canvas, Qt.MouseButton.LeftButton, pos=at(opened, 14, 14))
    qtbot.keyClick(opened.window.canvas, Key.Key_Delete)
    assert stored(opened) == []


def test_digit_gives_the_class(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    opened.classes.add("debris")
    draw_triangle(qtbot, opened)
    opened.editing.select_all()
    qtbot.keyClick(opened.window.canvas, Key.Key_1)
    (instance,) = opened.session.document
    assert instance.category_id == opened.session.classes.listed[0].id


def test_space_means_done_and_next(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    qtbot.keyClick(opened.window.canvas, Key.Key_Space)
    opened.session.save()
    assert opened.session.project.stored.images.record(1).state is ImageState.DONE
    assert opened.session.image.id == 2


def test_space_on_an_image_without_objects_means_verified_empty(qtbot: QtBot, opened: Workbench) -> None:
    qtbot.keyClick(opened.window.canvas, Key.Key_Space)
    opened.session.save()
    assert opened.session.project.stored.images.record(1).state is ImageState.EMPTY


def test_next_not_done_passes_over_what_is_done(qtbot: QtBot, opened: Workbench) -> None:
    for image_id in (2, 3):
        opened.session.project.stored.images.set_state(image_id, ImageState.DONE)
    opened.images.rows.refresh([2, 3])
    qtbot.keyClick(opened.window.canvas, Key.Key_D, CTRL | SHIFT)
    assert opened.session.image.id == 4
    qtbot.keyClick(opened.window.canvas, Key.Key_B, CTRL | SHIFT)
    assert opened.session.image.id == 1


def test_space_held_for_panning_is_not_done(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyPress(canvas, Key.Key_Space)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.mouseMove(canvas, QPoint(130, 120))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(130, 120))
    qtbot.keyRelease(canvas, Key.Key_Space)
    assert opened.session.image.id == 1


def test_filter_shows_only_what_passes(qtbot: QtBot, opened: Workbench) -> None:
    opened.images.panel.focus_search()
    qtbot.keyClicks(opened.window.focusWidget(), "003")
    qtbot.waitUntil(lambda: opened.images.rows.rowCount() == 1)
    assert opened.images.rows.record(0).file_name == "003.png"


def test_edits_are_there_after_reopening(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    opened.window.close()
    with Project.open(folder) as project:
        assert [instance.state for instance in project.instances.of(1)] == [InstanceState.DRAWN]


def test_undo_survives_a_restart(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    opened.projects.close_project()
    with qtbot.waitSignal(opened.projects.opened, timeout=20_000):
        opened.projects.open_path(folder)
    opened.editing.undo()
    assert stored(opened) == []
    opened.editing.redo()
    assert stored(opened) == [InstanceState.DRAWN]


def test_read_only_project_says_so_and_keeps_its_objects(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    opened.classes.add("cell")
    draw_triangle(qtbot, opened)
    opened.projects.close_project()
    with Project.open(folder, read_only=True) as project:
        opened.session.open_project(project)
        opened.session.show_image(1)
        opened.editing.select_all()
        opened.editing.delete()
        assert len(opened.session.document) == 1
        assert any("read-only" in f"{message.text} {message.detail}" for message in opened.window.toasts.messages)
        opened.session.close_project()


def test_todays_backup_is_made(opened: Workbench, folder: Path) -> None:
    assert len(list((folder / ".maskwright" / "backups").glob("*daily.db"))) == 1


def test_theme_switch_is_remembered(opened: Workbench) -> None:
    was_dark = opened.layout.theme.is_dark
    opened.layout.toggle_theme()
    assert opened.layout.theme.is_dark is not was_dark
    assert opened.settings.value("window/theme") == opened.layout.theme.name


@pytest.mark.parametrize("panel", ["images", "instances", "categories", "model", "thresholds", "status"])
def test_controls_have_accessible_names(bench: Workbench, panel: str) -> None:
    widgets: dict[str, QWidget] = {
        "images": bench.images.panel,
        "instances": bench.objects.panel,
        "categories": bench.classes.panel,
        "model": bench.model.panel,
        "thresholds": bench.thresholds.strip,
        "status": bench.window.status,
    }
    widget = widgets[panel]
    silent = [
        child.metaObject().className()
        for child in widget.findChildren(QWidget)
        if child.focusPolicy() & Qt.FocusPolicy.TabFocus and not child.accessibleName() and not hasattr(child, "text")
    ]
    assert [name for name in silent if name != "QComboBoxListView"] == []  # the combo box speaks for its list


def test_opening_another_folder_closes_the_first(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    other = image_folder(tmp_path / "other", 2)
    with qtbot.waitSignal(opened.projects.images_added, timeout=20_000):
        opened.projects.open_path(other)
    assert opened.images.rows.rowCount() == 2
    assert opened.session.project.image_root == other


def test_clicking_a_button_leaves_the_keys_with_the_canvas(qtbot: QtBot, opened: Workbench) -> None:
    button = next(b for b in opened.model.panel.findChildren(QPushButton) if b.text() == "This image")
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert opened.window.focusWidget() is opened.window.canvas


def test_the_collector_passes_over_what_loading_a_model_made(qtbot: QtBot, spared: Workbench) -> None:
    made = [[each] for each in range(10_000)]
    with qtbot.waitSignal(spared.inference.model_ready, timeout=20_000):
        spared.model.choose("model.xml")
    looked_through = {id(each) for each in gc.get_objects()}  # what is frozen is not among them
    assert not looked_through & {id(each) for each in made}
