from canvas_support import ToolHost, document_of, square
from maskwright.document.document import Document
from maskwright.document.values import InstanceState
from maskwright_gui.tools.overlay import Mark
from maskwright_gui.tools.path import PolygonTool
from maskwright_gui.tools.tool import Button, Pointer

TRIANGLE = [(20, 20), (80, 20), (50, 80)]


def host(*places: tuple[float, float]) -> ToolHost:
    built = ToolHost(document_of(square(1)))
    built.use(PolygonTool(built.context))
    for place in places:
        built.click(*place)
    return built


def drawn(session: ToolHost) -> list[list[tuple[float, float]]]:
    return [session.ring(id_) for id_ in session.document.instances if id_ >= 1000]


def test_closing_click_commits_the_polygon() -> None:
    session = host(*TRIANGLE)
    session.click(21, 21)
    assert drawn(session) == [TRIANGLE]
    assert session.labels == ["Draw polygon"]


def test_the_new_object_is_selected_and_a_persons() -> None:
    session = host(*TRIANGLE)
    session.key("Enter")
    (new,) = session.context.selection
    assert session.document[new].state is InstanceState.DRAWN


def test_enter_needs_three_points() -> None:
    session = host(*TRIANGLE[:2])
    assert session.key("Enter")
    assert session.commits == []


def test_double_click_closes_without_another_point() -> None:
    session = host(*TRIANGLE)
    session.press(50, 80, is_double=True)
    session.release(50, 80)
    assert drawn(session) == [TRIANGLE]


def test_backspace_takes_the_last_point_back() -> None:
    session = host(*TRIANGLE, (100, 100))
    session.key("Backspace")
    session.key("Enter")
    assert drawn(session) == [TRIANGLE]


def test_right_click_takes_the_last_point_back() -> None:
    session = host(*TRIANGLE, (100, 100))
    session.tool.on_press(Pointer(0, 0, button=Button.RIGHT))
    session.key("Enter")
    assert drawn(session) == [TRIANGLE]


def test_escape_leaves_nothing_behind() -> None:
    session = host(*TRIANGLE)
    session.key("Escape")
    assert session.commits == []
    assert not session.tool.is_busy


def test_dragging_draws_freehand_and_closes_at_the_first_point() -> None:
    session = host()
    around = [(20, 20), (60, 22), (100, 20), (102, 60), (100, 100), (60, 98), (20, 100), (18, 60), (21, 22)]
    session.drag(*around)
    (ring,) = drawn(session)
    assert len(ring) >= 8


def test_backspace_takes_a_freehand_stretch_back_as_one() -> None:
    session = host(*TRIANGLE)
    session.drag((100, 100), (110, 120), (130, 100), (150, 120))
    session.key("Backspace")
    session.key("Backspace")
    session.key("Enter")
    assert drawn(session) == [TRIANGLE]


def test_points_stay_on_the_image() -> None:
    session = host((-10, -10), (300, 0), (300, 300))
    session.key("Enter")
    assert drawn(session) == [[(0, 0), (200, 0), (200, 150)]]


def test_an_outline_that_crosses_itself_becomes_the_areas_it_encloses() -> None:
    session = host((20, 20), (100, 100), (100, 20), (20, 100))
    session.key("Enter")
    (new,) = session.context.selection
    assert len(session.document[new].polygons) == 2


def test_nothing_is_drawn_without_a_class() -> None:
    session = host()
    session.context.category_id = None
    session.click(20, 20)
    assert not session.tool.is_busy
    assert "class" in session.tool.hint


def test_another_image_throws_the_draft_away() -> None:
    session = host(*TRIANGLE)
    session.context.set_document(Document.of(8, (200, 150), []))
    session.tool.on_document()
    assert not session.tool.is_busy


def test_points_of_a_running_freehand_stretch_are_no_vertices_yet() -> None:
    session = host()
    session.press(20, 20)
    for x in range(24, 80, 4):
        session.move(x, 30, held=True)
    (marks,) = [marks for marks in session.tool.overlay().marks if marks.mark is Mark.VERTEX]
    assert len(marks.points) == 1


def test_the_right_button_takes_a_running_freehand_stretch_back() -> None:
    session = host()
    session.press(20, 20)
    for x in range(24, 80, 4):
        session.move(x, 30, held=True)
    session.tool.on_press(Pointer(80, 30, button=Button.RIGHT))
    session.move(90, 60, held=True)
    session.release(90, 60)
    for place in ((90, 60), (40, 90), (20, 20)):
        session.click(*place)
    assert drawn(session) == [[(20, 20), (90, 60), (40, 90)]]
