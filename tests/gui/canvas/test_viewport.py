import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwright_gui.canvas.viewport import MAX_SCALE, Viewport, ViewportState

VIEW = Viewport((4000, 3000), (800, 600)).fitted()


@given(st.floats(0.01, 100), st.floats(100, 700), st.floats(100, 500))
def test_zooming_keeps_the_point_under_the_pointer(factor: float, x: float, y: float) -> None:
    zoomed = VIEW.zoomed(factor, (x, y))
    if factor >= 1:
        assert zoomed.to_image(x, y) == pytest.approx(VIEW.to_image(x, y))


def test_zoom_has_limits() -> None:
    assert VIEW.zoomed(1e9, (400, 300)).scale == MAX_SCALE
    assert VIEW.zoomed(1e-9, (400, 300)).scale > 0


def test_some_of_the_image_stays_in_sight() -> None:
    lost = VIEW.panned(1e6, -1e6)
    x, y = lost.to_screen(0, 3000)
    assert x < 800
    assert y > 0


def test_state_survives_json_and_another_size() -> None:
    state = VIEW.zoomed(6, (300, 200)).state
    restored = VIEW.with_screen((1000, 700)).with_state(ViewportState.from_json(state.to_json()))
    assert restored.state == state


def test_fit_leaves_a_margin_and_centres() -> None:
    assert VIEW.to_screen(2000, 1500) == pytest.approx((400, 300))
    left, top = VIEW.to_screen(0, 0)
    assert left >= 10
    assert top >= 10


def test_a_tiny_object_is_not_blown_up_beyond_sense() -> None:
    assert VIEW.zoomed_to((100, 100, 101, 101)).scale == 16


NEAR = VIEW.centred((1000, 1000), 1.0)
"""Image pixels 600 to 1400 and 700 to 1300."""


def test_what_is_in_view_moves_nothing() -> None:
    assert NEAR.showing((700, 800, 900, 1000)) is NEAR
    assert VIEW.showing((0, 0, 4000, 3000)) is VIEW
    assert VIEW.showing((0, 0, 20, 20)).is_fit


def test_what_is_partly_in_view_is_moved_no_farther_than_needed() -> None:
    moved = NEAR.showing((1350, 800, 1450, 900))
    assert (moved.scale, moved.to_screen(1450, 0)[0]) == (1.0, 792)
    assert moved.to_screen(0, 1000)[1] == NEAR.to_screen(0, 1000)[1]


def test_what_is_out_of_view_is_centred_at_the_same_zoom() -> None:
    moved = NEAR.showing((2900, 2000, 3100, 2100))
    assert (moved.scale, moved.to_screen(3000, 2050)) == (1.0, (400, 300))


def test_what_is_larger_than_the_view_is_shown_whole_unless_it_is_being_looked_at() -> None:
    assert NEAR.showing((0, 0, 2000, 2000)) is NEAR
    x1, y1, x2, y2 = NEAR.showing((2000, 1000, 4000, 3000)).visible_box
    assert x1 <= 2000
    assert y1 <= 1000
    assert x2 >= 4000
    assert y2 >= 3000
