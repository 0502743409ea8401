from dataclasses import replace

import numpy as np
import pytest
import shapely

from canvas_support import CTRL, ToolHost, document_of, ring_with_hole, square, square_polygon
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.algebra import to_shapely
from maskwright.geometry.raster import polygons_to_mask
from maskwright_gui.tools.brush import BrushTool, EraserTool
from maskwright_gui.tools.context import ToolOptions
from maskwright_gui.tools.overlay import Stroke
from maskwright_gui.tools.tool import KeyPress, Pointer


def host(*instances, tool=BrushTool, selection=frozenset(), radius=10.0) -> ToolHost:
    built = ToolHost(document_of(*instances), selection=frozenset(selection))
    built.context.options = ToolOptions(brush_radius=radius)
    return built.use(tool(built.context))


def area(session: ToolHost, instance_id: int) -> float:
    return float(to_shapely(session.document[instance_id].polygons).area)


def test_a_stroke_on_nothing_draws_a_new_object() -> None:
    session = host()
    session.drag((50, 50), (70, 50), (90, 50))
    (new,) = session.document
    assert new.state is InstanceState.DRAWN
    assert area(session, new.id) == pytest.approx(np.pi * 100 + 40 * 20, rel=0.02)
    assert session.context.selection == {new.id}


def test_painting_grows_the_selected_object_in_one_step() -> None:
    session = host(square(1, at=(40, 40), side=40, state=InstanceState.PROPOSED), selection={1})
    session.drag((80, 60), (90, 60), (100, 60))
    assert area(session, 1) > 1600 + 200
    assert session.labels == ["Brush"]
    assert session.document[1].state is InstanceState.EDITED


def test_vertices_that_the_brush_does_not_touch_stay_exactly() -> None:
    session = host(square(1, at=(40.25, 40.75), side=40), selection={1})
    session.drag((80, 60), (90, 60), (95, 60))
    corners = {(40.25, 40.75), (80.25, 40.75), (80.25, 80.75), (40.25, 80.75)}
    assert corners <= set(session.ring(1))


def test_erasing_inside_makes_a_hole() -> None:
    session = host(square(1, at=(20, 20), side=80), tool=EraserTool, selection={1})
    session.drag((60, 60), (62, 60), (64, 60))
    assert len(session.document[1].polygons[0].holes) == 1
    assert session.labels == ["Erase"]


def test_erasing_across_leaves_two_parts() -> None:
    session = host(square(1, at=(20, 40), side=60), tool=EraserTool, selection={1}, radius=5)
    session.drag((50, 30), (50, 60), (50, 110))
    assert len(session.document[1].polygons) == 2


def test_erasing_everything_deletes_the_object() -> None:
    session = host(square(1, at=(50, 50), side=8), tool=EraserTool, selection={1}, radius=20)
    session.drag((50, 54), (54, 54), (58, 54))
    assert 1 not in session.document


def test_ctrl_turns_the_brush_into_an_eraser() -> None:
    session = host(square(1, at=(20, 20), side=80), selection={1})
    session.drag((60, 60), (62, 60), (64, 60), modifiers=CTRL)
    assert area(session, 1) < 6400


def test_the_brush_takes_the_object_under_it() -> None:
    session = host(square(1, at=(40, 40), side=40))
    session.drag((70, 60), (85, 60), (90, 60))
    assert list(session.document.instances) == [1]
    assert area(session, 1) > 1600


def test_strokes_stay_on_the_image() -> None:
    session = host()
    session.drag((3, 50), (0, 50), (-20, 50))
    (new,) = session.document
    assert new.bounds_xyxy[0] == 0


def test_escape_during_a_stroke_leaves_nothing_behind() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.press(80, 60)
    session.move(100, 60, held=True)
    assert session.tool.overlay().instances
    session.key("Escape")
    session.release(100, 60)
    assert session.commits == []


def test_the_draft_shows_what_the_release_commits() -> None:
    session = host(square(1, at=(40, 40), side=40), selection={1})
    session.press(80, 60)
    for x in range(80, 110, 3):
        session.move(x, 60, held=True)
    (draft,) = session.tool.overlay().instances
    session.release(107, 60)
    shown, made = to_shapely(draft.polygons), to_shapely(session.document[1].polygons)
    assert shown.symmetric_difference(made).area < 0.02 * made.area


@pytest.mark.parametrize(("key", "larger"), [("]", True), ("[", False)], ids=["]", "["])
def test_brackets_change_the_size(key: str, larger: bool) -> None:
    session = host()
    assert session.key(key)
    assert (session.context.options.brush_radius > 10) == larger


def test_the_wheel_changes_the_size_and_ctrl_wheel_is_left_to_zoom() -> None:
    session = host()
    assert session.tool.on_wheel(Pointer(0, 0), 1)
    assert session.context.options.brush_radius > 10
    assert not session.tool.on_wheel(Pointer(0, 0, CTRL), 1)


def test_the_pointer_shows_the_brush() -> None:
    session = host(tool=EraserTool)
    session.move(30, 40)
    (circle,) = session.tool.overlay().circles
    assert (circle.x, circle.y, circle.radius, circle.stroke) == (30, 40, 10, Stroke.ERASER)


def test_brackets_belong_to_the_brush_before_any_shortcut() -> None:
    assert host().tool.wants_key(KeyPress("]"))


@pytest.mark.parametrize("tool", [BrushTool, EraserTool])
def test_a_locked_selection_is_not_painted_on_nor_around(tool) -> None:
    session = host(square(1, at=(40, 40), side=40, is_locked=True), tool=tool, selection={1})
    assert "{toggle_locked} unlocks" in session.tool.hint
    session.drag((60, 60), (80, 60), (120, 60))
    assert session.commits == []


def pixels(session: ToolHost, instance_id: int) -> np.ndarray:
    return polygons_to_mask(session.document[instance_id].polygons, session.document.size_wh)


def with_hole_and_second_part() -> Instance:
    holed = ring_with_hole(1, at=(20, 20), side=60)
    return replace(holed, polygons=(*holed.polygons, square_polygon((120, 30), 30)))


@pytest.mark.parametrize("tool", [BrushTool, EraserTool], ids=["paints", "erases"])
@pytest.mark.parametrize(
    "way", [((50, 50), (58, 52), (90, 55)), ((85, 40), (110, 45), (130, 40)), ((22, 90), (60, 22))]
)
def test_painting_changes_the_pixels_under_the_brush_and_no_others(tool, way) -> None:
    """On an object with a hole and two parts; judged by the pixels that pycocotools fills, as in a file."""
    session = host(with_hole_and_second_part(), tool=tool, selection={1}, radius=7.0)
    before = pixels(session, 1)
    session.drag(*way)
    after = pixels(session, 1)
    rows, columns = np.indices(after.shape)
    stroke = shapely.LineString(way)
    gaps = shapely.distance(stroke, shapely.points(columns + 0.5, rows + 0.5))
    assert (after[gaps < 7 - 1] == (tool is BrushTool)).all()
    assert (after[gaps > 7 + 1] == before[gaps > 7 + 1]).all()
