"""The live wire follows edges, stays cheap on large images and can be told to go straight."""

import numpy as np
import pytest

from maskwright.assist.livewire import MAX_SIDE_PX, LiveWire
from maskwright.errors import PromptError


def disc_image(size: int = 200, radius: float = 60) -> np.ndarray:
    y, x = np.mgrid[:size, :size] + 0.5
    inside = np.hypot(x - size / 2, y - size / 2) < radius
    return np.where(inside[..., None], (40, 60, 220), (60, 180, 60)).astype(np.uint8)


def on_circle(degrees: float, size: int = 200, radius: float = 60) -> tuple[float, float]:
    angle = np.radians(degrees)
    return size / 2 + radius * float(np.cos(angle)), size / 2 + radius * float(np.sin(angle))


@pytest.mark.parametrize(("size", "radius"), [(200, 60), (1200, 400)])
def test_the_way_follows_the_edge(size: int, radius: float) -> None:
    wire = LiveWire(disc_image(size, radius), on_circle(0, size, radius), reach_px=size)
    path = wire.path_to(on_circle(90, size, radius))
    off = np.abs(np.hypot(*(path - size / 2).T) - radius)
    assert off.max() <= max(3.0, 2 * size / MAX_SIDE_PX)
    assert len(path) >= 5


def test_it_begins_at_the_anchor_and_ends_at_the_target_exactly() -> None:
    path = LiveWire(disc_image(), (160.25, 100.5)).path_to((100.75, 160.125))
    assert path[0].tolist() == [160.25, 100.5]
    assert path[-1].tolist() == [100.75, 160.125]


def test_straight_is_two_points() -> None:
    path = LiveWire(disc_image(), on_circle(0)).path_to(on_circle(90), is_straight=True)
    assert path.tolist() == [list(on_circle(0)), list(on_circle(90))]


def test_beyond_its_reach_the_way_goes_on_straight() -> None:
    path = LiveWire(disc_image(), on_circle(180), reach_px=50).path_to((190, 100))
    assert path[-1].tolist() == [190, 100]
    assert (path[:-1, 0] <= 40 + 51).all()


def test_vertices_are_few() -> None:
    path = LiveWire(disc_image(1200, 400), on_circle(0, 1200, 400), reach_px=900).path_to(on_circle(90, 1200, 400))
    assert len(path) < 120


def test_the_region_that_is_looked_at_is_small_whatever_the_image() -> None:
    image = np.broadcast_to(np.zeros(3, np.uint8), (9000, 12_000, 3))  # 108 megapixels that take no memory
    wire = LiveWire(image, (6000, 4500), reach_px=1000)
    assert (wire.window.width, wire.window.height) == (2000, 2000)
    assert max(wire._small_wh) <= MAX_SIDE_PX


@pytest.mark.parametrize("size", [1, 2, 3])
def test_images_of_a_few_pixels_have_ways_too(size: int) -> None:
    path = LiveWire(np.zeros((size, size, 3), np.uint8), (0.5, 0.5)).path_to((size, size))
    assert path[-1].tolist() == [size, size]


@pytest.mark.parametrize("anchor", [(-1, 5), (5, 201), (float("nan"), 5)])
def test_an_anchor_outside_is_refused(anchor: tuple[float, float]) -> None:
    with pytest.raises(PromptError):
        LiveWire(disc_image(), anchor)


def test_a_target_that_is_no_number_is_refused() -> None:
    with pytest.raises(PromptError):
        LiveWire(disc_image(), (5, 5)).path_to((float("nan"), 1))
