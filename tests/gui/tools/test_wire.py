"""Drawing along edges, without an image: the ways are foretold."""

from dataclasses import dataclass, field

import numpy as np

from canvas_support import CTRL, ToolHost, document_of
from maskwright_gui.features.wire import WireTool
from maskwright_gui.tools.overlay import Points, Stroke

Point = tuple[float, float]


@dataclass
class Detours:
    """From the point asked about last, every way goes by one corner."""

    anchors: list[Point] = field(default_factory=list)
    is_ready: bool = True

    def prepare(self, anchor: Point, reach_px: float) -> None:
        if not self.anchors or self.anchors[-1] != anchor:
            self.anchors.append(anchor)

    def way(self, anchor: Point, target: Point) -> Points | None:
        if not self.is_ready or not self.anchors or self.anchors[-1] != anchor:
            return None
        return np.array([anchor, (anchor[0], target[1]), target])


def host() -> tuple[ToolHost, Detours]:
    built, ways = ToolHost(document_of()), Detours()
    built.use(WireTool(built.context, ways))
    return built, ways


def drawn(session: ToolHost) -> list[list[Point]]:
    return [session.ring(id_) for id_ in session.document.instances if id_ >= 1000]


def test_the_line_follows_the_way_from_click_to_click() -> None:
    session, ways = host()
    for place in ((20, 20), (80, 60), (10, 90)):
        session.click(*place)
    session.key("Enter")
    (ring,) = drawn(session)
    assert ring == [(20, 20), (20, 60), (80, 60), (80, 90), (10, 90), (10, 20)]
    assert ways.anchors == [(20, 20), (80, 60), (10, 90)]
    assert session.labels == ["Draw along edges"]


def test_ctrl_draws_a_straight_side() -> None:
    session, _ = host()
    session.click(20, 20)
    session.click(80, 60, CTRL)
    session.click(10, 90, CTRL)
    session.move(10, 90, CTRL)
    session.key("Enter")
    assert drawn(session) == [[(20, 20), (80, 60), (10, 90)]]


def test_a_way_that_is_not_there_yet_is_a_straight_line() -> None:
    session, ways = host()
    ways.is_ready = False
    for place in ((20, 20), (80, 60), (10, 90)):
        session.click(*place)
    session.key("Enter")
    assert drawn(session) == [[(20, 20), (80, 60), (10, 90)]]


def test_where_a_click_would_lead_is_shown() -> None:
    session, _ = host()
    session.click(20, 20)
    session.move(80, 60)
    assert session.tool is not None
    (guide,) = [line for line in session.tool.overlay().lines if line.stroke is Stroke.GUIDE]
    assert guide.points.tolist() == [[20, 20], [20, 60], [80, 60]]


def test_backspace_takes_back_a_whole_side_and_the_line_goes_on_from_before() -> None:
    session, ways = host()
    session.click(20, 20)
    session.click(80, 60)
    session.key("Backspace")
    session.click(40, 90)
    session.click(60, 30)
    session.key("Enter")
    (ring,) = drawn(session)
    assert ring[:3] == [(20, 20), (20, 90), (40, 90)]
    assert ways.anchors[:3] == [(20, 20), (80, 60), (20, 20)]
