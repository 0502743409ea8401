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
    assert left >= 16
    assert top >= 16


def test_a_tiny_object_is_not_blown_up_beyond_sense() -> None:
    assert VIEW.zoomed_to((100, 100, 101, 101)).scale == 16
