"""Edits that combine or divide areas: merge, subtract, intersect, group, split, and so on.

As in `edits`: pure functions that return a `Change`; locked instances are left out, and changed ones count as the
user's decision."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import ArrayLike

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry import algebra
from maskwright.geometry.dense import dense_to_polygons
from maskwright.geometry.polygon import Polygon

MIN_AREA = 1.0
"""In pixels; smaller scraps that an operation leaves are dropped."""
_SAME_AREA = 0.02
"""Rounding to the drawing grid changes an area by less than this."""

_unpacked = lru_cache(maxsize=256)(dense_to_polygons)
"""A slider asks for the same few outlines again and again."""

Area = Sequence[Polygon]


def drawn_area(outline: ArrayLike) -> tuple[Polygon, ...]:
    """The area that a user meant by an outline: as drawn, or what it encloses if it crosses itself.

    `outline`: (N, 2) image pixels. Empty if it encloses less than a pixel.
    """
    points = np.asarray(outline, np.float64)
    return tuple(_whole(algebra.make_valid((Polygon.of(points),)))) if len(points) >= 3 else ()


def merge(document: Document, ids: Collection[int]) -> Change:
    """Merge into one instance: the topmost keeps its id and class, the others are deleted."""
    instances = edits.editable(document, ids)
    if len(instances) < 2:
        return Change.of([])
    kept = instances[-1]
    polygons = _whole(algebra.unite(*(one.polygons for one in instances)))
    gone = edits.delete(document, [one.id for one in instances[:-1]])
    return edits.set_polygons(document, {kept.id: polygons}).then(gone)


def subtract(document: Document, ids: Collection[int], area: Area) -> Change:
    """Cut `area` out of instances: it becomes a hole if it lies inside; an instance that it covers is deleted."""
    return _each(document, ids, lambda polygons: algebra.subtract(polygons, area))


def subtract_topmost(document: Document, ids: Collection[int]) -> Change:
    """Cut the topmost instance out of the others; the topmost itself stays."""
    instances = edits.editable(document, ids)
    if len(instances) < 2:
        return Change.of([])
    return subtract(document, [one.id for one in instances[:-1]], instances[-1].polygons)


def add(document: Document, ids: Collection[int], area: Area) -> Change:
    """Grow instances by `area`."""
    return _each(document, ids, lambda polygons: algebra.unite(polygons, area))


def intersect(document: Document, ids: Collection[int]) -> Change:
    """Replace the topmost instance by the area common to all; it keeps its id. No change if there is no common area."""
    instances = edits.editable(document, ids)
    if len(instances) < 2:
        return Change.of([])
    common = reduce(algebra.intersect, (one.polygons for one in instances))
    polygons = _whole(common)
    if not polygons:
        return Change.of([])
    gone = edits.delete(document, [one.id for one in instances[:-1]])
    return edits.set_polygons(document, {instances[-1].id: polygons}).then(gone)


def group(document: Document, ids: Collection[int]) -> Change:
    """One instance with all parts, outlines unchanged; the topmost keeps its id and class."""
    instances = edits.editable(document, ids)
    if len(instances) < 2:
        return Change.of([])
    parts = tuple(part for one in instances for part in one.polygons)
    gone = edits.delete(document, [one.id for one in instances[:-1]])
    return edits.set_polygons(document, {instances[-1].id: parts}).then(gone)


def ungroup(document: Document, ids: Collection[int], allocate_id: Callable[[], int]) -> Change:
    """One instance per part; the largest part keeps the id."""
    instances = edits.editable(document, ids)
    pieces: dict[int, list[tuple[Polygon, ...]]] = {one.id: [(part,) for part in one.polygons] for one in instances}
    return _into_pieces(document, pieces, allocate_id)


def split(document: Document, ids: Collection[int], line: ArrayLike, allocate_id: Callable[[], int]) -> Change:
    """Cut instances along `line`, (N, 2) image pixels; the largest piece keeps the id."""
    knife = np.asarray(line, np.float64)
    pieces = {}
    for instance in edits.editable(document, ids):
        found = [piece for piece in algebra.split_by_line(instance.polygons, knife) if _whole(piece)]
        if len(found) > 1:
            pieces[instance.id] = found
    return _into_pieces(document, pieces, allocate_id)


def fill_holes(document: Document, ids: Collection[int]) -> Change:
    """Remove all holes."""
    return _outlines(document, ids, algebra.fill_holes)


def keep_largest_part(document: Document, ids: Collection[int]) -> Change:
    """Remove all parts but the largest, such as scraps that a model left around an object."""
    scattered = {one.id for one in edits.editable(document, ids) if len(one.polygons) > 1}
    return _outlines(document, scattered, lambda area: [max(area, key=_size)])


def to_box(document: Document, ids: Collection[int]) -> Change:
    """Replace each instance by its bounding box."""

    def boxed(instance: Instance) -> list[Polygon]:
        x1, y1, x2, y2 = instance.bounds_xyxy
        return [Polygon.of([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])]

    return edits.set_polygons(document, {one.id: boxed(one) for one in edits.editable(document, ids)})


def simplify(document: Document, ids: Collection[int], tolerance: float) -> Change:
    """Reduce or restore vertices: the outline stays within `tolerance` image pixels of the dense one; 0 restores it.

    Every step starts from the dense outline, which stays with the instance, so that the next step can restore what this
    one removes.
    """
    pairs = []
    for instance in edits.editable(document, ids):
        outline = dense_outline(instance)
        polygons = tuple(algebra.simplify(outline, tolerance)) if tolerance > 0 else outline
        if polygons and polygons != instance.polygons:
            pairs.append((instance, edits.simplified(instance, polygons)))
    return Change.of(pairs)


def dense_outline(instance: Instance) -> tuple[Polygon, ...]:
    """The outline with all vertices that it had before a model's tracing or a user simplified it."""
    return instance.polygons if instance.dense is None else _unpacked(instance.dense)


def smooth(document: Document, ids: Collection[int]) -> Change:
    """Smooth the outlines."""
    return _outlines(document, ids, algebra.smooth)


def paste(
    document: Document,
    instances: Iterable[Instance],
    allocate_id: Callable[[], int],
    *,
    offset: tuple[float, float] = (0.0, 0.0),
) -> Change:
    """Copies with new ids, counted as drawn by a user, moved by `offset` as far as the image allows.

    Parts outside the image are cut off; instances entirely outside are left out.
    """
    placed = [(one, algebra.clip_to_image(one.polygons, document.size_wh)) for one in instances]
    copies = [
        replace(
            one,
            id=allocate_id(),
            polygons=polygons,
            state=InstanceState.DRAWN,
            score=None,
            provenance=None,
            is_locked=False,
            dense=one.dense if polygons == one.polygons else None,
        )
        for one, polygons in placed
        if polygons
    ]
    created = Change.create(copies)
    if not copies or offset == (0.0, 0.0):
        return created
    later = document.apply(created)
    return created.then(edits.move(later, [one.id for one in copies], *offset))


def bring_forward(document: Document, ids: Collection[int]) -> Change:
    """Put above all other instances."""
    top = max((one.z for one in document), default=0) + 1
    return Change.of((one, replace(one, z=top)) for one in edits.editable(document, ids))


def send_backward(document: Document, ids: Collection[int]) -> Change:
    """Put below all other instances."""
    bottom = min((one.z for one in document), default=0) - 1
    return Change.of((one, replace(one, z=bottom)) for one in edits.editable(document, ids))


def _each(document: Document, ids: Collection[int], operate: Callable[[Area], Area]) -> Change:
    """Apply an operation to the area of each instance; instances whose area does not change are left alone."""
    outlines = {}
    for instance in edits.editable(document, ids):
        after = operate(instance.polygons)
        if abs(algebra.area_of(after) - algebra.area_of(instance.polygons)) > _SAME_AREA:
            outlines[instance.id] = _whole(after)
    return edits.set_polygons(document, outlines)


def _outlines(document: Document, ids: Collection[int], edit: Callable[[Area], Iterable[Polygon]]) -> Change:
    outlines = {one.id: edit(one.polygons) for one in edits.editable(document, ids)}
    return edits.set_polygons(document, outlines)


def _into_pieces(
    document: Document, pieces: dict[int, list[tuple[Polygon, ...]]], allocate_id: Callable[[], int]
) -> Change:
    kept, created = {}, []
    for instance_id, found in pieces.items():
        if len(found) < 2:
            continue
        largest_first = sorted(found, key=lambda parts: -sum(map(_size, parts)))
        kept[instance_id] = largest_first[0]
        original = document[instance_id]
        created += [replace(edits.edited(original, parts), id=allocate_id()) for parts in largest_first[1:]]
    return edits.set_polygons(document, kept).then(Change.create(created))


def _whole(polygons: Iterable[Polygon]) -> list[Polygon]:
    return [polygon for polygon in polygons if _size(polygon) >= MIN_AREA]


def _size(polygon: Polygon) -> float:
    return algebra.area_of([polygon])
