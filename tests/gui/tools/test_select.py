import numpy as np
import pytest

from canvas_support import ALT, CTRL, SHIFT, ToolHost, document_of, ring_with_hole, square
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.box import BoxTool, EllipseTool, RectangleTool
from maskwright_gui.tools.context import ToolOptions
from maskwright_gui.tools.overlay import Mark
from maskwright_gui.tools.select import SelectTool
from maskwright_gui.tools.tool import NO_MODIFIERS, Button, KeyPress, Modifiers, Pointer


def host(*instances, selection=frozenset()) -> ToolHost:
    built = ToolHost(document_of(*instances), selection=frozenset(selection))
    return built.use(SelectTool(built.context))


def test_click_selects_the_topmost_object() -> None:
    session = host(square(1, side=60), square(2, at=(10, 10), side=30))
    session.click(30, 30)
    assert session.context.selection == {2}


def test_clicking_again_selects_the_object_below() -> None:
    session = host(square(1, side=60), square(2, at=(10, 10), side=30))
    session.click(25, 25)
    session.click(25, 25)
    assert session.context.selection == {1}


def test_shift_click_adds_and_removes() -> None:
    session = host(square(1), square(2, at=(50, 50)), selection={1})
    session.click(60, 60, SHIFT)
    assert session.context.selection == {1, 2}
    session.click(58, 62, SHIFT)
    assert session.context.selection == {1}


def test_click_on_nothing_deselects() -> None:
    session = host(square(1), selection={1})
    session.click(100, 100)
    assert session.context.selection == frozenset()


def test_click_into_a_hole_selects_nothing() -> None:
    session = host(ring_with_hole(1))
    session.click(20, 20)
    assert session.context.selection == frozenset()


def test_rubber_band_to_the_right_takes_what_lies_inside() -> None:
    session = host(square(1, at=(20, 20)), square(2, at=(60, 20)))
    session.drag((10, 10), (50, 50), (70, 50))
    assert session.context.selection == {1}


def test_rubber_band_to_the_left_takes_what_it_touches() -> None:
    session = host(square(1, at=(20, 20)), square(2, at=(60, 20)))
    session.drag((70, 50), (40, 40), (10, 10))
    assert session.context.selection == {1, 2}


def test_dragging_an_object_moves_it_as_one_step() -> None:
    session = host(square(1, at=(40, 40), side=40))
    session.drag((60, 60), (65, 60), (75, 62))
    assert session.ring(1)[0] == (55, 42)
    assert session.labels == ["Move object"]


def test_objects_stay_on_the_image() -> None:
    session = host(square(1, at=(40, 40), side=40))
    session.drag((60, 60), (10, 10), (-100, -100))
    assert session.ring(1)[0] == (0, 0)


def test_dragging_a_vertex_moves_only_that_vertex() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.drag((40, 40), (36, 38), (30, 33))
    assert session.ring(1) == [(30, 33), (80, 40), (80, 80), (40, 80)]
    assert session.labels == ["Move vertex"]


def test_vertices_of_holes_can_be_dragged() -> None:
    session = host(ring_with_hole(1, at=(40, 40), side=80), selection={1})
    session.drag((60, 60), (64, 64), (66, 65))
    assert session.ring(1, ring=1)[0] == (66, 65)


def test_editing_a_proposal_makes_it_a_persons() -> None:
    session = host(square(1, at=(40, 40), side=40, state=InstanceState.PROPOSED, score=0.9), selection={1})
    session.drag((40, 40), (36, 38), (30, 33))
    assert session.document[1].state is InstanceState.EDITED


def test_escape_during_a_drag_leaves_nothing_behind() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.press(40, 40)
    session.move(20, 20, held=True)
    assert session.key("Escape")
    session.release(20, 20)
    assert session.commits == []
    assert session.tool is not None and session.tool.overlay().instances == ()


def test_pulling_an_edges_midpoint_inserts_a_vertex() -> None:
    session = host(square(1, at=(40, 40), side=60), selection={1})
    session.drag((70, 40), (70, 36), (72, 30))
    assert session.ring(1)[:3] == [(40, 40), (72, 30), (100, 40)]
    assert session.labels == ["Insert vertex"]


def test_dragging_an_edge_beside_its_midpoint_moves_both_ends() -> None:
    session = host(square(1, at=(40, 40), side=80), selection={1})
    session.drag((60, 40), (60, 36), (60, 30))
    assert session.ring(1)[:2] == [(40, 30), (120, 30)]


def test_alt_click_inserts_on_an_edge_and_deletes_a_vertex() -> None:
    session = host(square(1, at=(40, 40), side=80), selection={1})
    session.click(60, 40, ALT)
    assert len(session.ring(1)) == 5
    session.click(60, 40, ALT)
    assert len(session.ring(1)) == 4


def test_backspace_deletes_the_hovered_vertex() -> None:
    session = host(square(1, at=(40, 40), side=80), selection={1})
    session.move(120, 120)
    assert session.key("Backspace")
    assert session.ring(1) == [(40, 40), (120, 40), (40, 120)]


def test_deleting_a_vertex_of_a_triangle_deletes_the_object() -> None:
    session = host(square(1, at=(40, 40), side=80), selection={1})
    for corner in ((120, 120), (120, 40)):
        session.move(*corner)
        session.key("Backspace")
    assert 1 not in session.document


def test_delete_removes_drawn_objects_and_remembers_rejected_proposals() -> None:
    session = host(square(1), square(2, at=(50, 50), state=InstanceState.PROPOSED), selection={1, 2})
    session.key("Delete")
    assert 1 not in session.document
    assert session.document[2].state is InstanceState.REJECTED


def test_arrows_nudge_by_one_pixel_and_by_ten_with_shift() -> None:
    session = host(square(1, at=(40, 40)), selection={1})
    session.key("Right")
    session.key("Down", SHIFT)
    assert session.ring(1)[0] == (41, 50)


def test_locked_objects_cannot_be_dragged_or_deleted() -> None:
    session = host(square(1, at=(40, 40), side=40, is_locked=True), selection={1})
    session.drag((60, 60), (70, 70), (80, 80))
    session.key("Delete")
    assert session.commits == []


def test_a_dragged_vertex_catches_a_neighbours_vertex() -> None:
    session = host(square(1, at=(10, 10), side=40), square(2, at=(100, 10), side=40), selection={1})
    session.drag((50, 10), (70, 10), (97, 12))
    assert session.ring(1)[1] == (100, 10)


def test_ctrl_holds_snapping_off() -> None:
    session = host(square(1, at=(10, 10), side=40), square(2, at=(100, 10), side=40), selection={1})
    session.drag((50, 10), (70, 10), (97, 12), modifiers=CTRL)
    assert session.ring(1)[1] == (97, 12)


def test_a_shared_vertex_moves_its_neighbours_too() -> None:
    session = host(square(1, at=(20, 40), side=40), square(2, at=(60, 40), side=40), selection={1})
    session.drag((60, 40), (60, 36), (64, 30))
    assert session.ring(1)[1] == session.ring(2)[0] == (64, 30)
    assert len(session.commits) == 1


def test_welding_can_be_switched_off() -> None:
    session = host(square(1, at=(20, 40), side=40), square(2, at=(60, 40), side=40), selection={1})
    session.context.options = ToolOptions(joins=False, snaps=False)
    session.drag((60, 40), (60, 36), (64, 30))
    assert session.ring(2)[0] == (60, 40)


def test_every_gesture_can_be_undone_in_one_step() -> None:
    session = host(square(1, at=(20, 40), side=40), square(2, at=(60, 40), side=40), selection={1})
    before = dict(session.document.instances)
    session.drag((60, 40), (60, 36), (64, 30))
    session.undo()
    assert dict(session.document.instances) == before


def test_hovered_vertex_is_marked() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.move(41, 41)
    assert session.tool is not None
    assert [marks.mark for marks in session.tool.overlay().marks] == [Mark.HOT]


def test_a_proposal_arriving_meanwhile_does_not_disturb_a_drag() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.press(40, 40)
    session.move(30, 30, held=True)
    arrived = document_of(*session.document, square(9, at=(120, 100), state=InstanceState.PROPOSED))
    session.context.set_document(arrived)
    session.tool.on_document()
    session.release(30, 30)
    assert session.ring(1)[0] == (30, 30)


@pytest.mark.parametrize("key", ["Delete", "Left", "Escape"], ids=str)
def test_keys_go_to_the_window_while_nothing_is_selected(key: str) -> None:
    assert not host(square(1)).key(key)


def many_cornered(id_: int) -> Instance:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return Instance(id_, 1, (Polygon.of(np.column_stack((90 + 60 * np.cos(angles), 75 + 60 * np.sin(angles)))),))


def test_alt_drag_erases_vertices_along_its_way() -> None:
    session = host(many_cornered(1), selection={1})
    session.drag((150, 75), (148, 95), (140, 115), modifiers=ALT)
    assert 18 <= len(session.ring(1)) < 23
    assert session.labels == ["Erase vertices"]


def test_erasing_never_closes_a_ring_down() -> None:
    session = host(square(1, at=(40, 40), side=12), selection={1})
    session.drag((38, 38), (46, 46), (54, 54), modifiers=ALT)
    assert len(session.ring(1)) == 3


def test_escape_brings_erased_vertices_back() -> None:
    session = host(many_cornered(1), selection={1})
    session.press(150, 75, ALT)
    session.move(140, 115, ALT, held=True)
    session.key("Escape")
    session.release(140, 115, ALT)
    assert session.commits == []


def test_vertices_are_reached_moved_inserted_and_deleted_by_keys() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.key(".")
    session.key(".")
    session.key("Right", SHIFT)
    assert session.ring(1) == [(40, 40), (90, 40), (80, 80), (40, 80)]
    session.key("Insert")
    assert session.ring(1)[2] == (85, 60)
    session.key("Backspace")
    assert len(session.ring(1)) == 4
    assert session.labels == ["Nudge vertex", "Insert vertex", "Delete vertex"]


def test_escape_goes_from_the_vertex_back_to_the_object() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.key(",")
    session.key("Escape")
    session.key("Down")
    assert session.labels == ["Nudge object"]


def test_a_vertex_reached_by_keys_is_forgotten_with_its_object() -> None:
    session = host(square(1, at=(40, 40), side=40), square(2, at=(100, 40)), selection={1})
    session.key(".")
    session.context.select(frozenset({2}))
    session.key("Down")
    assert session.ring(1)[0] == (40, 40)
    assert session.ring(2)[0] == (100, 41)


def test_a_lasso_adds_what_lies_at_least_half_inside() -> None:
    third = square(3, at=(120, 10), side=20)
    session = host(square(1, at=(10, 10), side=20), square(2, at=(60, 10), side=20), third, selection={3})
    session.drag((5, 5), (65, 5), (65, 40), (5, 40), modifiers=CTRL)
    assert session.context.selection == {1, 3}
    session.drag((50, 5), (75, 5), (75, 40), (50, 40), modifiers=CTRL)
    assert session.context.selection == {1, 2, 3}


def test_escape_throws_the_lasso_away() -> None:
    session = host(square(1, at=(10, 10), side=20))
    session.press(5, 5, CTRL)
    for place in ((65, 5), (65, 40), (5, 40)):
        session.move(*place, CTRL, held=True)
    session.key("Escape")
    session.release(5, 40, CTRL)
    assert session.context.selection == frozenset()


def test_ctrl_and_shift_stand_for_alt() -> None:
    session = host(many_cornered(1), selection={1})
    session.drag((150, 75), (148, 95), (140, 115), modifiers=Modifiers(shift=True, ctrl=True))
    assert session.labels == ["Erase vertices"]


def test_the_right_button_cancels_a_drag() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.press(60, 60)
    session.move(80, 60, held=True)
    session.tool.on_press(Pointer(80, 60, button=Button.RIGHT))
    session.release(80, 60)
    assert session.commits == []
    assert not session.tool.is_busy


@pytest.mark.parametrize(
    ("start", "modifiers", "word"),
    [((60, 60), NO_MODIFIERS, "Shift"), ((40, 40), NO_MODIFIERS, "snapping"), ((40, 40), ALT, "vertices")],
    ids=["move", "vertex", "erase"],
)
def test_the_hint_says_what_the_keys_do_in_the_running_drag(start, modifiers, word) -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.press(*start, modifiers)
    session.move(start[0] + 20, start[1] + 5, modifiers, held=True)
    assert word in session.tool.hint


def test_a_locked_selection_is_told_and_its_delete_key_left_to_the_window() -> None:
    session = host(square(1, at=(40, 40), side=40, is_locked=True), selection={1})
    assert "{toggle_locked} unlocks" in session.tool.hint
    assert not session.tool.wants_key(KeyPress("Delete"))


def test_without_a_selection_a_vertex_is_one_drag_away() -> None:
    session = host(square(1, at=(40, 40), side=40))
    session.drag((41, 41), (36, 36), (31, 31))
    assert session.ring(1)[0] == (30, 30)
    assert session.context.selection == {1}


def test_a_vertex_below_another_object_is_not_taken_by_mistake() -> None:
    session = host(square(1, at=(40, 40), side=40), square(2, at=(20, 20), side=60))
    session.drag((41, 41), (46, 46), (51, 51))
    assert session.ring(1)[0] == (40, 40)
    assert session.labels == ["Move object"]


def test_a_click_on_a_vertex_of_an_unselected_object_selects_it() -> None:
    session = host(square(1, at=(40, 40), side=40))
    session.click(37, 37)
    assert session.context.selection == {1}


def test_backspace_over_an_unselected_object_is_left_to_the_window() -> None:
    session = host(square(1, at=(40, 40), side=40))
    session.move(40, 40)
    assert not session.tool.wants_key(KeyPress("Backspace"))


@pytest.mark.parametrize("end", ["escape", "right button"])
def test_a_drag_that_is_given_up_leaves_the_selection_as_it_was(end: str) -> None:
    session = ToolHost(document_of(square(1, at=(20, 20)), square(2, at=(80, 20))), selection=frozenset({2}))
    session.use(SelectTool(session.context))
    session.move(30, 30)
    session.press(30, 30)
    session.move(45, 30, held=True)
    assert session.context.selection == {1}
    if end == "escape":
        session.key("Escape")
    else:
        session.tool.on_press(Pointer(45, 30, button=Button.RIGHT))
    session.release(45, 30)
    assert (session.context.selection, session.commits) == ({2}, [])


def test_brackets_turn_the_selection_and_turn_it_back() -> None:
    session = host(square(1, at=(40, 40), side=20), selection={1})
    before = session.ring(1)
    session.key("]")
    assert session.ring(1)[0][0] > 40
    session.key("[")
    np.testing.assert_allclose(session.ring(1), before, atol=1e-9)


def test_brackets_without_a_selection_are_left_to_others() -> None:
    session = host(square(1))
    assert not SelectTool(session.context).wants_key(KeyPress("]"))
    session.key("]")
    assert session.commits == []


@pytest.mark.parametrize("tool", [RectangleTool, EllipseTool])
def test_a_drawn_shape_can_still_be_turned(tool: type[BoxTool]) -> None:
    session = host()
    session.use(tool(session.context))
    session.drag((40, 40), (60, 50), (80, 60))
    (id_,) = session.context.selection
    before = session.ring(id_)

    session.key("]")

    assert len(session.commits) == 2
    assert np.abs(np.subtract(session.ring(id_), before)).max() > 0.5
