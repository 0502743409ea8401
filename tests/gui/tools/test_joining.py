"""A border that two objects share stays shared, by mouse and by keys."""

from canvas_support import ALT, ToolHost, document_of, square
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.context import ToolOptions
from maskwright_gui.tools.select import SelectTool


def neighbours(*, joins: bool = True, **values: object) -> ToolHost:
    """Two squares side by side with the common border x = 60 from y = 40 to 80; the left one is selected."""
    left, right = square(1, at=(20, 40), side=40), square(2, at=(60, 40), side=40, **values)
    built = ToolHost(document_of(left, right), selection=frozenset({1}))
    built.context.options = ToolOptions(joins=joins)
    return built.use(SelectTool(built.context))


def test_a_vertex_nudged_by_keys_takes_its_neighbours_along() -> None:
    session = neighbours()
    session.key(".")
    session.key(".")
    session.key("Right")
    assert session.ring(1)[1] == session.ring(2)[0] == (61, 40)


def test_a_vertex_pulled_out_of_a_shared_edge_belongs_to_both() -> None:
    session = neighbours()
    session.drag((60, 60), (64, 60), (70, 62))
    assert (70, 62) in session.ring(1)
    assert (70, 62) in session.ring(2)
    assert session.labels == ["Insert vertex"]


def test_a_vertex_inserted_by_keys_into_a_shared_edge_belongs_to_both() -> None:
    session = neighbours()
    session.key(".")
    session.key(".")
    session.key("Insert")
    assert (60, 60) in session.ring(1)
    assert (60, 60) in session.ring(2)


def test_a_shared_vertex_is_deleted_from_both() -> None:
    session = neighbours()
    session.click(60, 40, ALT)
    assert len(session.ring(1)) == len(session.ring(2)) == 3


def test_a_triangle_does_not_vanish_with_its_neighbours_vertex() -> None:
    triangle = Instance(2, 1, (Polygon.of([(60, 40), (90, 40), (60, 80)]),))
    session = ToolHost(document_of(square(1, at=(20, 40), side=40), triangle), selection=frozenset({1}))
    session.use(SelectTool(session.context)).click(60, 40, ALT)
    assert len(session.ring(1)) == len(session.ring(2)) == 3


def test_without_welding_every_object_is_alone() -> None:
    session = neighbours(joins=False)
    before = session.document[2]
    session.click(60, 52, ALT)
    session.key(".")
    session.key("Right")
    assert session.document[2] is before


def test_locked_neighbours_stay() -> None:
    session = neighbours(is_locked=True)
    before = session.document[2]
    session.drag((60, 60), (64, 60), (70, 62))
    assert session.document[2] is before


def test_a_dragged_edge_catches_the_image_border() -> None:
    session = ToolHost(document_of(square(1, at=(20, 40), side=40)), selection=frozenset({1}))
    session.use(SelectTool(session.context)).drag((20, 50), (10, 50), (3, 51))
    assert session.ring(1)[0][0] == session.ring(1)[3][0] == 0
