"""Whatever keys or the list go on to comes into view, at any zoom."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from canvas_support import square
from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench

Key = Qt.Key


@pytest.fixture
def zoomed(opened: Workbench) -> Workbench:
    """A proposal in each of two corners of the image, the view close to the first one."""
    opened.classes.add("cell")
    session = opened.session
    ids = [session.new_instance_id() for _ in range(2)]
    places = [(2.0, 2.0), (56.0, 40.0)]
    proposals = [
        square(id_, at=at, side=5, category_id=session.classes.listed[0].id, state=InstanceState.PROPOSED, score=0.9)
        for id_, at in zip(ids, places, strict=True)
    ]
    session.edit(Change.create(proposals), "Propose")
    session.select(frozenset(ids[:1]))
    opened.window.canvas.navigator.zoom_to_box((0, 0, 16, 12))
    return opened


def is_in_view(bench: Workbench, instance_id: int) -> bool:
    x1, y1, x2, y2 = bench.session.document[instance_id].bounds_xyxy
    left, top, right, bottom = bench.window.canvas.navigator.viewport.visible_box
    return left <= x1 and top <= y1 and x2 <= right and y2 <= bottom


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_X, Key.Key_Tab], ids=["accept", "reject", "next"])
def test_the_next_object_comes_into_view(qtbot: QtBot, zoomed: Workbench, key: Key) -> None:
    canvas = zoomed.window.canvas
    _, second = sorted(zoomed.session.document.instances)
    scale = canvas.navigator.zoom
    assert not is_in_view(zoomed, second)
    qtbot.keyClick(canvas, key)
    assert zoomed.session.selection == {second}
    assert is_in_view(zoomed, second)
    assert canvas.navigator.zoom == scale


def test_an_object_chosen_in_the_list_comes_into_view(zoomed: Workbench) -> None:
    _, second = sorted(zoomed.session.document.instances)
    panel = zoomed.objects.panel
    panel.table.setCurrentIndex(panel.model.index(1, 0))
    assert is_in_view(zoomed, second)


def test_a_click_on_the_canvas_moves_nothing(zoomed: Workbench) -> None:
    before = zoomed.window.canvas.navigator.viewport
    zoomed.window.canvas.selection_requested.emit(frozenset(zoomed.session.document.instances))
    assert zoomed.window.canvas.navigator.viewport == before


def test_the_zoom_follows_if_wanted(qtbot: QtBot, zoomed: Workbench) -> None:
    canvas = zoomed.window.canvas
    zoomed.window.actions_table["toggle_follow"].setChecked(True)
    canvas.navigator.zoom_to_actual()
    qtbot.keyClick(canvas, Key.Key_Tab)
    assert canvas.navigator.zoom > 2
