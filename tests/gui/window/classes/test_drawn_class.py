"""Which class a drawn object gets: the last one, a digit's, or the answer to a question."""

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.quick import ClassPicker

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton


@pytest.fixture
def drawing(opened: Workbench) -> Workbench:
    """Classes car (1) and dog (2), cars being drawn."""
    car, _ = (opened.classes.add(name) for name in ("car", "dog"))
    opened.session.classes.set_current(car.id)
    opened.tools.use("polygon")
    return opened


def click(qtbot: QtBot, bench: Workbench, x: float, y: float) -> None:
    qtbot.mouseClick(
        bench.window.canvas, LEFT, pos=QPoint(*map(round, bench.window.canvas.navigator.viewport.to_screen(x, y)))
    )


def draw(qtbot: QtBot, bench: Workbench, x: float, *, digit_while_drawing: Key | None = None) -> None:
    for point in ((x, 5), (x + 12, 5)):
        click(qtbot, bench, *point)
    if digit_while_drawing is not None:
        qtbot.keyClick(bench.window.canvas, digit_while_drawing)
    click(qtbot, bench, x + 12, 20)
    qtbot.keyClick(bench.window.canvas, Key.Key_Return)


def classes_of(bench: Workbench) -> list[str]:
    names = {category.id: category.name for category in bench.session.classes.listed}
    return [names[instance.category_id] for instance in bench.session.document]


def pickers(bench: Workbench) -> list[ClassPicker]:
    return [picker for picker in bench.window.findChildren(ClassPicker) if picker.isVisible()]


def test_what_is_drawn_takes_the_last_class_and_a_digit_is_for_the_next_one(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 5)
    assert "1-9" in drawing.window.canvas.hint
    qtbot.keyClick(drawing.window.canvas, Key.Key_2)
    draw(qtbot, drawing, 30)
    assert classes_of(drawing) == ["car", "dog"]
    assert pickers(drawing) == []


def test_what_was_just_drawn_is_not_relabelled_by_a_digit_after_a_change_of_tools(
    qtbot: QtBot, drawing: Workbench
) -> None:
    draw(qtbot, drawing, 5)
    qtbot.keyClick(drawing.window.canvas, Key.Key_V)
    qtbot.keyClick(drawing.window.canvas, Key.Key_2)
    assert classes_of(drawing) == ["car"]
    assert drawing.session.classes.current_id == 2


def test_a_digit_relabels_what_the_user_selected_and_says_so(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 5)
    drawing.tools.use("select")
    click(qtbot, drawing, 15, 8)
    qtbot.keyClick(drawing.window.canvas, Key.Key_2)
    assert classes_of(drawing) == ["dog"]
    assert [message.text for message in drawing.window.toasts.messages] == ["1 object changed to “dog”"]


def test_the_next_object_has_the_class_of_what_was_accepted_or_corrected_last(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 5)
    drawing.classes.add("cat")
    assert drawing.session.classes.current_id == 3
    drawing.editing.select_next()
    drawing.shapes.smooth()
    drawing.shapes.to_box()
    assert drawing.session.classes.current_id == 1


def test_undo_while_drawing_takes_back_the_last_point_and_redo_puts_it_there_again(
    qtbot: QtBot, drawing: Workbench
) -> None:
    draw(qtbot, drawing, 5)
    for point in ((30, 5), (42, 5), (42, 20), (60, 40)):
        click(qtbot, drawing, *point)
    undo, redo = drawing.window.actions_table["undo"], drawing.window.actions_table["redo"]
    for action in (undo, undo, redo):
        assert action.isEnabled()
        action.trigger()
    qtbot.keyClick(drawing.window.canvas, Key.Key_Return)
    first, second = drawing.session.document
    assert len(second.polygons[0].exterior) == 3
    undo.trigger()
    assert [instance.id for instance in drawing.session.document] == [first.id]


def test_undo_during_a_drag_gives_up_the_drag_and_keeps_the_object(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 5)
    before = drawing.session.document
    canvas = drawing.window.canvas
    drawing.tools.use("select")
    places = [QPoint(*map(round, canvas.navigator.viewport.to_screen(*at))) for at in ((15, 8), (25, 18))]
    qtbot.mousePress(canvas, LEFT, pos=places[0])
    qtbot.mouseMove(canvas, places[1])
    drawing.window.actions_table["undo"].trigger()
    qtbot.mouseRelease(canvas, LEFT, pos=places[1])
    assert drawing.session.document == before


def test_a_digit_while_drawing_is_for_what_is_being_drawn(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 5)
    draw(qtbot, drawing, 30, digit_while_drawing=Key.Key_2)
    assert classes_of(drawing) == ["car", "dog"]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ((Key.Key_2,), "dog"),
        ((Key.Key_D, Key.Key_Return), "dog"),
        ((Key.Key_Return,), "car"),
        ((Key.Key_Escape,), "car"),
        ((Key.Key_C, Key.Key_A, Key.Key_T, Key.Key_Return), "cat"),
    ],
    ids=["digit", "name", "last one", "no answer", "new class"],
)
def test_the_class_is_asked_for_where_a_person_wants_that(
    qtbot: QtBot, drawing: Workbench, answer: tuple[Key, ...], name: str
) -> None:
    drawing.window.actions_table["toggle_ask_class"].trigger()
    draw(qtbot, drawing, 5)
    qtbot.waitUntil(lambda: len(pickers(drawing)) == 1)
    qtbot.waitUntil(pickers(drawing)[0].isActiveWindow)
    for key in answer:
        qtbot.keyClick(pickers(drawing)[0].focusWidget(), key)
    assert pickers(drawing) == []
    assert classes_of(drawing) == [name]
    assert [instance.state for instance in drawing.session.document] == [InstanceState.DRAWN]


def test_the_question_is_remembered_but_not_asked_of_copies(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 5)
    drawing.window.actions_table["toggle_ask_class"].trigger()
    drawing.shapes.duplicate()
    qtbot.wait(20)
    assert (len(classes_of(drawing)), pickers(drawing)) == (2, [])
    assert drawing.settings.value("classes/ask_after_drawing", type=bool)


def test_a_digit_that_begins_a_class_name_is_text(qtbot: QtBot, drawing: Workbench) -> None:
    drawing.classes.add("2 wheels")
    drawing.window.actions_table["toggle_ask_class"].trigger()
    draw(qtbot, drawing, 5)
    qtbot.waitUntil(lambda: len(pickers(drawing)) == 1)
    qtbot.waitUntil(pickers(drawing)[0].isActiveWindow)
    qtbot.keyClick(pickers(drawing)[0].focusWidget(), Key.Key_2)
    qtbot.keyClick(pickers(drawing)[0].focusWidget(), Key.Key_Return)
    assert classes_of(drawing) == ["2 wheels"]


@pytest.mark.parametrize("tool", ["polygon", "rectangle"])
def test_what_is_being_drawn_when_its_class_is_deleted_is_kept_and_a_class_is_asked_for(
    drawing: Workbench, qtbot: QtBot, tool: str
) -> None:
    canvas, session = drawing.window.canvas, drawing.session
    drawing.tools.use(tool)
    for point in ((5, 5), (17, 5), (17, 20))[: 3 if tool == "polygon" else 1]:
        click(qtbot, drawing, *point)
    for category in session.classes.listed:
        drawing.classes.delete(category.id)
        qtbot.waitUntil(lambda: not drawing.classes.is_working)
    if tool == "polygon":
        qtbot.keyClick(canvas, Key.Key_Return)
    else:
        click(qtbot, drawing, 17, 20)
    assert canvas.is_busy
    picker = pickers(drawing)[-1]
    qtbot.waitUntil(picker.isActiveWindow)
    qtbot.keyClicks(picker._field, "cat")
    qtbot.keyClick(picker._field, Key.Key_Return)
    if tool == "polygon":
        qtbot.keyClick(canvas, Key.Key_Return)
    else:
        click(qtbot, drawing, 17, 20)
    assert classes_of(drawing) == ["cat"]


@pytest.mark.parametrize(
    ("tool", "places"),
    [
        ("polygon", ((30, 25), (45, 25), (45, 40))),
        ("rectangle", ((30, 25), (40, 30), (45, 40))),
        ("ellipse", ((30, 25), (40, 30), (45, 40))),
        ("brush", ((30, 25), (40, 30), (45, 40))),
        ("eraser", ((8, 6), (12, 8), (15, 10))),
        ("redraw", ((8, 5), (11, 9), (15, 5))),
        ("split", ((11, 2), (11, 10), (12, 18))),
        ("wire", ((30, 25), (45, 25), (45, 40))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_undo_while_a_button_is_down_gives_up_the_gesture_and_nothing_that_is_finished(
    qtbot: QtBot, drawing: Workbench, tool: str, places: tuple[tuple[float, float], ...]
) -> None:
    draw(qtbot, drawing, 5)
    drawing.editing.select_next()
    before, label = drawing.session.document, drawing.session.history.undo_label
    canvas = drawing.window.canvas
    drawing.tools.use(tool)
    start, middle, end = (QPoint(*map(round, canvas.navigator.viewport.to_screen(*at))) for at in places)
    qtbot.mouseMove(canvas, start)
    qtbot.mousePress(canvas, LEFT, pos=start)
    qtbot.mouseMove(canvas, middle)
    qtbot.mouseMove(canvas, (middle + end) / 2)
    assert canvas.is_busy
    qtbot.keyClick(canvas, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.mouseMove(canvas, end)
    qtbot.mouseRelease(canvas, LEFT, pos=end)
    assert drawing.session.document == before
    assert drawing.session.history.undo_label == label
