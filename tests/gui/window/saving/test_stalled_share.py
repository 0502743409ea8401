"""A network share that hangs: the window says so, goes on, keeps what it has, and never pretends.

The share is a gate at the store's file layer and at the question whether the folder answers: while it is shut, every
call waits, as calls on a real share do.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot
from sqlalchemy import Connection

from maskwright.document import edits
from maskwright.geometry.polygon import Polygon
from maskwright.project.database import Database
from maskwright.project.rescue import find_rescues
from maskwright_gui import saving
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.unsaved import Leaving, UnsavedDialog
from maskwright_gui.features.saving import HANGS
from maskwright_gui.session import NOT_SHOWN
from maskwright_gui.workers import executor
from maskwright_gui.workers.executor import NoAnswerError

TRIANGLE = Polygon.of([(5, 5), (25, 5), (5, 25)])


class Share:
    def __init__(self, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bench = bench
        self._gate = threading.Event()
        self._gate.set()
        for name in ("read", "write"):
            monkeypatch.setattr(Database, name, self._gated(getattr(Database, name)))
        monkeypatch.setattr(executor, "_is_there", lambda _path: self._gate.wait() and False)

    def hang(self) -> None:
        """From now on, and known to the window."""
        assert self._bench.session.waiting is not None
        self._bench.session.waiting.patience_s = 0.02
        self._gate.clear()

    def answer(self) -> None:
        self._gate.set()
        if (waiting := self._bench.session.waiting) is not None:
            waiting.patience_s = executor.PATIENCE_S  # a machine that is busy is not a share that hangs

    def _gated(self, real: Any) -> Any:
        @contextmanager
        def gated(database: Database, **options: bool) -> Iterator[Connection]:
            self._gate.wait()
            with real(database, **options) as connection:
                yield connection

        return gated


@pytest.fixture
def share(qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> Iterator[Share]:
    monkeypatch.setattr(saving, "LATE_S", 0.02)
    opened.classes.add("cell")
    draw(opened)  # what came before is saved, and ids for more are there
    qtbot.waitUntil(lambda: opened.session.unsaved.count == 0)
    opened.session.save()
    share = Share(opened, monkeypatch)
    yield share
    share.answer()
    qtbot.waitUntil(lambda: opened.watch.state.reason == "")


def draw(bench: Workbench) -> None:
    id_ = bench.session.new_instance_id()
    bench.session.edit(edits.create(id_, bench.session.classes.current_id, [TRIANGLE]), "Draw")


def texts(bench: Workbench) -> list[str]:
    return [message.text for message in bench.window.toasts.messages]


def trouble(bench: Workbench) -> str:
    return bench.window.header.warning


def test_edits_and_undo_go_on_and_are_counted_until_they_are_saved(
    qtbot: QtBot, opened: Workbench, share: Share
) -> None:
    share.hang()
    draw(opened)
    draw(opened)
    qtbot.waitUntil(lambda: trouble(opened) == "2 edits are not saved")
    qtbot.waitUntil(lambda: HANGS in texts(opened))
    assert opened.session.history.undo() == "Draw"
    qtbot.waitUntil(lambda: trouble(opened) == "3 edits are not saved")
    assert len(opened.session.document) == 2

    share.answer()

    qtbot.waitUntil(lambda: trouble(opened) == "")
    assert "All edits are saved again" in texts(opened)
    assert HANGS not in texts(opened)
    assert len(opened.session.project.stored.instances.of(1)) == 2
    steps = opened.session.project.stored.history.undo_steps(1)
    assert (len(steps.undo), len(steps.redo)) == (2, 1)


def test_a_call_of_the_window_is_given_up(qtbot: QtBot, opened: Workbench, share: Share) -> None:
    share.hang()
    with pytest.raises(NoAnswerError):
        opened.session.project.state_counts()


def test_images_that_are_known_show_and_others_follow(qtbot: QtBot, opened: Workbench, share: Share) -> None:
    opened.images.next_image()
    qtbot.waitUntil(lambda: opened.session.neighbour(3) is not None)
    share.hang()
    opened.images.next_image()
    assert opened.session.image.id == 3
    opened.session.show_image(1)
    assert opened.session.image.id == 1
    opened.session.show_image(6)
    assert opened.session.image.id == 1
    assert NOT_SHOWN in texts(opened)

    share.answer()

    qtbot.waitUntil(lambda: opened.session.image.id == 6)
    assert NOT_SHOWN not in texts(opened)


def test_what_another_road_changed_while_it_hung_is_shown_when_it_answers(
    qtbot: QtBot, opened: Workbench, share: Share
) -> None:
    session = opened.session
    (known,) = session.document
    connection = sqlite3.connect(session.project.path / "project.db")
    with connection:
        connection.execute("UPDATE instances SET flags = 3 WHERE id = ?", (known.id,))
        connection.execute("UPDATE categories SET name = 'cat' WHERE id = ?", (known.category_id,))
    connection.close()
    share.hang()
    session.refresh()
    session.refresh_document(session.image.id)
    assert not session.document[known.id].is_locked
    assert session.misses_something

    share.answer()

    qtbot.waitUntil(lambda: session.document[known.id].is_locked)
    qtbot.waitUntil(lambda: [each.name for each in session.classes.listed] == ["cat"])
    assert not session.misses_something


def test_a_rescue_copy_is_kept_while_edits_wait_and_goes_with_them(
    qtbot: QtBot, opened: Workbench, share: Share
) -> None:
    project = opened.session.project
    share.hang()
    draw(opened)
    qtbot.waitUntil(lambda: opened.watch.state.kept == 1)
    assert len(find_rescues(project.path, project.mark)[0].edits) == 1
    share.answer()
    qtbot.waitUntil(lambda: not find_rescues(project.path, project.mark))


def test_closing_waits_for_the_share(
    qtbot: QtBot, opened: Workbench, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UnsavedDialog, "exec", QDialog.exec)
    share.hang()
    draw(opened)
    qtbot.waitUntil(lambda: trouble(opened) == "1 edit is not saved")
    QTimer.singleShot(0, share.answer)
    assert opened.projects.may_lose_edits()
    assert opened.session.unsaved.count == 0
    assert len(opened.session.project.stored.instances.of(1)) == 2


def test_what_was_left_behind_is_offered_at_the_next_opening(
    qtbot: QtBot, opened: Workbench, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = opened.session.project.image_root
    share.hang()
    draw(opened)
    draw(opened)
    qtbot.waitUntil(lambda: trouble(opened) == "2 edits are not saved")
    monkeypatch.setattr(UnsavedDialog, "ask", lambda _dialog: Leaving.KEEP)
    opened.projects.close_project()
    assert opened.session.project is None
    share.answer()

    with qtbot.waitSignal(opened.projects.rescued, timeout=20_000) as offered:
        opened.projects.open_path(folder)
    box = offered.args[0]
    assert "2 edits were not saved" in box.text()
    box.defaultButton().click()

    qtbot.waitUntil(lambda: "2 rescued edits restored" in texts(opened))
    assert len(opened.session.project.stored.instances.of(1)) == 3
    assert len(opened.session.document) == 3
    assert not find_rescues(opened.session.project.path, opened.session.project.mark)


def test_nothing_is_exported_without_the_edits_that_wait(qtbot: QtBot, opened: Workbench, share: Share) -> None:
    share.hang()
    draw(opened)
    opened.exchange.open_export()
    assert any("Cannot export yet" in text for text in texts(opened))


def test_leaving_without_the_edits_leaves_no_copy(
    qtbot: QtBot, opened: Workbench, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, mark = opened.session.project.path, opened.session.project.mark
    share.hang()
    draw(opened)
    qtbot.waitUntil(lambda: opened.watch.state.kept == 1)
    monkeypatch.setattr(UnsavedDialog, "ask", lambda _dialog: Leaving.LOSE)
    opened.projects.close_project()
    assert not find_rescues(path, mark)
