"""The Point tool in the real window, with an assistant that waits when told to."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from fake_assistant import FakeBackend
from maskwright.assist.outline import Outline
from maskwright.assist.protocol import Cancel, WindowFeatures
from maskwright.assist.view import BackendAssistant
from maskwright.assist.window import Window
from maskwright.document.values import ImageState, InstanceState
from maskwright.errors import ModelError
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.features.point import assistants
from maskwright_gui.workers.worker import left_behind

Key, LEFT, ALT = Qt.Key, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier


class Squares:
    """Outlines a square of 8 pixels around the last point inside, or the box; counts what it is asked."""

    name, content_hash, device, device_note = "squares", "hash", "CPU", None
    keeps_features = False

    @property
    def backend(self) -> "Squares":
        return self

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked: list[dict[str, Any]] = []
        self.opened: list[tuple[int, ...]] = []
        self.failure: str | None = None

    def open(self, image_bgr_u8: NDArray[np.uint8], *, identity: str | None = None) -> "Squares":
        self.opened.append(image_bgr_u8.shape)
        self.size_wh = image_bgr_u8.shape[1], image_bgr_u8.shape[0]
        return self

    def outline(self, points_xy: Any, labels: Any, box: Any, mask: Any, **rest: Any) -> Outline:
        self.asked.append({"points": list(points_xy), "labels": list(labels), "box": box, "mask": mask})
        self.gate.wait(20)
        if self.failure is not None:
            raise ModelError(self.failure)
        x, y = points_xy[-1] if points_xy else (box[0] + 4, box[1] + 4)
        return Outline(np.ones((8, 8), bool), (round(x) - 4, round(y) - 4), self.size_wh, 0.9, rest["min_iou"])


@pytest.fixture
def squares(monkeypatch: pytest.MonkeyPatch) -> Iterator[Squares]:
    assistant = Squares()
    monkeypatch.setattr(assistants, "loaded", lambda _name: assistant)
    yield assistant
    assistant.gate.set()


@pytest.fixture
def pointing(squares: Squares, opened: Workbench) -> Workbench:
    opened.classes.add("cell")
    opened.tools.use("point")
    return opened


def click(qtbot: QtBot, bench: Workbench, x: float, y: float, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
    canvas = bench.window.canvas
    place = QPoint(*map(round, canvas.navigator.viewport.to_screen(x, y)))
    qtbot.mouseMove(canvas, place)
    qtbot.mouseClick(canvas, LEFT, modifier, pos=place)


def drag_to(canvas: QWidget, place: QPoint) -> None:
    """QTest's moves have no button down."""
    at, everywhere = QPointF(place), QPointF(canvas.mapToGlobal(place))
    none = Qt.MouseButton.NoButton
    move = QMouseEvent(QEvent.Type.MouseMove, at, everywhere, none, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, move)


def presses(squares: Squares) -> list[list[tuple[float, float]]]:
    return [[(round(x), round(y)) for x, y in asked["points"]] for asked in squares.asked]


def test_a_click_and_enter_make_an_object_in_the_project(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    (made,) = pointing.session.document
    assert made.state is InstanceState.DRAWN
    assert made.bounds_xyxy == (16, 16, 24, 24)
    assert made.provenance is not None
    assert made.provenance.model_name == "assist squares, 1 press"
    assert pointing.window.canvas.tool.name == "point"
    assert pointing.session.save()


def test_enter_before_the_answer_makes_the_object_when_it_comes(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    squares.gate.clear()
    click(qtbot, pointing, 10, 10)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    click(qtbot, pointing, 50, 35)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    assert len(pointing.session.document) == 0
    squares.gate.set()
    qtbot.waitUntil(lambda: len(pointing.session.document) == 2)
    assert {one.bounds_xyxy for one in pointing.session.document} == {(6, 6, 14, 14), (46, 31, 54, 39)}


def test_leaving_an_image_accepts_what_was_pointed_at_there_and_nothing_elsewhere(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    squares.gate.clear()
    click(qtbot, pointing, 20, 20)
    pointing.images.next_image()
    qtbot.waitUntil(lambda: pointing.images.on_screen == 2)
    squares.gate.set()
    click(qtbot, pointing, 30, 30)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    pointing.images.previous_image()
    qtbot.waitUntil(lambda: len(pointing.session.document_of(2)) == 1)
    qtbot.waitUntil(lambda: len(pointing.session.document_of(1)) == 1)
    (first,), (second,) = pointing.session.document_of(1), pointing.session.document_of(2)
    assert (first.bounds_xyxy, second.bounds_xyxy) == ((16, 16, 24, 24), (26, 26, 34, 34))
    pointing.images.next_image()
    qtbot.waitUntil(lambda: len(pointing.session.document) == 1)
    pointing.editing.undo()
    assert len(pointing.session.document) == 0


def test_leaving_an_image_accepts_a_correction_there(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    canvas = pointing.window.canvas
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(canvas, Key.Key_Return)
    (made,) = pointing.session.document
    pointing.session.select(frozenset({made.id}))
    click(qtbot, pointing, 22, 20)
    qtbot.waitUntil(lambda: canvas.is_busy and not canvas.tool._draft.is_waiting)
    pointing.images.next_image()
    qtbot.waitUntil(lambda: [one.bounds_xyxy for one in pointing.session.document_of(1)] == [(18, 16, 26, 24)])


def test_closing_the_project_leaves_no_draft_to_the_next_one(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    path = pointing.session.project.path
    pointing.session.close_project()
    with qtbot.waitSignal(pointing.projects.opened):
        pointing.projects.open_path(path)
    assert len(pointing.session.document_of(1)) == 0
    assert not pointing.point._unfinished


def test_what_fails_is_told_and_the_tool_goes_on(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    squares.failure = "the device is gone"
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: any("No outline was made" in m.text for m in pointing.window.toasts.messages))
    squares.failure = None
    click(qtbot, pointing, 21, 21)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)


def test_closing_the_project_ends_what_runs(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    squares.gate.clear()
    click(qtbot, pointing, 20, 20)
    pointing.projects.close_project()
    squares.gate.set()
    qtbot.wait(30)
    assert pointing.session.project is None


def test_undo_takes_back_a_press_and_then_steps_of_the_image(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    undo = pointing.window.actions_table["undo"]
    for x in (10, 40):
        click(qtbot, pointing, x, 20)
        qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    qtbot.waitUntil(lambda: len(pointing.session.document) == 2)
    click(qtbot, pointing, 25, 40)
    undo.trigger()
    assert not pointing.window.canvas.is_busy
    undo.trigger()
    assert len(pointing.session.document) == 1


def test_the_right_button_corrects_what_is_selected_and_opens_the_menu_elsewhere(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    canvas, menus = pointing.window.canvas, []
    canvas.context_menu_requested.connect(lambda *_: menus.append(1))
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(canvas, Key.Key_Return)
    (made,) = pointing.session.document
    pointing.session.select(frozenset({made.id}))
    corners = [QPoint(*map(round, canvas.navigator.viewport.to_screen(*at))) for at in ((60, 44), (18, 20))]
    canvas.context_menu_requested.disconnect(pointing.menu.open)
    for corner in corners:
        qtbot.mouseMove(canvas, corner)
        qtbot.mouseClick(canvas, Qt.MouseButton.RightButton, pos=corner)
    qtbot.waitUntil(lambda: bool(squares.asked) and squares.asked[-1]["labels"] == [0])
    assert squares.asked[-1]["mask"] is not None
    assert len(menus) == 1


def test_redo_while_pointing_puts_back_presses_and_no_step_of_the_image(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    canvas = pointing.window.canvas
    click(qtbot, pointing, 10, 10)
    qtbot.waitUntil(lambda: len(canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(canvas, Key.Key_Return)
    pointing.editing.undo()
    assert len(pointing.session.document) == 0
    click(qtbot, pointing, 50, 35)
    qtbot.waitUntil(lambda: len(canvas.tool.overlay().instances) == 1)
    pointing.editing.redo()
    assert len(pointing.session.document) == 0
    qtbot.keyClick(canvas, Key.Key_Return)
    assert [one.bounds_xyxy for one in pointing.session.document] == [(46, 31, 54, 39)]


def test_deleting_what_was_outlined_leaves_nothing_behind(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    qtbot.waitUntil(lambda: len(pointing.session.document) == 1)
    pointing.editing.select_all()
    pointing.editing.delete()
    assert len(pointing.session.document) == 0


def test_by_keys_alone(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    canvas = pointing.window.canvas
    for key in (Key.Key_Right, Key.Key_Insert):
        qtbot.keyClick(canvas, key)
    qtbot.waitUntil(lambda: len(canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(canvas, Key.Key_Return)
    assert len(pointing.session.document) == 1


def test_a_digit_while_pointing_is_the_class_of_the_object(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    pointing.classes.add("debris")
    click(qtbot, pointing, 20, 20)
    qtbot.keyClick(pointing.window.canvas, Key.Key_1)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    qtbot.waitUntil(lambda: len(pointing.session.document) == 1)
    assert [one.category_id for one in pointing.session.document] == [1]


def test_what_was_accepted_unseen_is_made_although_the_image_is_left(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    squares.gate.clear()
    assert pointing.session.image is not None
    left = pointing.session.image.id
    click(qtbot, pointing, 20, 20)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    pointing.images.next_image()
    squares.gate.set()
    qtbot.waitUntil(lambda: len(pointing.session.document_of(left)) == 1)
    (made,) = pointing.session.document_of(left)
    assert made.bounds_xyxy == (16, 16, 24, 24)
    assert len(pointing.session.document or ()) == 0


def listed(bench: Workbench) -> list[str]:
    return bench.point.bar.listed


def choose(qtbot: QtBot, bench: Workbench, name: str) -> None:
    bench.point.choose(name)
    qtbot.waitUntil(lambda: not bench.point.is_working, timeout=20_000)


def test_the_assistant_is_chosen_where_the_tool_is(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    assert pointing.point.bar.isVisible()
    assert listed(pointing) == ["Bundled network", "GrabCut (no network)", "Get others…", "Open a network file…"]
    choose(qtbot, pointing, "/nets/sam/encoder.onnx")
    assert pointing.point.assistant_name == "/nets/sam/encoder.onnx"
    assert "encoder (sam)" in listed(pointing)
    pointing.tools.use("select")
    assert not pointing.point.bar.isVisible()


def test_an_assistant_that_cannot_be_used_leaves_the_one_before(
    qtbot: QtBot, pointing: Workbench, monkeypatch: pytest.MonkeyPatch, squares: Squares
) -> None:
    def load(name: str) -> Squares:
        if name != "bundled":
            raise ModelError("its decoder is missing")
        return squares

    monkeypatch.setattr(assistants, "loaded", load)
    choose(qtbot, pointing, "/nets/sam/encoder.onnx")
    told = pointing.window.toasts.messages[-1]
    assert "decoder is missing" in told.detail
    assert "Bundled network stays" in told.detail
    assert pointing.point.assistant_name == "bundled"
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)


def test_a_chosen_file_that_has_gone_is_told_with_a_way_out(
    qtbot: QtBot, pointing: Workbench, monkeypatch: pytest.MonkeyPatch, squares: Squares
) -> None:
    def load(name: str) -> Squares:
        if name != "bundled":
            raise ModelError("no such file")
        return squares

    monkeypatch.setattr(assistants, "loaded", load)
    pointing.settings.setValue("assist/model", "/gone/net.xml")
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: any("net (gone)" in message.text for message in pointing.window.toasts.messages))
    told = pointing.window.toasts.messages[-1]
    assert (told.action_text, told.action is not None) == ("Use the bundled assistant", True)
    assert told.action is not None
    told.action()
    qtbot.waitUntil(lambda: pointing.point.assistant_name == "bundled")


def test_another_assistant_begins_anew(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    choose(qtbot, pointing, "grabcut")
    assert not pointing.window.canvas.tool.is_busy


@pytest.fixture
def hung(squares: Squares, monkeypatch: pytest.MonkeyPatch) -> Squares:
    """The assistant in use, which does not answer before the test is over; all others are well."""
    squares.gate.clear()
    monkeypatch.setattr(assistants, "loaded", lambda name: squares if name == "bundled" else Squares())
    return squares


def test_of_an_assistant_that_hangs_the_user_is_told_and_the_window_goes_on(
    qtbot: QtBot, pointing: Workbench, hung: Squares
) -> None:
    pointing.point._late.setInterval(1)
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: any("unusually long" in m.text for m in pointing.window.toasts.messages))
    told = next(m for m in pointing.window.toasts.messages if "unusually long" in m.text)
    assert told.action_text == "Start it again"
    pointing.images.next_image()
    qtbot.waitUntil(lambda: pointing.images.on_screen == 2)
    pointing.tools.use("select")
    assert pointing.window.canvas.tool.name == "select"


def test_where_one_assistant_hangs_another_can_be_chosen(qtbot: QtBot, pointing: Workbench, hung: Squares) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(hung.asked) == 1)
    choose(qtbot, pointing, "other")
    click(qtbot, pointing, 30, 30)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    hung.gate.set()
    qtbot.waitUntil(lambda: not left_behind())
    assert [one.bounds_xyxy for one in pointing.session.document] == [(26, 26, 34, 34)]


def test_what_was_accepted_unseen_is_outlined_by_the_assistant_chosen_next(
    qtbot: QtBot, pointing: Workbench, hung: Squares
) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Return)
    qtbot.waitUntil(lambda: len(hung.asked) == 1)
    choose(qtbot, pointing, "other")
    qtbot.waitUntil(lambda: len(pointing.session.document) == 1)
    hung.gate.set()
    qtbot.waitUntil(lambda: not left_behind())
    assert len(pointing.session.document) == 1


def test_an_assistant_that_hangs_while_it_is_loaded_keeps_none_from_being_chosen(
    qtbot: QtBot, pointing: Workbench, squares: Squares, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def load(name: str) -> Squares:
        if name == "hangs":
            gate.wait(20)
        return Squares()

    monkeypatch.setattr(assistants, "loaded", load)
    pointing.point.choose("hangs")
    pointing.point.choose("other")
    qtbot.waitUntil(lambda: pointing.point.assistant_name == "other")
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    gate.set()
    qtbot.waitUntil(lambda: not pointing.point.is_working)
    assert pointing.point.assistant_name == "other"


class OneByOne(Squares):
    """Answers once each time it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = threading.Semaphore(0)

    def outline(self, points_xy: Any, labels: Any, box: Any, mask: Any, **rest: Any) -> Outline:
        self.asked.append({"points": list(points_xy)})
        self.turns.acquire(timeout=20)
        return Outline(np.ones((8, 8), bool), (16, 16), self.size_wh, 0.9, rest["min_iou"])


@pytest.mark.parametrize("clicks", [1, 2, 5], ids=lambda count: f"{count} clicks an answer")
def test_no_press_waits_for_more_than_the_answer_under_way_and_its_own(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch, clicks: int
) -> None:
    assistant = OneByOne()
    monkeypatch.setattr(assistants, "loaded", lambda _name: assistant)
    opened.classes.add("cell")
    opened.tools.use("point")
    shown: list[int] = []
    opened.point.thread_.answered.connect(lambda prompt, *_: shown.append(len(prompt.presses)))
    click(qtbot, opened, 20, 20)
    made = 1
    for answers in range(1, 6):
        qtbot.waitUntil(lambda: len(assistant.asked) == answers)  # noqa: B023 - waited for at once
        assert len(assistant.asked[-1]["points"]) == made
        for _ in range(clicks):
            click(qtbot, opened, 20 + made % 8, 20)
        made += clicks
        assistant.turns.release()
        qtbot.waitUntil(lambda: len(shown) == answers)  # noqa: B023
    assert shown == [1 + clicks * number for number in range(5)]  # all presses made before the answer before it
    assistant.turns.release(9)
    qtbot.waitUntil(lambda: shown[-1] == made)


class SlowEncoder(FakeBackend):
    """Looks at an image until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.begun = 0

    def prepare(self, image_bgr: NDArray[np.uint8], window: Window, cancel: Cancel | None) -> WindowFeatures:
        self.begun += 1
        assert self.gate.wait(20)
        return super().prepare(image_bgr, window, cancel)


def test_no_press_begins_the_long_look_at_an_image_anew(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = SlowEncoder()
    monkeypatch.setattr(assistants, "loaded", lambda _name: BackendAssistant(backend))
    opened.classes.add("cell")
    opened.tools.use("point")
    opened.point._ahead.stop()  # it would look at the neighbours, too
    shown: list[int] = []
    opened.point.thread_.answered.connect(lambda prompt, *_: shown.append(len(prompt.presses)))
    qtbot.mouseMove(opened.window.canvas, QPoint(*map(round, opened.window.canvas.navigator.viewport.to_screen(9, 9))))
    opened.window.canvas.tool.foresee()
    qtbot.waitUntil(lambda: backend.begun == 1)
    for x in (20, 22, 24):
        click(qtbot, opened, x, 20)
    backend.gate.set()
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == 3)
    assert backend.begun == 1
    assert len(backend.prompts) <= 2


def test_a_box_dragged_before_the_answer_loses_no_click(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    canvas = pointing.window.canvas
    squares.gate.clear()
    for x in (8, 10):  # the second one waits for the first
        click(qtbot, pointing, x, 10)
    pointing.point._taken_ms = dict.fromkeys((False, True), 0.0)
    corners = [
        QPoint(*map(round, canvas.navigator.viewport.to_screen(x, y))) for x, y in ((40, 20), (50, 30), (60, 40))
    ]
    qtbot.mousePress(canvas, LEFT, pos=corners[0])
    for corner in corners[1:]:
        drag_to(canvas, corner)
    qtbot.mouseRelease(canvas, LEFT, pos=corners[-1])
    squares.gate.set()
    qtbot.waitUntil(lambda: len(pointing.session.document) == 1)
    qtbot.waitUntil(lambda: len(canvas.tool.overlay().instances) == 1)


def test_a_slow_assistant_says_how_slow_it_is(pointing: Workbench) -> None:
    pointing.point.bar.show_speed(200.0)
    assert pointing.point.bar.note == ""
    pointing.point.bar.show_speed(2600.0)
    assert pointing.point.bar.note == "about 3 s per click"


def test_what_the_first_press_needs_is_made_beforehand_here_and_for_the_neighbours(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = FakeBackend()
    monkeypatch.setattr(assistants, "loaded", lambda _name: BackendAssistant(backend))
    opened.classes.add("cell")
    opened.images.next_image()
    opened.tools.use("point")
    qtbot.waitUntil(lambda: len(backend.prepared) == 3, timeout=20_000)
    click(qtbot, opened, 20, 20)
    qtbot.waitUntil(lambda: len(opened.window.canvas.tool.overlay().instances) == 1, timeout=20_000)
    assert len(backend.prepared) == 3


def test_what_was_made_of_an_image_is_found_again_the_next_day(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = FakeBackend(), FakeBackend()
    known = {"one": BackendAssistant(first), "other": BackendAssistant(second)}
    monkeypatch.setattr(assistants, "loaded", lambda name: known[name])
    opened.classes.add("cell")
    opened.settings.setValue("assist/model", "one")
    opened.tools.use("point")
    qtbot.waitUntil(lambda: len(first.prepared) == 2, timeout=20_000)
    opened.settings.setValue("assist/model", "other")
    click(qtbot, opened, 20, 20)
    qtbot.waitUntil(lambda: len(opened.window.canvas.tool.overlay().instances) == 1, timeout=20_000)
    assert second.prepared == []


def test_others_are_got_from_the_catalogue_and_the_bundled_one_is_told_as_such(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    pointing.settings.setValue("assist/model", "grabcut")
    pointing.point.open_assistants()
    (dialog,) = pointing.window.findChildren(ModelsDialog)
    assert dialog.windowTitle() == "Assistants"
    assert {"assist", "mobile-sam"} <= set(dialog._listed)
    dialog.model_chosen.emit("assist")
    qtbot.waitUntil(lambda: pointing.point.assistant_name == "bundled")


def test_space_takes_over_the_outline_with_the_image(qtbot: QtBot, pointing: Workbench, squares: Squares) -> None:
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: len(pointing.window.canvas.tool.overlay().instances) == 1)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Space)
    assert pointing.session.image.id == 2
    assert not pointing.window.canvas.is_busy
    pointing.session.show_image(1)
    assert len(pointing.session.document) == 1
    assert pointing.session.image.state is ImageState.DONE


def test_space_before_the_answer_makes_the_object_where_it_was(
    qtbot: QtBot, pointing: Workbench, squares: Squares
) -> None:
    squares.gate.clear()
    click(qtbot, pointing, 20, 20)
    qtbot.waitUntil(lambda: bool(squares.asked))
    qtbot.keyClick(pointing.window.canvas, Key.Key_Space)
    assert pointing.session.image.id == 2
    squares.gate.set()
    pointing.session.show_image(1)
    qtbot.waitUntil(lambda: len(pointing.session.document) == 1)
    assert pointing.session.image.state is not ImageState.EMPTY


def test_space_does_nothing_while_a_polygon_is_half_drawn(qtbot: QtBot, pointing: Workbench) -> None:
    pointing.tools.use("polygon")
    click(qtbot, pointing, 10, 10)
    click(qtbot, pointing, 30, 10)
    qtbot.keyClick(pointing.window.canvas, Key.Key_Space)
    assert pointing.session.image.id == 1
    assert pointing.window.canvas.is_busy
