"""Every edit of a document as a pure function that returns a `Change`; nothing here mutates or draws.

An edit of geometry or category makes a proposed or accepted instance EDITED: it then counts as the user's decision. All
edits but `set_locked` leave locked instances out. Coordinates are image pixels on pixel edges."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import shapely
from numpy.typing import NDArray

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.spatial import EdgePoint, VertexRef
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.dense import dense_moved, polygons_to_dense
from maskwright.geometry.polygon import Polygon, Ring, as_ring, polygons_bounds_xyxy

_BECOMES_EDITED = (InstanceState.PROPOSED, InstanceState.ACCEPTED, InstanceState.REJECTED)
_MIN_VERTICES = 3

Point = tuple[float, float]


def edited(instance: Instance, polygons: Iterable[Polygon]) -> Instance:
    """The instance with other outlines, as edited by a user; its dense outline no longer applies and is dropped."""
    return replace(_touched(instance), polygons=tuple(polygons), dense=None)


def simplified(instance: Instance, polygons: Iterable[Polygon]) -> Instance:
    """The instance with more or less detail; its original detail stays with it."""
    dense = instance.dense if instance.dense is not None else polygons_to_dense(instance.polygons)
    return replace(_touched(instance), polygons=tuple(polygons), dense=dense)


def editable(document: Document, ids: Iterable[int]) -> list[Instance]:
    """The given instances that exist and are not locked, lowest first."""
    known = [document[instance_id] for instance_id in set(ids) if instance_id in document]
    return sorted((one for one in known if not one.is_locked), key=lambda one: (one.z, one.id))


def create(instance_id: int, category_id: int, polygons: Iterable[Polygon], *, z: int = 0) -> Change:
    """A new instance drawn by a user."""
    return Change.create([Instance(instance_id, category_id, tuple(polygons), InstanceState.DRAWN, z=z)])


def delete(document: Document, ids: Collection[int]) -> Change:
    """Delete instances.

    A model's proposal stays in the document as REJECTED, so that the next run does not bring it back.
    """
    return Change.of((instance, _deleted(instance)) for instance in editable(document, ids))


def _deleted(instance: Instance) -> Instance | None:
    if instance.state is InstanceState.DRAWN:
        return None  # made by a user, with an assistant's help if it has a provenance
    if instance.state is InstanceState.PROPOSED or instance.provenance is not None:
        return replace(instance, state=InstanceState.REJECTED)
    return None


def accept(document: Document, ids: Collection[int]) -> Change:
    """Accept proposals; what a user has decided already stays."""
    return _with_state(document, ids, (InstanceState.PROPOSED, InstanceState.REJECTED), InstanceState.ACCEPTED)


def reject(document: Document, ids: Collection[int]) -> Change:
    """Reject proposals: they are hidden but remembered."""
    return _with_state(document, ids, (InstanceState.PROPOSED,), InstanceState.REJECTED)


def propose_again(document: Document, ids: Collection[int]) -> Change:
    """Turn rejected instances into proposals again."""
    return _with_state(document, ids, (InstanceState.REJECTED,), InstanceState.PROPOSED)


def set_category(document: Document, ids: Collection[int], category_id: int) -> Change:
    """Give instances another class."""

    def with_category(instance: Instance) -> Instance:
        if instance.category_id == category_id:
            return instance
        return replace(_touched(instance), category_id=category_id)

    return _each(document, ids, with_category)


def set_visible(document: Document, ids: Collection[int], is_visible: bool) -> Change:
    """Show or hide instances."""
    return _each(document, ids, lambda instance: replace(instance, is_visible=is_visible), even_locked=True)


def set_locked(document: Document, ids: Collection[int], is_locked: bool) -> Change:
    """Lock or unlock instances."""
    return _each(document, ids, lambda instance: replace(instance, is_locked=is_locked), even_locked=True)


def set_polygons(document: Document, outlines: Mapping[int, Iterable[Polygon]]) -> Change:
    """Replace the outlines of several instances; one left without parts is deleted, equal outlines change nothing."""
    pairs: list[tuple[Instance | None, Instance | None]] = []
    for instance in editable(document, outlines):
        polygons = tuple(outlines[instance.id])
        if polygons == instance.polygons:
            continue
        pairs.append((instance, edited(instance, polygons) if polygons else _deleted(instance)))
    return Change.of(pairs)


def move(document: Document, ids: Collection[int], dx: float, dy: float) -> Change:
    """Shift instances together, only as far as they stay on the image (or as far inside it as they are now)."""
    instances = editable(document, ids)
    if not instances:
        return Change.of([])
    parts = [polygon for instance in instances for polygon in instance.polygons]
    dx, dy = _kept_on_image(document, polygons_bounds_xyxy(parts), dx, dy)
    if dx == 0 and dy == 0:
        return Change.of([])
    return Change.of((instance, _moved(instance, dx, dy)) for instance in instances)


def turn(document: Document, ids: Collection[int], degrees: float) -> Change:
    """Turn instances clockwise, each about its centre of mass; what leaves the image is cut off."""
    return set_polygons(
        document, {each.id: _turned(each.polygons, degrees, document.size_wh) for each in editable(document, ids)}
    )


def _turned(polygons: Sequence[Polygon], degrees: float, size_wh: tuple[int, int]) -> tuple[Polygon, ...]:
    middle = shapely.MultiPolygon([(part.exterior, part.holes) for part in polygons]).centroid
    centre = np.array((middle.x, middle.y)) if not middle.is_empty else polygons[0].exterior.mean(axis=0)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    clockwise = np.array(((cos, sin), (-sin, cos)))  # y runs down
    rings = [[_frozen((ring - centre) @ clockwise + centre) for ring in part.rings] for part in polygons]
    turned = tuple(Polygon(outer, tuple(holes)) for outer, *holes in rings)
    x1, y1, x2, y2 = polygons_bounds_xyxy(turned)
    is_inside = min(x1, y1) >= 0 and x2 <= size_wh[0] and y2 <= size_wh[1]
    return turned if is_inside else tuple(clip_to_image(turned, size_wh))


def move_vertices(document: Document, places: Mapping[VertexRef, Point]) -> Change:
    """Move vertices, kept on the image; several instances at once for shared borders."""
    width, height = document.size_wh
    rings: dict[tuple[int, int, int], dict[int, Point]] = {}
    for ref, (x, y) in places.items():
        inside = (min(max(x, 0.0), width), min(max(y, 0.0), height))
        rings.setdefault((ref.instance_id, ref.part, ref.ring), {})[ref.vertex] = inside
    changed = {key: _with_points(_ring(document, *key), points) for key, points in rings.items()}
    return _replace_rings(document, changed)


def insert_vertices(document: Document, after: Iterable[VertexRef], point: Point) -> Change:
    """Insert the same vertex into several outlines, one edge of each, so that a shared border stays shared."""
    changed: dict[tuple[int, int, int], Ring | None] = {}
    for ref in after:
        key = (ref.instance_id, ref.part, ref.ring)
        changed[key] = as_ring(np.insert(_ring(document, *key), ref.vertex + 1, point, axis=0))
    return _replace_rings(document, changed)


def delete_vertices(document: Document, refs: Iterable[VertexRef]) -> Change:
    """Delete vertices. A ring left with fewer than three is removed, and a part with its outer ring."""
    doomed: dict[tuple[int, int, int], set[int]] = {}
    for ref in refs:
        doomed.setdefault((ref.instance_id, ref.part, ref.ring), set()).add(ref.vertex)
    changed: dict[tuple[int, int, int], Ring | None] = {}
    for key, vertices in doomed.items():
        left = np.delete(_ring(document, *key), sorted(vertices), axis=0)
        changed[key] = as_ring(left) if len(left) >= _MIN_VERTICES else None
    return _replace_rings(document, changed)


def _touched(instance: Instance) -> Instance:
    state = InstanceState.EDITED if instance.state in _BECOMES_EDITED else instance.state
    return replace(instance, state=state)


def _moved(instance: Instance, dx: float, dy: float) -> Instance:
    dense = dense_moved(instance.dense, dx, dy) if instance.dense is not None else None
    return replace(_touched(instance), polygons=_shifted(instance.polygons, dx, dy), dense=dense)


def _each(
    document: Document, ids: Collection[int], edit: Callable[[Instance], Instance], *, even_locked: bool = False
) -> Change:
    if even_locked:
        instances = [document[instance_id] for instance_id in ids if instance_id in document]
    else:
        instances = editable(document, ids)
    return Change.of((instance, edit(instance)) for instance in instances)


def _with_state(
    document: Document, ids: Collection[int], known: tuple[InstanceState, ...], state: InstanceState
) -> Change:
    return _each(
        document, ids, lambda instance: replace(instance, state=state) if instance.state in known else instance
    )


def _kept_on_image(document: Document, bounds: tuple[float, float, float, float], dx: float, dy: float) -> Point:
    width, height = document.size_wh
    x1, y1, x2, y2 = bounds
    dx = min(max(dx, min(-x1, 0.0)), max(width - x2, 0.0))
    dy = min(max(dy, min(-y1, 0.0)), max(height - y2, 0.0))
    return dx, dy


def _shifted(polygons: Iterable[Polygon], dx: float, dy: float) -> tuple[Polygon, ...]:
    step = np.array((dx, dy))
    return tuple(
        Polygon(_frozen(polygon.exterior + step), tuple(_frozen(hole + step) for hole in polygon.holes))
        for polygon in polygons
    )


def _with_points(ring: Ring, points: Mapping[int, Point]) -> Ring:
    changed = ring.copy()
    for vertex, point in points.items():
        changed[vertex] = point
    return _frozen(changed)


def _frozen(ring: Ring) -> Ring:
    ring.flags.writeable = False
    return ring


def _ring(document: Document, instance_id: int, part: int, ring: int) -> Ring:
    return document[instance_id].polygons[part].rings[ring]


def _replace_rings(document: Document, changed: Mapping[tuple[int, int, int], Ring | None]) -> Change:
    """Replace rings, keyed by (instance id, part, ring number); None removes the ring."""
    by_instance: dict[int, dict[tuple[int, int], Ring | None]] = {}
    for (instance_id, part, ring), points in changed.items():
        by_instance.setdefault(instance_id, {})[part, ring] = points
    outlines: dict[int, list[Polygon]] = {}
    for instance_id, rings in by_instance.items():
        polygons = document[instance_id].polygons
        kept = (_part_with(polygon, part, rings) for part, polygon in enumerate(polygons))
        outlines[instance_id] = [polygon for polygon in kept if polygon is not None]
    return set_polygons(document, outlines)


def _part_with(polygon: Polygon, part: int, rings: Mapping[tuple[int, int], Ring | None]) -> Polygon | None:
    new = [rings.get((part, number), ring) for number, ring in enumerate(polygon.rings)]
    if new[0] is None:
        return None
    return Polygon(new[0], tuple(ring for ring in new[1:] if ring is not None))


Points = NDArray[np.float64]


def redraw_stretch(ring: Ring, start: EdgePoint, end: EdgePoint, path: Points) -> Ring:
    """The ring with the stretch between two of its points replaced by `path`, (N, 2) image pixels.

    Of the two possible stretches the one nearer to `path` is replaced. Raises ValueError if nothing would be left.
    """
    forward = _stretch(ring, start, end)
    backward = _stretch(ring, end, start)
    inner = path[1:-1] if len(path) > 2 else np.empty((0, 2))
    drawn = np.vstack([(start.x, start.y), inner, (end.x, end.y)])
    if _distance(forward, drawn) <= _distance(backward, drawn):
        return as_ring(_without_repeats(np.vstack([drawn, backward[1:-1]])))
    return as_ring(_without_repeats(np.vstack([forward[:-1], drawn[::-1][:-1]])))


def _stretch(ring: Ring, start: EdgePoint, end: EdgePoint) -> Points:
    """From `start` in the ring's direction to `end`, both included."""
    first, last = start.start.vertex, end.start.vertex
    steps = (last - first) % len(ring)
    if steps == 0 and end.fraction < start.fraction:
        steps = len(ring)
    between = ring[(first + 1 + np.arange(steps)) % len(ring)]
    return np.vstack([(start.x, start.y), between, (end.x, end.y)])


def _distance(stretch: Points, drawn: Points) -> float:
    """Mean distance of a stretch from the drawn path, image pixels."""
    line = shapely.LineString(stretch)
    if line.length == 0:
        return 0.0
    samples = shapely.line_interpolate_point(line, np.linspace(0, 1, 24), normalized=True)
    return float(np.mean(shapely.distance(samples, shapely.LineString(drawn))))


def _without_repeats(points: Points) -> Points:
    moved = np.hypot(*(points - np.roll(points, 1, axis=0)).T) > 1e-9
    kept: Points = points[moved]
    return kept
