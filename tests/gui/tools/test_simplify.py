import numpy as np
import pytest

from canvas_support import ToolHost, document_of
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.simplify import SimplifyTool
from maskwright_gui.tools.tool import Pointer


def host(selection=frozenset({1})) -> ToolHost:
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    ring = np.column_stack((90 + 60 * np.cos(angles), 75 + 60 * np.sin(angles)))
    built = ToolHost(document_of(Instance(1, 1, (Polygon.of(ring),))), selection=selection)
    return built.use(SimplifyTool(built.context))


def test_the_wheel_shows_fewer_points_and_how_true_they_are() -> None:
    session = host()
    session.tool.on_wheel(Pointer(90, 75), -3)
    detail = session.tool.detail
    assert detail.vertices < detail.vertices_before == 100
    assert 0.9 < detail.iou < 1
    assert str(detail.vertices) in session.tool.overlay().notes[0].text
    assert session.commits == []


def test_turning_back_brings_every_vertex_back() -> None:
    session = host()
    session.tool.on_wheel(Pointer(90, 75), -8)
    session.tool.on_wheel(Pointer(90, 75), 30)
    assert session.tool.detail.vertices > 90


def test_detail_comes_back_after_it_was_taken_and_applied() -> None:
    session = host()
    before = session.document[1].polygons
    session.tool.tolerance = 8.0
    session.key("Enter")
    assert session.document[1].vertex_count < 20

    session.tool.tolerance = 0.0
    session.key("Enter")

    assert session.document[1].polygons == before


def test_enter_applies_in_one_step() -> None:
    session = host()
    session.key("Enter")
    assert session.labels == ["Simplify"]
    assert session.document[1].vertex_count < 100


def test_escape_leaves_it_as_it_was() -> None:
    session = host()
    session.key("Escape")
    assert session.commits == []
    assert session.tool.overlay().instances == ()


def test_nothing_selected_is_said() -> None:
    session = host(frozenset())
    assert session.tool.hint == "Select objects to simplify"
    assert session.tool.detail is None


@pytest.mark.parametrize("tolerance", [0.0, 1e9], ids=["none", "huge"])
def test_the_slider_stays_in_bounds(tolerance: float) -> None:
    session = host()
    session.tool.tolerance = tolerance
    assert 0 < session.tool.tolerance <= 200


def test_the_figures_are_in_the_hint_for_those_without_a_mouse() -> None:
    session = host()
    session.key("[")
    assert "points, IoU" in session.tool.hint
