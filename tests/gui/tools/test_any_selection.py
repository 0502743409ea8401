"""Handles and erasers reach the object under the pointer, whatever is selected: corrections follow one another."""

import numpy as np
import pytest

from canvas_support import ALT, CTRL, SHIFT, ToolHost, document_of, square
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.overlay import Mark
from maskwright_gui.tools.select import SelectTool
from maskwright_gui.tools.tool import KeyPress


def host(*instances: Instance, selection: frozenset[int] = frozenset()) -> ToolHost:
    built = ToolHost(document_of(*instances), selection=selection)
    return built.use(SelectTool(built.context))


def round_one(id_: int, *, at: tuple[float, float]) -> Instance:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return Instance(id_, 1, (Polygon.of(np.column_stack((at[0] + 30 * np.cos(angles), at[1] + 30 * np.sin(angles)))),))


selections = pytest.mark.parametrize("selection", [frozenset(), frozenset({1})], ids=["nothing", "another object"])


@selections
def test_a_vertex_is_one_drag_away(selection: frozenset[int]) -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=selection)
    session.drag((81, 41), (76, 36), (71, 31))
    assert session.ring(2)[0] == (70, 30)
    assert (session.context.selection, session.labels) == ({2}, ["Move vertex"])


@selections
def test_a_new_vertex_is_one_drag_away(selection: frozenset[int]) -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=selection)
    session.drag((110, 41), (112, 30), (115, 25))
    assert (115, 25) in session.ring(2)
    assert (session.context.selection, session.labels) == ({2}, ["Insert vertex"])


@selections
def test_erasing_starts_on_the_object_that_it_is_set_down_on(selection: frozenset[int]) -> None:
    session = host(square(1), round_one(2, at=(120, 80)), selection=selection)
    session.drag((140, 80), (150, 85), (145, 100), modifiers=ALT)
    assert 3 < len(session.ring(2)) < 24
    assert len(session.ring(1)) == 4
    assert (session.context.selection, session.labels) == ({2}, ["Erase vertices"])


def test_erasing_beside_all_objects_is_for_the_selected_one() -> None:
    session = host(round_one(1, at=(60, 60)), square(2, at=(150, 100)), selection=frozenset({1}))
    session.drag((110, 60), (90, 60), (88, 75), modifiers=ALT)
    assert len(session.ring(1)) < 24


def test_erasing_from_within_a_neighbour_is_for_the_selected_object_that_is_near() -> None:
    session = host(round_one(1, at=(60, 60)), square(2, at=(60, 20), side=80), selection=frozenset({1}))
    session.drag((95, 60), (88, 70), (84, 78), modifiers=ALT)
    assert len(session.ring(1)) < 24
    assert len(session.ring(2)) == 4


def test_a_click_on_a_vertex_of_another_object_selects_that_object() -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=frozenset({1}))
    session.click(79, 39)
    assert session.context.selection == {2}


def test_shift_and_ctrl_on_a_vertex_of_another_object_are_about_the_selection() -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=frozenset({1}))
    session.click(82, 42, SHIFT)
    assert session.context.selection == {1, 2}
    session = host(square(1), square(2, at=(80, 40), side=60), selection=frozenset({1}))
    session.drag((79, 39), (145, 35), (145, 105), (75, 105), modifiers=CTRL)
    assert (session.context.selection, session.commits) == ({1, 2}, [])


def test_backspace_over_a_vertex_of_another_object_is_left_to_the_window() -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=frozenset({1}))
    session.move(80, 40)
    assert not session.tool.wants_key(KeyPress("Backspace"))
    assert not session.key("Backspace")


def test_escape_gives_the_selection_back_that_a_drag_on_another_object_took() -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=frozenset({1}))
    session.press(110, 40)
    session.move(112, 25, held=True)
    session.key("Escape")
    session.release(112, 25)
    assert (session.context.selection, session.commits) == ({1}, [])


def test_a_locked_objects_corner_is_no_handle() -> None:
    session = host(square(1), square(2, at=(80, 40), side=60, is_locked=True), selection=frozenset({1}))
    session.drag((81, 41), (76, 36), (71, 31))
    assert session.commits == []


def test_a_hot_vertex_shows_whose_it_is() -> None:
    session = host(square(1), square(2, at=(80, 40), side=60), selection=frozenset({1}))
    session.move(81, 41)
    overlay = session.tool.overlay()
    assert (overlay.hovered, [mark.mark for mark in overlay.marks]) == (2, [Mark.HOT])
    assert "click selects" in session.tool.hint


def test_a_small_object_that_is_not_selected_is_moved_not_reshaped() -> None:
    session = host(square(1), square(2, at=(80, 40), side=24), selection=frozenset({1}))
    session.drag((80, 40), (90, 50), (100, 60))
    assert session.labels == ["Move object"]
    assert session.ring(2)[0] == (100, 60)
