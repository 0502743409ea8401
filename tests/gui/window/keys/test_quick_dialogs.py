"""Typing into the palette and the class picker does what it says, and nothing behind them."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QListWidget
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.quick import ClassPicker, CommandPalette

Key = Qt.Key


def palette_of(qtbot: QtBot, bench: Workbench) -> CommandPalette:
    bench.help.open_palette()
    palette = bench.window.findChildren(CommandPalette)[-1]
    qtbot.waitUntil(palette.isActiveWindow)
    return palette


def picker_of(qtbot: QtBot, bench: Workbench) -> ClassPicker:
    bench.classes.open_picker(QPoint(5, 5), bench.editing.set_category, bench.classes.add_and_apply)
    picker = bench.window.findChildren(ClassPicker)[-1]
    qtbot.waitUntil(picker.isActiveWindow)
    return picker


def test_palette_runs_the_action_that_was_typed(qtbot: QtBot, opened: Workbench) -> None:
    palette = palette_of(qtbot, opened)
    qtbot.keyClicks(palette.focusWidget(), "next image")
    assert opened.session.image.id == 1
    qtbot.keyClick(palette.focusWidget(), Key.Key_Return)
    assert opened.session.image.id == 2


def test_palette_finds_words_in_any_order(qtbot: QtBot, opened: Workbench) -> None:
    palette = palette_of(qtbot, opened)
    qtbot.keyClicks(palette.focusWidget(), "annot exp")
    assert palette.marked_text == "File › Export annotations"


def test_palette_says_when_nothing_matches(qtbot: QtBot, opened: Workbench) -> None:
    palette = palette_of(qtbot, opened)
    label = next(each for each in palette.findChildren(QLabel) if "No action matches" in each.text())
    assert not label.isVisible()
    qtbot.keyClicks(palette.focusWidget(), "xyzzy")
    assert label.isVisible()
    qtbot.keyClick(palette.focusWidget(), Key.Key_Return)
    assert palette.isVisible()


def test_palette_prefers_what_begins_as_typed(qtbot: QtBot, opened: Workbench) -> None:
    palette = palette_of(qtbot, opened)
    qtbot.keyClicks(palette.focusWidget(), "zoom")
    assert palette.marked_text == "View › Zoom in"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("hole", "Tools › Cut an area out  (hole)"),
        ("union", "Shape › Merge  (union)"),
        ("join", "Shape › Merge  (join)"),
        ("bbox", "Shape › Convert to box  (bbox)"),
        ("paint", "Tools › Brush  (paint)"),
        ("knife", "Tools › Split along a line  (knife)"),
        ("vertices", "Tools › Simplify  (vertices)"),
        ("coco", "File › Export annotations  (coco)"),
        ("predict", "Model › Run model on this image  (predict)"),
        ("bindings", "Help › Change keyboard shortcuts  (bindings)"),
        ("dark", "View › Light or dark theme"),
        ("undo", "Edit › Undo"),
    ],
    ids=lambda value: value if "›" not in value else "",
)
def test_palette_knows_what_other_programs_call_things(qtbot: QtBot, opened: Workbench, typed: str, found: str) -> None:
    palette = palette_of(qtbot, opened)
    qtbot.keyClicks(palette.focusWidget(), typed)
    assert found in palette.found_texts


def test_the_picker_offers_what_was_typed_as_a_new_class(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("traffic light")
    picker = picker_of(qtbot, opened)
    qtbot.keyClicks(picker.focusWidget(), "traf")
    (listed,) = picker.findChildren(QListWidget)
    assert [listed.item(row).text() for row in range(listed.count())] == ["traffic light  (1)", "New class “traf”"]


def test_palette_prefers_whole_words(qtbot: QtBot, opened: Workbench) -> None:
    palette = palette_of(qtbot, opened)
    qtbot.keyClicks(palette.focusWidget(), "hole")
    assert not any("whole" in text for text in palette.found_texts)
    palette.focusWidget().clear()
    qtbot.keyClicks(palette.focusWidget(), "olygon")
    assert "Tools › Draw polygon" in palette.found_texts, "where no word begins so, any that holds it will do"


def test_typed_class_is_given_to_the_selection(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    opened.classes.add("debris")
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        opened.model.run_on_image()
    opened.editing.select_all()
    picker = picker_of(qtbot, opened)
    qtbot.keyClicks(picker.focusWidget(), "deb")
    qtbot.keyClick(picker.focusWidget(), Key.Key_Return)
    debris = next(c.id for c in opened.session.classes.listed if c.name == "debris")
    assert {i.category_id for i in opened.session.document} == {debris}


def test_unknown_name_makes_a_class(qtbot: QtBot, opened: Workbench) -> None:
    picker = picker_of(qtbot, opened)
    qtbot.keyClicks(picker.focusWidget(), "mitosis")
    qtbot.keyClick(picker.focusWidget(), Key.Key_Return)
    assert [c.name for c in opened.session.classes.listed] == ["mitosis"]
