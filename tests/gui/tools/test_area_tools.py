import pytest

from canvas_support import SHIFT, ToolHost, document_of, square
from maskwright.document.values import InstanceState
from maskwright.geometry.algebra import to_shapely
from maskwright_gui.tools.area import ExtendTool, HoleTool, SplitTool
from maskwright_gui.tools.box import EllipseTool, RectangleTool
from maskwright_gui.tools.brush import EraserTool
from maskwright_gui.tools.context import ToolOptions
from maskwright_gui.tools.redraw import RedrawTool


def host(tool, *instances, selection=frozenset()) -> ToolHost:
    built = ToolHost(document_of(*instances), selection=frozenset(selection))
    return built.use(tool(built.context))


def area(session: ToolHost, instance_id: int) -> float:
    return float(to_shapely(session.document[instance_id].polygons).area)


def outline(session: ToolHost, *places: tuple[float, float]) -> None:
    for place in places:
        session.click(*place)
    session.key("Enter")


BIG = square(1, at=(20, 20), side=100)


def test_a_hole_is_cut_out_of_the_object_below() -> None:
    session = host(HoleTool, BIG)
    outline(session, (40, 40), (80, 40), (80, 80), (40, 80))
    assert len(session.document[1].polygons[0].holes) == 1
    assert area(session, 1) == 10_000 - 1_600
    assert session.labels == ["Cut out"]


def test_a_bite_is_cut_out_of_the_selection_only() -> None:
    session = host(HoleTool, BIG, square(2, at=(100, 20), side=50), selection={1})
    outline(session, (100, 60), (140, 60), (140, 70), (100, 70))
    assert area(session, 1) == 10_000 - 200
    assert area(session, 2) == 2_500


def test_an_area_is_added_to_the_selection() -> None:
    session = host(ExtendTool, BIG, selection={1})
    outline(session, (110, 60), (150, 60), (150, 80), (110, 80))
    assert area(session, 1) == 10_000 + 600


def test_a_hole_beside_everything_changes_nothing() -> None:
    session = host(HoleTool, BIG)
    outline(session, (150, 40), (180, 40), (180, 80))
    assert session.commits == []


def test_a_line_splits_every_object_that_it_crosses() -> None:
    session = host(SplitTool, BIG, square(2, at=(130, 20), side=40))
    outline(session, (10, 40), (190, 40))
    assert len(session.document) == 4
    assert session.labels == ["Split"]


def test_a_freehand_line_splits_on_release() -> None:
    session = host(SplitTool, BIG)
    session.drag((10, 60), (60, 62), (100, 60), (130, 61))
    assert len(session.document) == 2


def test_a_line_splits_only_the_selection() -> None:
    session = host(SplitTool, BIG, square(2, at=(130, 20), side=40), selection={2})
    outline(session, (10, 40), (190, 40))
    assert area(session, 1) == 10_000


@pytest.mark.parametrize("way", ["drag", "clicks"])
def test_rectangle_from_corner_to_corner(way: str) -> None:
    session = host(RectangleTool)
    if way == "drag":
        session.drag((60, 70), (40, 40), (20, 30))
    else:
        session.click(60, 70)
        session.click(20, 30)
    (new,) = session.document
    assert new.bounds_xyxy == (20, 30, 60, 70)
    assert new.vertex_count == 4
    assert session.context.selection == {new.id}


def test_shift_makes_a_square() -> None:
    session = host(RectangleTool)
    session.drag((20, 20), (60, 50), (80, 50), modifiers=SHIFT)
    (new,) = session.document
    assert new.bounds_xyxy == (20, 20, 50, 50)


def test_ellipse_fills_its_box() -> None:
    session = host(EllipseTool)
    session.drag((20, 20), (80, 60), (120, 80))
    (new,) = session.document
    assert area(session, new.id) == pytest.approx(3.14159 * 50 * 30, rel=0.02)
    assert new.vertex_count >= 12


def test_escape_and_tiny_boxes_draw_nothing() -> None:
    session = host(RectangleTool)
    session.press(20, 20)
    session.move(60, 60, held=True)
    session.key("Escape")
    session.release(60, 60)
    session.click(100, 100)
    session.click(100.2, 100.2)
    assert session.commits == []


def test_boxes_stay_on_the_image() -> None:
    session = host(RectangleTool)
    session.drag((150, 100), (300, 300), (400, 400))
    (new,) = session.document
    assert new.bounds_xyxy == (150, 100, 200, 150)


@pytest.mark.parametrize("tool", [RectangleTool, EllipseTool], ids=["rectangle", "ellipse"])
def test_a_shape_is_turned_while_it_is_drawn(tool: type) -> None:
    session = host(tool)
    session.click(40, 60)
    session.move(100, 80)
    for _ in range(30):  # steps of 3 degrees
        session.key("]")
    session.click(100, 80)

    (new,) = session.document
    assert new.bounds_xyxy == pytest.approx((60, 40, 80, 100), abs=0.5)


def test_what_is_turned_out_of_the_image_is_cut_off() -> None:
    session = host(RectangleTool)
    session.click(0, 0)
    session.move(200, 20)
    for _ in range(30):
        session.key("[")
    session.click(200, 20)

    (new,) = session.document
    assert new.bounds_xyxy == pytest.approx((90, 0, 110, 110), abs=1e-6)


def test_the_next_shape_is_upright_again() -> None:
    session = host(RectangleTool)
    session.click(20, 20)
    session.move(60, 40)
    session.key("]")
    session.key("Escape")
    session.drag((20, 20), (60, 40))

    (new,) = session.document
    assert new.bounds_xyxy == (20, 20, 60, 40)


def test_without_a_shape_under_way_the_keys_are_the_windows() -> None:
    session = host(RectangleTool)
    assert not session.key("]")


def test_redrawing_replaces_the_nearer_stretch() -> None:
    session = host(RedrawTool, BIG)
    session.drag((40, 20), (45, 12), (60, 5), (75, 12), (80, 20))
    assert area(session, 1) > 10_000
    assert session.labels == ["Redraw outline"]
    assert {(20, 20), (120, 20), (120, 120), (20, 120)} <= set(session.ring(1))


def test_redrawing_has_to_end_on_the_same_outline() -> None:
    session = host(RedrawTool, BIG, square(2, at=(150, 20), side=40))
    session.drag((120, 40), (130, 40), (150, 40))
    session.drag((40, 20), (60, 60), (70, 70))
    assert session.commits == []


def test_redrawing_with_escape_leaves_nothing_behind() -> None:
    session = host(RedrawTool, BIG)
    session.press(40, 20)
    session.move(60, 5, held=True)
    session.key("Escape")
    session.release(80, 20)
    assert session.commits == []


def test_a_line_leaves_hidden_and_rejected_objects_alone() -> None:
    hidden = square(1, at=(20, 20), side=100, is_visible=False)
    rejected = square(2, at=(20, 20), side=100, state=InstanceState.REJECTED)
    session = host(SplitTool, hidden, rejected)
    outline(session, (10, 70), (130, 70))
    assert session.commits == []


@pytest.mark.parametrize("tool", [HoleTool, ExtendTool, SplitTool, RedrawTool])
def test_a_locked_selection_is_not_exchanged_for_what_lies_below(tool) -> None:
    locked = square(2, at=(20, 20), side=100, is_locked=True)
    session = host(tool, square(1, at=(20, 20), side=100), locked, selection={2})
    assert "{toggle_locked} unlocks" in session.tool.hint
    outline(session, (15, 40), (130, 41), (80, 80), (40, 80))
    session.drag((20, 40), (10, 60), (20, 80))
    assert session.commits == []


def test_redrawing_shows_what_the_release_would_do() -> None:
    session = host(RedrawTool, BIG, selection={1})
    session.press(20, 40)
    for place in ((5, 50), (4, 60), (5, 70)):
        session.move(*place, held=True)
    assert session.tool.overlay().replaced == frozenset()
    session.move(20, 80, held=True)
    (draft,) = session.tool.overlay().instances
    session.release(20, 80)
    assert session.document[1].polygons == draft.polygons


OTHER = square(3, at=(150, 100), side=30)


def test_a_hole_that_misses_the_selection_is_cut_out_of_the_object_below() -> None:
    session = host(HoleTool, BIG, OTHER, selection={3})
    outline(session, (40, 40), (80, 40), (80, 80), (40, 80))
    assert area(session, 1) == 10_000 - 1_600
    assert session.context.selection == {1}


def test_a_line_that_misses_the_selection_splits_what_it_crosses() -> None:
    session = host(SplitTool, BIG, OTHER, selection={3})
    outline(session, (60, 10), (60, 130))
    assert session.labels == ["Split"]
    assert area(session, 1) == 6_000
    assert area(session, 3) == 900


def test_another_outline_than_the_selected_one_can_be_redrawn() -> None:
    session = host(RedrawTool, BIG, OTHER, selection={3})
    session.drag((20, 40), (10, 40), (10, 80), (20, 80))
    assert area(session, 1) == 10_000 + 400
    assert session.context.selection == {1}


def test_where_outlines_cross_the_selected_one_is_redrawn() -> None:
    session = host(RedrawTool, BIG, square(2, at=(22, 20), side=50), selection={1})
    session.drag((22, 40), (10, 40), (10, 60), (21, 60))
    assert set(session.commits[0][0].entries) == {1}


def test_erasing_far_from_the_selection_is_for_the_object_below() -> None:
    session = host(EraserTool, BIG, OTHER, selection={3})
    session.context.options = ToolOptions(brush_radius=5)
    session.drag((20, 60), (30, 60), (40, 60))
    assert area(session, 1) < 10_000
    assert area(session, 3) == 900
