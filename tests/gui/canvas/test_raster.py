import numpy as np
import pytest

from canvas_support import ring_with_hole, square
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright_gui.canvas.raster import LayerView, OutlineStyle, dash_segments, rasterise
from maskwright_gui.canvas.scene import Scene, thinned_outlines
from maskwright_gui.canvas.style import CanvasStyle

FILLS = OutlineStyle(has_lines=False)


def picture(*instances: Instance, scale: float = 1.0, origin: tuple[float, float] = (0, 0), look: OutlineStyle = FILLS):
    view = LayerView(scale, *origin, 120, 90)
    buffer = np.zeros((90, 120, 4), np.uint8)
    rasterise(Scene.of(instances, CanvasStyle()), view, buffer, look)
    return buffer


def test_a_fill_covers_the_pixels_between_its_edges() -> None:
    filled = picture(square(1, at=(10, 20), side=30))[..., 3] > 0
    expected = np.zeros((90, 120), bool)
    expected[20:50, 10:40] = True
    # cv2 fills its boundary too: one pixel row more on the far sides at most
    assert expected[filled].mean() > 0.93
    assert filled[expected].all()


def test_holes_stay_holes() -> None:
    filled = picture(ring_with_hole(1, at=(10, 10), side=60))[..., 3] > 0
    assert filled[15, 15]
    assert not filled[40, 40]


def test_overlapping_parts_do_not_cancel_out() -> None:
    parts = (square(1, at=(10, 10), side=40).polygons[0], square(1, at=(30, 30), side=40).polygons[0])
    assert picture(Instance(1, 1, parts))[40, 40, 3] > 0


def test_many_overlapping_objects_do_not_cancel_out() -> None:
    crowd = [square(n, at=(n % 20 * 5.0, n // 20 * 5.0), side=9, category_id=n % 3 + 1) for n in range(200)]
    filled = picture(*crowd)[..., 3] > 0
    assert filled[2:45, 2:95].all()


def test_the_higher_object_wins_where_two_overlap() -> None:
    low, high = square(1, side=60, category_id=1), square(2, side=60, category_id=2)
    assert (picture(low, high)[30, 30] == picture(high)[30, 30]).all()


def test_colours_are_premultiplied() -> None:
    buffer = picture(square(1, at=(10, 10), side=60), look=OutlineStyle(halo=2, is_strong=True))
    assert (buffer[..., :3].max(axis=2) <= buffer[..., 3]).all()


def test_zoom_and_origin_place_the_fill() -> None:
    filled = picture(square(1, at=(10, 10), side=10), scale=4.0, origin=(20.0, 0.0))[..., 3] > 0
    rows, columns = np.nonzero(filled)
    assert (columns.min(), rows.min()) == (20, 40)
    assert columns.max() in (59, 60)


def test_outlines_far_outside_the_view_are_drawn_right() -> None:
    huge = square(1, at=(-100_000, -100_000), side=200_000)
    assert (picture(huge, scale=16.0)[..., 3] > 0).all()


@pytest.mark.parametrize("state", [InstanceState.PROPOSED, InstanceState.ACCEPTED], ids=str)
def test_proposals_are_dashed_and_accepted_ones_solid(state: InstanceState) -> None:
    buffer = picture(square(1, at=(10, 10), side=60, state=state), look=OutlineStyle(is_underlined=False))
    edge = buffer[9:11, 14:66, 3].max(axis=0)
    assert (edge.min() < 150) == (state is InstanceState.PROPOSED)


def test_dashes_lie_on_their_own_ring() -> None:
    rings = np.array([[0, 0], [160, 0], [160, 160], [0, 160], [800, 0], [960, 0], [960, 160], [800, 160]], np.int32)
    dashes = dash_segments(rings, np.array([0, 4, 8]), np.array([True, True]), 16.0)
    assert dashes is not None
    for ring, low in ((0, 0), (1, 800)):
        own = dashes.segments[dashes.ring == ring]
        assert len(own)
        assert own[..., 0].min() >= low
        assert own[..., 0].max() <= low + 160


def test_thinning_keeps_rings_closed_and_in_place() -> None:
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    circle = Instance(1, 1, (Polygon.of(50 + 40 * np.column_stack((np.cos(angles), np.sin(angles)))),))
    tiny = square(2, at=(5, 5), side=0.1)
    outlines = Scene.of([circle, tiny], CanvasStyle()).outlines
    thin = thinned_outlines(outlines, 5.0)
    assert 40 <= np.diff(thin.ring_starts)[0] <= 60
    assert np.diff(thin.ring_starts)[1] >= 3
    distances = np.hypot(*(thin.points[: thin.ring_starts[1]] - 50).T)
    assert distances == pytest.approx(40)


def test_nothing_to_draw_leaves_the_buffer_empty() -> None:
    assert not picture().any()
