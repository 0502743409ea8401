"""The slider over the canvas: how much detail an outline keeps, how large the brush is."""

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from canvas_support import square
from maskwright.document.change import Change
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.app import Workbench
from maskwright_gui.features.tools.options import fitting_radius


@pytest.fixture
def comb(opened: Workbench) -> Workbench:
    """One selected object whose upper edge has teeth two pixels high."""
    category = opened.classes.add("comb")
    teeth = [(x, 10 + 2 * (x % 4 == 0)) for x in range(10, 52, 2)]
    ring = [*teeth, (50, 40), (10, 40)]
    id_ = opened.session.new_instance_id()
    opened.session.edit(Change.create([Instance(id_, category.id, (Polygon.of(ring),))]), "Draw")
    opened.session.select(frozenset({id_}))
    opened.tools.use("simplify")
    return opened


def vertex_count(bench: Workbench) -> int:
    return sum(one.vertex_count for one in bench.session.document)


def test_the_slider_shows_points_and_iou_while_it_moves(comb: Workbench) -> None:
    bar = comb.tools.bar
    bar.slider.setValue(bar.slider.maximum())
    assert bar.text == "23 of 23 points · IoU 1.000"
    bar.slider.setValue(20)
    assert bar.text.startswith("4 of 23 points · IoU 0.9")
    assert vertex_count(comb) == 23


def test_a_use_of_the_slider_is_one_step_and_detail_comes_back_after_reopening(comb: Workbench, qtbot) -> None:
    bar = comb.tools.bar
    for step in (150, 110, 60, 20):
        bar.slider.setValue(step)
    QTest.keyClick(comb.window.canvas, Qt.Key.Key_Return)
    assert (vertex_count(comb), comb.session.history.undo_label) == (4, "Simplify")
    folder = comb.session.project.image_root
    comb.projects.close_project()
    with qtbot.waitSignal(comb.projects.opened):
        comb.projects.open_path(folder)
    qtbot.waitUntil(lambda: comb.session.document is not None and len(comb.session.document) == 1)

    comb.session.select(frozenset(one.id for one in comb.session.document))
    comb.tools.use("simplify")
    bar.slider.setValue(bar.slider.maximum())
    QTest.keyClick(comb.window.canvas, Qt.Key.Key_Return)

    assert vertex_count(comb) == 23


def test_undo_takes_the_whole_use_back(comb: Workbench) -> None:
    bar = comb.tools.bar
    for step in (150, 110, 60, 20):
        bar.slider.setValue(step)
    bar.apply_requested.emit()
    comb.editing.undo()
    assert vertex_count(comb) == 23


def test_wheel_keys_and_slider_are_one(comb: Workbench) -> None:
    slider = comb.tools.bar.slider
    before = slider.value()
    QTest.keyClick(comb.window.canvas, Qt.Key.Key_BracketLeft)
    assert slider.value() < before


def test_the_slider_works_by_keys_alone(comb: Workbench) -> None:
    window = comb.window
    QTest.keyClick(window.canvas, Qt.Key.Key_F6)
    assert window.focusWidget() is comb.tools.bar.slider
    QTest.keyClick(comb.tools.bar.slider, Qt.Key.Key_PageDown)
    QTest.keyClick(comb.tools.bar.slider, Qt.Key.Key_PageDown)
    QTest.keyClick(comb.tools.bar.slider, Qt.Key.Key_Return)
    assert comb.session.history.undo_label == "Simplify"
    assert comb.tools.bar.slider.accessibleName() == "Points kept"


def test_a_click_beside_the_slider_is_none_on_the_canvas(comb: Workbench) -> None:
    bar = comb.tools.bar
    bar.slider.setValue(20)
    place = QPointF(2, 2)
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QApplication.sendEvent(bar, QMouseEvent(kind, place, bar.mapToGlobal(place), left, left, none))
    assert comb.session.history.undo_label != "Simplify"


def test_the_bar_is_there_only_for_tools_with_a_slider(comb: Workbench) -> None:
    shown = []
    for tool_id in ("select", "brush", "polygon", "eraser", "simplify"):
        comb.tools.use(tool_id)
        shown.append(comb.tools.bar.isVisible())
    assert shown == [False, True, False, True, True]


def test_the_brush_begins_at_a_size_that_suits_the_objects() -> None:
    sides = [square(id_, side=side) for id_, side in enumerate((30, 40, 400), 1)]
    assert fitting_radius(sides, (0, 0, 4000, 3000)) == 5
    assert fitting_radius([], (0, 0, 4000, 3000)) == 75


def test_the_size_of_the_brush_stays_with_the_project(comb: Workbench, qtbot) -> None:
    comb.tools.use("brush")
    QTest.keyClick(comb.window.canvas, Qt.Key.Key_BracketRight, delay=0)
    radius = comb.window.canvas.context.options.brush_radius
    folder = comb.session.project.image_root
    comb.projects.close_project()
    comb.tools.use("select")
    comb.tools.bar.moved.emit(99.0)
    with qtbot.waitSignal(comb.projects.opened):
        comb.projects.open_path(folder)
    comb.tools.use("eraser")
    assert comb.window.canvas.context.options.brush_radius == radius
