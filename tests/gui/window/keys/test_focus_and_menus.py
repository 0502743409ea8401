"""The keys go where the user works, and a right click on a row says what can be done with it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright_gui.app import Workbench
from project_builders import drawn, square

Key = Qt.Key


@pytest.fixture
def three(opened: Workbench) -> Workbench:
    """Three objects, listed in another order than they are read on the image."""
    session = opened.session
    category = opened.classes.add("cell")
    places = ((40, 2), (2, 2), (20, 2))
    shapes = [drawn(session.new_instance_id(), square(*at, 8), category_id=category.id) for at in places]
    session.edit(Change.of([(None, shape) for shape in shapes]), "Draw")
    opened.window.later.flush()
    return opened


def field(bench: Workbench, name: str) -> QLineEdit:
    return next(one for one in bench.window.findChildren(QLineEdit) if one.accessibleName() == name)


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def choose(menu: QMenu, text: str) -> None:
    next(action for action in menu.actions() if action.text() == text).trigger()


def test_after_a_class_was_added_the_keys_are_the_canvass(qtbot: QtBot, opened: Workbench) -> None:
    name = field(opened, "Name of a new class")
    name.setFocus()
    qtbot.keyClicks(name, "cell")
    qtbot.keyClick(name, Key.Key_Return)

    assert opened.window.focusWidget() is opened.window.canvas
    qtbot.keyClick(opened.window.focusWidget(), Key.Key_P)
    assert opened.window.canvas.tool.name == "polygon"


def test_where_a_name_was_refused_the_keys_stay_to_mend_it(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    name = field(opened, "Name of a new class")
    name.setFocus()
    qtbot.keyClicks(name, "cell")
    qtbot.keyClick(name, Key.Key_Return)

    assert opened.window.focusWidget() is name


@pytest.mark.parametrize("name", ["Name of a new class", "Find images by file name, class, score and more"])
def test_escape_leaves_a_field(qtbot: QtBot, opened: Workbench, name: str) -> None:
    one = field(opened, name)
    one.setFocus()
    qtbot.keyClick(one, Key.Key_Escape)
    assert opened.window.focusWidget() is opened.window.canvas


def test_tab_in_the_list_goes_down_the_list(qtbot: QtBot, three: Workbench) -> None:
    table = three.objects.panel.table
    table.setFocus()
    walked = []
    for _ in range(4):
        qtbot.keyClick(table, Key.Key_Tab)
        walked += three.session.selection
    listed = three.objects.panel.listed_ids
    assert walked == [*listed, listed[0]]


def test_tab_on_the_canvas_goes_across_the_image(qtbot: QtBot, three: Workbench) -> None:
    canvas = three.window.canvas
    canvas.setFocus()
    walked = []
    for _ in range(3):
        qtbot.keyClick(canvas, Key.Key_Tab)
        (chosen,) = three.session.selected_instances()
        walked.append(chosen.bounds_xyxy[0])
    assert walked == [2.0, 20.0, 40.0]


def test_a_row_of_an_object_has_the_menu_of_the_object(three: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, opened_menus = three.objects.panel, []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _at: opened_menus.append(menu))
    first = panel.listed_ids[0]
    three.session.select(frozenset({first}))

    panel.table.customContextMenuRequested.emit(QPoint(4, 4))

    (menu,) = opened_menus
    assert {"Change class…", "Delete", "Hide or show"} <= set(texts(menu))
    choose(menu, "Delete")
    assert first not in three.session.document


def test_a_row_of_an_image_says_what_can_be_done_with_it(
    opened: Workbench, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(url) or True)
    menu = opened.image_menu.make(4)

    choose(menu, "Copy file name")
    assert QGuiApplication.clipboard().text() == "003.png"
    choose(menu, "Copy file path")
    assert QGuiApplication.clipboard().text() == str(folder / "003.png")
    choose(menu, "Show in folder")
    assert seen == [QUrl.fromLocalFile(str(folder))]
    choose(menu, "Show this image")
    assert opened.session.image.id == 4


def test_the_menu_of_an_image_runs_the_model_on_it(qtbot: QtBot, opened: Workbench) -> None:
    with qtbot.waitSignal(opened.model.predicted, timeout=20_000):
        choose(opened.image_menu.make(3), "Run model on this image")
    assert len(opened.session.project.stored.instances.of(3)) == 2


def test_a_right_click_on_the_list_of_images_opens_the_menu_of_that_row(
    opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(opened.image_menu, "make", asked.append)
    view = opened.images.panel.list_view

    view.customContextMenuRequested.emit(view.visualRect(view.model().index(1, 0)).center())

    assert asked == [2]


def walk(qtbot: QtBot, bench: Workbench, panel: QWidget, first: str) -> list[tuple[int, int]]:
    """Top and left of what Tab goes through in a panel, rows rounded so that a row counts as one."""
    next(each for each in panel.findChildren(QWidget) if each.accessibleName() == first).setFocus()
    places = []
    while (at := bench.window.focusWidget()) is not None and panel.isAncestorOf(at):
        corner = at.mapTo(panel, at.rect().center())
        places.append((round(corner.y() / 20), corner.x()))
        qtbot.keyClick(at, Key.Key_Tab)
    return places


def test_tab_goes_through_the_model_panel_as_it_stands(qtbot: QtBot, opened: Workbench) -> None:
    places = walk(qtbot, opened, opened.model.panel, "Model")
    assert places == sorted(places)
    assert len(places) >= 5


def test_tab_goes_through_the_sliders_as_they_stand(qtbot: QtBot, labelled: Workbench) -> None:
    strip = labelled.thresholds.strip
    strip.show_expert(True)
    labelled.window.later.flush()
    rights = [x for _, x in walk(qtbot, labelled, strip, "Score")]
    first_row = rights[: rights.index(max(rights)) + 1]
    assert first_row == sorted(first_row)
    assert len(first_row) >= 4 and rights[len(first_row) :] == sorted(rights[len(first_row) :])
