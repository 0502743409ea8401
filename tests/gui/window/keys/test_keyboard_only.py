"""Every part of the window can be reached, seen to have the focus, and named by a screen reader."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QDialog, QKeySequenceEdit, QLabel, QWidget
from pytestqt.qtbot import QtBot

from canvas_support import square
from maskwright.document.change import Change
from maskwright_gui.actions import Menu
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.events import ToolKeys
from maskwright_gui.dialogs.key_sheet import sections_of

F6, SHIFT = Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier


def part_with_focus(bench: Workbench) -> str:
    parts = {
        "canvas": bench.window.canvas,
        "instances": bench.objects.panel,
        "categories": bench.classes.panel,
        "model": bench.model.panel,
        "thresholds": bench.thresholds.strip,
        "status": bench.window.status,
        "images": bench.images.panel,
    }
    focused = bench.window.focusWidget()
    return next(name for name, part in parts.items() if part in (focused, *_parents(focused)))


def _parents(widget: QWidget | None) -> list[QWidget]:
    return [] if widget is None else [widget, *_parents(widget.parentWidget())]


@pytest.fixture
def annotated(opened: Workbench) -> Workbench:
    category = opened.classes.add("cell")
    id_ = opened.session.new_instance_id()
    opened.session.edit(Change.create([square(id_, at=(5, 5), side=20, category_id=category.id)]), "Draw")
    opened.session.select(frozenset({id_}))
    opened.window.canvas.setFocus()
    opened.thresholds.row.need(True)
    return opened


def test_f6_walks_through_all_parts_and_back(annotated: Workbench) -> None:
    window, seen = annotated.window, []
    for _ in range(7):
        QTest.keyClick(window.focusWidget(), F6)
        seen.append(part_with_focus(annotated))
    assert seen == ["instances", "categories", "model", "thresholds", "status", "images", "canvas"]
    QTest.keyClick(window.focusWidget(), F6, SHIFT)
    assert part_with_focus(annotated) == "images"


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)  # that of the offscreen platform
@pytest.mark.parametrize(
    ("key", "modifiers"), [(Qt.Key.Key_F10, None), (Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier)]
)
def test_menus_open_by_keys(qtbot: QtBot, annotated: Workbench, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
    bar = annotated.window.header.menus
    QTest.keyClick(annotated.window.canvas, key, modifiers or Qt.KeyboardModifier.NoModifier)
    qtbot.waitUntil(lambda: bar.activeAction() is not None)
    assert bar.activeAction().text() == "&File"
    QTest.keyClick(bar, Qt.Key.Key_Escape)


def test_no_two_menus_have_one_letter(annotated: Workbench) -> None:
    letters = [menu[0] for menu in Menu if menu.is_on_bar]
    assert len(set(letters)) == len(letters)


def test_f6_passes_over_what_is_hidden(annotated: Workbench) -> None:
    for name in ("Objects", "Classes"):
        annotated.window.docks[name].hide()
    QTest.keyClick(annotated.window.canvas, F6)
    assert part_with_focus(annotated) == "model"


def test_the_canvas_shows_that_it_was_reached_by_keys(annotated: Workbench) -> None:
    canvas = annotated.window.canvas
    without = canvas.grab().toImage().pixelColor(QPoint(1, 40))
    annotated.images.panel.list_view.setFocus()
    QTest.keyClick(annotated.window.focusWidget(), F6)
    assert canvas.hasFocus()
    assert canvas.grab().toImage().pixelColor(QPoint(1, 40)) != without


@pytest.mark.parametrize("part", ["instances", "categories", "model", "thresholds"])
def test_a_control_shows_that_it_was_reached_by_keys(qtbot: QtBot, annotated: Workbench, part: str) -> None:
    window = annotated.window
    for _ in window.parts:
        if part_with_focus(annotated) != part:
            QTest.keyClick(window.focusWidget(), F6)
    assert part_with_focus(annotated) == part
    control = window.focusWidget()
    reached = control.grab().toImage().pixelColor(control.width() // 2, 0)
    QTest.keyClick(control, F6)
    qtbot.waitUntil(lambda: control.grab().toImage().pixelColor(control.width() // 2, 0) != reached)


def test_no_ring_for_the_mouse(annotated: Workbench) -> None:
    view = annotated.objects.panel.table
    without = view.grab().toImage()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, view.viewport().height() - 4))
    ring_colour = view.palette().color(QPalette.ColorRole.Accent)
    assert without.pixelColor(view.width() // 2, 0) != ring_colour
    assert view.grab().toImage().pixelColor(view.width() // 2, 0) != ring_colour


DIALOGS = {
    "key_sheet": lambda bench: bench.help.open_key_sheet(),
    "keys": lambda bench: bench.help.open_keys(),
    "palette": lambda bench: bench.help.open_palette(),
    "class_picker": lambda bench: bench.classes.open_picker(QPoint(5, 5), id, id),
    "display": lambda bench: bench.view.open_display(),
    "history": lambda bench: bench.history.open_with_times(),
    "today": lambda bench: bench.history.open_today(),
    "effort": lambda bench: bench.effort.open(),
    "export": lambda bench: bench.exchange.open_export(),
    "data_set": lambda bench: bench.data_set.open(),
    "models": lambda bench: bench.window.actions_table["models"].trigger(),
}


def silent(root: QWidget) -> list[str]:
    """Controls that take the focus and say nothing: no name, no text of their own, no label that belongs to them."""
    buddies = {label.buddy() for label in root.window().findChildren(QLabel)}
    return [
        f"{control.metaObject().className()} in {type(control.parentWidget()).__name__}"
        for control in root.findChildren(QWidget)
        if control.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not control.accessibleName()
        and not (isinstance(control, QAbstractButton | QLabel) and (control.text() or control.toolTip()))
        and control not in buddies
        and control.metaObject().className() not in _SPOKEN_FOR
        and not isinstance(control.parentWidget(), QAbstractSpinBox | QComboBox | QKeySequenceEdit)
        and control.parentWidget().metaObject().className() != "PlotWidget"  # its panel says what the bars are
    ]


_SPOKEN_FOR = {"QComboBoxListView", "QComboBoxPrivateContainer", "QTabBar"}
"""By their combo box, by the texts of their tabs."""


def test_all_controls_of_the_window_have_names(annotated: Workbench) -> None:
    assert silent(annotated.window) == []


@pytest.mark.parametrize("name", DIALOGS)
def test_all_controls_of_the_dialogs_have_names(qtbot: QtBot, annotated: Workbench, name: str) -> None:
    before = set(annotated.window.findChildren(QDialog))

    def opened() -> list[QDialog]:
        return [one for one in annotated.window.findChildren(QDialog) if one not in before]

    DIALOGS[name](annotated)
    qtbot.waitUntil(lambda: bool(opened()), timeout=20_000)  # some are counted for in the background first
    (dialog,) = opened()
    assert silent(dialog) == []
    dialog.close()


def test_the_key_sheet_names_every_action_that_has_a_key(annotated: Workbench) -> None:
    table = annotated.window.actions_table
    rows = [(spec.menu, spec.text, table[spec.id].shortcuts()) for spec in table.specs.values()]
    told = {text for section in sections_of(rows, ToolKeys().shown).values() for _, text in section}
    wanted = {spec.text.rstrip("…") for spec in table.specs.values() if spec.keys and not spec.id.startswith("class_")}
    assert wanted <= told
    assert ("1 … 9", "Class of the selection or of the next object") in sections_of(rows, ToolKeys().shown)["Edit"]
