import numpy as np

from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright.overlay import draw_overlay

RED = (0, 0, 255)


def ring_square(low: float, high: float) -> list[tuple[float, float]]:
    return [(low, low), (high, low), (high, high), (low, high)]


def overlay_of(*polygons: Polygon) -> np.ndarray:
    image = np.full((40, 40, 3), 100, np.uint8)
    return draw_overlay(image, [Instance(1, 1, polygons)], colour_of=lambda _: RED)


def test_inside_is_tinted_and_outside_untouched() -> None:
    picture = overlay_of(Polygon.of(ring_square(10, 30)))
    assert picture[20, 20, 2] > 120 > picture[20, 20, 0]
    assert (picture[4, 4] == 100).all()


def test_holes_stay_open() -> None:
    picture = overlay_of(Polygon.of(ring_square(4, 36), [ring_square(14, 26)]))
    assert (picture[20, 20] == 100).all()


def test_polygon_beyond_the_border_is_clipped() -> None:
    assert overlay_of(Polygon.of(ring_square(-20, 80))).shape == (40, 40, 3)
    assert (overlay_of(Polygon.of(ring_square(100, 120))) == 100).all()
