"""When files go away and disks fill up: the window says so, keeps what it has, and goes on."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.errors import ModelError, ProjectError
from maskwright.geometry.polygon import Polygon
from maskwright.project.instances import InstanceRepository
from maskwright_gui.app import Workbench, use_own_qt_plugins
from maskwright_gui.dialogs.quick import ClassPicker
from maskwright_gui.dialogs.unsaved import Leaving, UnsavedDialog
from project_builders import overwrite_steps
from window_support import GatedModel, image_folder

TRIANGLE = Polygon.of([(5, 5), (25, 5), (5, 25)])


def draw(bench: Workbench) -> None:
    if not bench.session.classes.listed:
        bench.classes.add("cell")
    id_ = bench.session.new_instance_id()
    bench.session.edit(edits.create(id_, bench.session.classes.current_id, [TRIANGLE]), "Draw")


def texts(bench: Workbench) -> list[str]:
    return [f"{message.text} {message.detail}" for message in bench.window.toasts.messages]


def actions(bench: Workbench) -> dict[str, Callable[[], object]]:
    """What the messages that are there offer, by the text on the button."""
    return {each.action_text: each.action for each in bench.window.toasts.messages if each.action is not None}


def test_missing_image_is_named_and_the_next_one_shows(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    (folder / "004.png").unlink()
    opened.session.show_image(5)
    qtbot.waitUntil(lambda: any("004.png" in text for text in texts(opened)))
    opened.images.next_image()
    qtbot.waitUntil(lambda: opened.images.on_screen == 6)


def test_an_unreadable_image_offers_the_next_one(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    (folder / "003.png").write_bytes(b"no picture")
    opened.session.show_image(4)
    qtbot.waitUntil(lambda: any(message.action_text == "Next image" for message in opened.window.toasts.messages))
    (message,) = (message for message in opened.window.toasts.messages if message.action_text == "Next image")
    assert "003.png" in message.detail
    message.action()
    qtbot.waitUntil(lambda: opened.images.on_screen == 5)


def test_edits_stay_on_screen_while_they_cannot_be_saved(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = opened.session.project

    def full(*_arguments: object, **_named: object) -> None:
        raise ProjectError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(InstanceRepository, "apply", full)
        draw(opened)
        qtbot.waitUntil(lambda: any("the disk is full" in text for text in texts(opened)))
        opened.images.next_image()
        opened.images.previous_image()
        assert len(opened.session.document) == 1
        assert opened.session.unsaved.count == 1
    assert opened.session.save()
    assert len(project.stored.instances.of(1)) == 1


def test_unsaved_edits_hold_the_project_open(qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise ProjectError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(InstanceRepository, "apply", full)
        draw(opened)
        patch.setattr(UnsavedDialog, "ask", lambda _dialog: Leaving.STAY)
        opened.projects.close_project()
        assert opened.session.unsaved.count == 1
    assert opened.session.save()


def test_broken_project_file_is_refused_with_its_path(qtbot: QtBot, bench: Workbench, folder: Path) -> None:
    (folder / ".maskwright").mkdir()
    (folder / ".maskwright" / "project.db").write_bytes(b"no database" * 100)
    with qtbot.waitSignal(bench.projects.told, timeout=20_000):
        bench.projects.open_path(folder)
    assert any("project.db" in text for text in texts(bench))
    assert bench.session.project is None


def test_a_damaged_project_is_opened_from_its_latest_copy(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    file = folder / ".maskwright" / "project.db"
    opened.projects.close_project()
    file.write_bytes(b"no database" * 1000)
    opened.projects.open_path(folder)
    qtbot.waitUntil(lambda: any("damaged" in text for text in texts(opened)), timeout=20_000)
    (message,) = (message for message in opened.window.toasts.messages if message.action is not None)
    with qtbot.waitSignals([opened.projects.opened, opened.projects.images_added], timeout=20_000):
        message.action()
    assert opened.images.rows.rowCount() == 6
    assert list((folder / ".maskwright" / "backups").glob("*before-restore.db"))


def test_a_damaged_project_without_a_copy_is_set_aside_and_begun_anew(
    qtbot: QtBot, opened: Workbench, folder: Path
) -> None:
    file = folder / ".maskwright" / "project.db"
    opened.projects.close_project()
    file.write_bytes(b"no database" * 1000)
    for copy in (file.parent / "backups").iterdir():
        copy.write_bytes(b"no copy")
    opened.projects.open_path(folder)
    for answer in ("Restore the latest copy", "Start over"):  # there is a copy, and it turns out to be damaged, too
        qtbot.waitUntil(lambda answer=answer: answer in actions(opened), timeout=20_000)
        if answer == "Start over":
            break
        actions(opened)[answer]()
    with qtbot.waitSignals([opened.projects.opened, opened.projects.images_added], timeout=20_000):
        actions(opened)["Start over"]()
    assert opened.images.rows.rowCount() == 6
    (kept,) = file.parent.glob("project.db.damaged-*")
    assert kept.read_bytes() == b"no database" * 1000


def ways_out(bench: Workbench) -> dict[str, Callable[[], object]]:
    return actions(bench) | {each.other_text: each.other for each in bench.window.toasts.messages if each.other}


def with_a_damaged_page(bench: Workbench, folder: Path) -> bytes:
    """One object is drawn; the steps that led to it cannot be read any more."""
    draw(bench)
    file = folder / ".maskwright" / "project.db"
    bench.projects.close_project()
    overwrite_steps(file)
    return file.read_bytes()


@pytest.mark.parametrize("has_copy", [True, False], ids=["a copy", "no copy"])
def test_what_can_be_read_of_a_damaged_project_is_saved_at_a_click(
    qtbot: QtBot, opened: Workbench, folder: Path, has_copy: bool
) -> None:
    damaged = with_a_damaged_page(opened, folder)
    copies = folder / ".maskwright" / "backups"
    for copy in copies.iterdir() if not has_copy else ():
        copy.unlink()
    opened.projects.open_path(folder)
    qtbot.waitUntil(lambda: "Recover what can be read" in ways_out(opened), timeout=20_000)
    assert ("Restore the latest copy" if has_copy else "Start over") in ways_out(opened)
    with qtbot.waitSignals([opened.projects.opened, opened.projects.images_added], timeout=20_000):
        ways_out(opened)["Recover what can be read"]()
    assert len(opened.session.document) == 1
    assert any("1 object on 6 images recovered" in text for text in texts(opened))
    (kept,) = copies.glob("*before-restore.db")
    assert kept.read_bytes() == damaged


def test_where_nothing_can_be_read_the_other_way_out_is_offered_again(
    qtbot: QtBot, opened: Workbench, folder: Path
) -> None:
    opened.projects.close_project()
    (folder / ".maskwright" / "project.db").write_bytes(b"no database" * 1000)
    opened.projects.open_path(folder)
    qtbot.waitUntil(lambda: "Recover what can be read" in ways_out(opened), timeout=20_000)
    ways_out(opened)["Recover what can be read"]()
    qtbot.waitUntil(lambda: any("Nothing was recovered" in text for text in texts(opened)), timeout=20_000)
    message = opened.window.toasts.messages[-1]
    assert (message.action_text, message.other) == ("Restore the latest copy", None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_gets_its_project_elsewhere(qtbot: QtBot, bench: Workbench, folder: Path) -> None:
    folder.chmod(0o555)
    with qtbot.waitSignal(bench.projects.opened, timeout=20_000):
        bench.projects.open_path(folder)
    assert folder not in bench.session.project.path.parents
    folder.chmod(0o755)


def test_opening_a_second_folder_during_a_batch_ends_it(
    qtbot: QtBot, opened: Workbench, model: GatedModel, tmp_path: Path
) -> None:
    other = image_folder(tmp_path / "other", 2)
    model.gate.clear()
    opened.batch.run()
    model.entered.acquire()
    opened.inference.batch.pause()
    model.gate.set()
    with qtbot.waitSignal(opened.projects.images_added, timeout=20_000):
        opened.projects.open_path(other)
    assert opened.images.rows.rowCount() == 2
    assert not opened.inference.batch.is_running


def test_opencv_may_not_point_qt_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/somewhere/cv2/qt/plugins")
    monkeypatch.setenv("QT_PLUGIN_PATH", "/the/person's/own")
    use_own_qt_plugins()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_PLUGIN_PATH"] == "/the/person's/own"


def test_typing_a_name_does_not_trigger_keys(qtbot: QtBot, opened: Workbench) -> None:
    opened.images.panel.focus_search()
    qtbot.keyClicks(opened.window.focusWidget(), "dad p")
    assert opened.session.image.id == 1
    assert opened.window.canvas.tool.name == "select"
    qtbot.keyClick(opened.window.focusWidget(), Qt.Key.Key_Return)


def test_drawing_without_a_class_asks_for_its_name(qtbot: QtBot, opened: Workbench) -> None:
    qtbot.keyClick(opened.window.canvas, Qt.Key.Key_P)
    picker = opened.window.findChildren(ClassPicker)[-1]
    qtbot.waitUntil(picker.isActiveWindow)
    qtbot.keyClicks(picker.focusWidget(), "pumpkin")
    qtbot.keyClick(picker.focusWidget(), Qt.Key.Key_Return)
    assert [category.name for category in opened.session.classes.listed] == ["pumpkin"]
    assert opened.window.canvas.tool.name == "polygon"
    assert opened.window.canvas.context.category_id == opened.session.classes.listed[0].id


def test_model_that_is_not_there_is_told_once(qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_choice: object) -> None:
        raise ModelError("no such model")

    monkeypatch.setattr(opened.inference, "_load", refuse)
    with qtbot.waitSignal(opened.inference.failed, timeout=20_000):
        opened.model.run_on_image()
    assert [message.text for message in opened.window.toasts.messages] == ["The model cannot be used"]
