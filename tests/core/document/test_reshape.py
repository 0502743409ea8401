import numpy as np
import pytest
import shapely

from canvas_support import document_of, square
from maskwright.document.edits import redraw_stretch
from maskwright.document.spatial import EdgePoint, SpatialIndex

INDEX = SpatialIndex(document_of(square(1, at=(20, 20), side=60)))
RING = INDEX.document[1].polygons[0].exterior


def on_outline(x: float, y: float) -> EdgePoint:
    found = INDEX.nearest_edge(x, y, tolerance=5)
    assert found is not None
    return found


def redrawn(*path: tuple[float, float]) -> float:
    ring = redraw_stretch(RING, on_outline(*path[0]), on_outline(*path[-1]), np.array(path, float))
    shape = shapely.Polygon(ring)
    assert shape.is_valid
    return shape.area


@pytest.mark.parametrize("turn", [1, -1], ids=["along", "against"])
def test_a_bulge_replaces_the_nearer_stretch(turn: int) -> None:
    assert redrawn(*[(30, 20), (30, 10), (50, 10), (50, 20)][::turn]) == 3600 + 200


@pytest.mark.parametrize("turn", [1, -1], ids=["along", "against"])
def test_a_dent_replaces_the_nearer_stretch(turn: int) -> None:
    assert redrawn(*[(30, 20), (30, 30), (50, 30), (50, 20)][::turn]) == 3600 - 200


def test_a_cut_around_a_corner() -> None:
    assert redrawn((60, 20), (80, 40)) == 3600 - 200


def test_a_stretch_that_crosses_the_first_vertex() -> None:
    assert redrawn((20, 40), (40, 20)) == 3600 - 200


def test_the_rest_of_the_outline_stays_as_it_is() -> None:
    ring = redraw_stretch(RING, on_outline(30, 20), on_outline(50, 20), np.array([(30, 20), (40, 5), (50, 20)], float))
    assert {(20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 80.0)} <= {tuple(map(float, point)) for point in ring}
