"""Replace a stretch of an outline by a line that a person drew."""

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.document.places import EdgePoint
from maskwright.geometry.polygon import Ring, as_ring

Points = NDArray[np.float64]


def redraw_stretch(ring: Ring, start: EdgePoint, end: EdgePoint, path: Points) -> Ring:
    """The ring with the stretch between two points on it replaced by `path`, (N, 2) image pixels.

    Of the two stretches between the points the one nearer to the drawn path is replaced. Raises ValueError when
    nothing would be left.
    """
    forward = _stretch(ring, start, end)
    backward = _stretch(ring, end, start)
    inner = path[1:-1] if len(path) > 2 else np.empty((0, 2))
    drawn = np.vstack([(start.x, start.y), inner, (end.x, end.y)])
    if _distance(forward, drawn) <= _distance(backward, drawn):
        return as_ring(_without_repeats(np.vstack([drawn, backward[1:-1]])))
    return as_ring(_without_repeats(np.vstack([forward[:-1], drawn[::-1][:-1]])))


def _stretch(ring: Ring, start: EdgePoint, end: EdgePoint) -> Points:
    """From `start` along the ring's own direction to `end`, both included."""
    first, last = start.start.vertex, end.start.vertex
    steps = (last - first) % len(ring)
    if steps == 0 and end.fraction < start.fraction:
        steps = len(ring)
    between = ring[(first + 1 + np.arange(steps)) % len(ring)]
    return np.vstack([(start.x, start.y), between, (end.x, end.y)])


def _distance(stretch: Points, drawn: Points) -> float:
    """Mean distance of a stretch from the drawn line, image pixels."""
    line = shapely.LineString(stretch)
    if line.length == 0:
        return 0.0
    samples = shapely.line_interpolate_point(line, np.linspace(0, 1, 24), normalized=True)
    return float(np.mean(shapely.distance(samples, shapely.LineString(drawn))))


def _without_repeats(points: Points) -> Points:
    moved = np.hypot(*(points - np.roll(points, 1, axis=0)).T) > 1e-9
    kept: Points = points[moved]
    return kept
