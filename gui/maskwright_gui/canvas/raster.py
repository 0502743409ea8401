"""Rasterises outlines and light fills into a premultiplied BGRA buffer, with few large cv2 calls that release the GIL.

No Qt: runs in any thread. Our coordinates are on pixel edges, cv2's on pixel centres: half a pixel is subtracted, and
cv2's fixed point keeps the fraction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.document.packed import PackedOutlines
from maskwright_gui.canvas.scene import Scene

_DASH_PX = 5.0
_GAP_PX = 3.0
_MAX_DASHES = 20_000
"""With more dashes than this they are too small to be seen, and cost more than everything else."""


@dataclass(frozen=True, slots=True, eq=False)
class Dashes:
    """The strokes of dashed outlines."""

    segments: NDArray[np.int32]
    """(D, 3, 2) start, middle and end of each dash, in the unit of the points."""
    ring: NDArray[np.int64]
    """(D,) the ring of each dash."""


def dash_segments(
    points: NDArray[np.int32], ring_starts: NDArray[np.int64], is_dashed: NDArray[np.bool_], unit: float
) -> Dashes | None:
    """Dashes along the rings where `is_dashed`; `unit` is the length of one pixel in `points`. None if there are none
    or far too many.
    """
    rings = np.flatnonzero(is_dashed)
    if not len(rings):
        return None
    closed, starts = _closed_rings(points, ring_starts, rings)
    steps = np.zeros(len(closed))
    steps[1:] = np.hypot(*np.diff(closed, axis=0).T) / unit
    steps[starts[:-1]] = 1.0  # a jump between rings, so that a position along all of them names one ring
    along = np.cumsum(steps)
    begins, lengths = along[starts[:-1]], along[starts[1:] - 1] - along[starts[:-1]]
    counts = np.maximum((lengths / (_DASH_PX + _GAP_PX)).astype(np.int64), 2)
    if counts.sum() > _MAX_DASHES:
        return None
    ring = np.repeat(np.arange(len(rings)), counts)
    number = np.arange(len(ring)) - np.repeat(np.cumsum(counts) - counts, counts)
    period = (lengths / counts)[ring]
    within = number[:, None] + np.array([0.0, 0.5, 1.0]) * (_DASH_PX / (_DASH_PX + _GAP_PX))
    places = begins[ring, None] + within * period[:, None]
    segments = np.stack([np.interp(places, along, closed[:, axis]) for axis in (0, 1)], axis=-1)
    return Dashes(np.rint(segments).astype(np.int32), rings[ring])


def _closed_rings(
    points: NDArray[np.int32], ring_starts: NDArray[np.int64], rings: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The chosen rings end to end, each with its first point repeated, and the start of each."""
    sizes = np.diff(ring_starts)[rings] + 1
    starts = np.concatenate(([0], np.cumsum(sizes)))
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    open_sizes = np.repeat(sizes - 1, sizes)
    source = np.repeat(ring_starts[rings], sizes) + place % np.maximum(open_sizes, 1)
    return points[source], starts


_SHIFT = 4
_ONE = 1 << _SHIFT
_HALF_PIXEL = np.array((_ONE // 2, _ONE // 2), np.int32)
_DARK = 0xC0000000
"""Three quarters black: a light line has a contrast of 3:1 beside it on all but white ground, where the seam is
visible.
"""
_HALO_OPACITY = 0.5
_SMALL_DEVICE_PX = 14.0
"""Smaller objects get no dark under-stroke: it would hide them."""
_ALONE_ABOVE_PARTS = 256

Buffer = NDArray[np.uint8]
Rings = list[NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class LayerView:
    """The part of the image that a buffer shows: device pixel = image pixel * scale - origin."""

    scale: float
    """Device pixels per image pixel."""
    origin_x: float
    origin_y: float
    width: int
    height: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The image area covered, xyxy."""
        x1, y1 = self.origin_x / self.scale, self.origin_y / self.scale
        return x1, y1, x1 + self.width / self.scale, y1 + self.height / self.scale

    def cropped(self, x: int, y: int, width: int, height: int) -> "LayerView":
        """A part of the view, for repainting what has changed."""
        return LayerView(self.scale, self.origin_x + x, self.origin_y + y, width, height)


@dataclass(frozen=True, slots=True)
class OutlineStyle:
    """How outlines are drawn. Sizes in device pixels."""

    pixel: int = 1
    """Device pixels per logical pixel, rounded: lines keep their width on dense screens."""
    is_strong: bool = False
    """Whether the coloured line is half a pixel thicker."""
    halo: int = 0
    """Width of a light seam around the dark under-stroke, logical pixels."""
    has_lines: bool = True
    is_underlined: bool = True


IDLE = OutlineStyle()
SELECTED = OutlineStyle(is_strong=True, halo=2)
HOVERED = OutlineStyle(is_underlined=False)


def rasterise(scene: Scene, view: LayerView, buffer: Buffer, look: OutlineStyle = IDLE) -> None:
    """Draw `scene` into `buffer` (view.height, view.width, 4) BGRA, premultiplied, zeroed before.

    Fills come first, in drawing order, each replacing what is below; then the dark under-strokes, then all lines, so
    that no outline is ever hidden.
    """
    if not len(scene):
        return
    points = _to_fixed_point(scene.outlines.points, view)
    rings = _split(points, scene.outlines.ring_starts)
    _fill(scene, rings, view, buffer)
    if look.has_lines:
        if look.is_underlined:
            _underline(scene, rings, view, buffer, look)
        _outline(scene, rings, points, buffer, look)


def _to_fixed_point(points: NDArray[np.float64], view: LayerView) -> NDArray[np.int32]:
    moved = (points * view.scale - (view.origin_x + 0.5, view.origin_y + 0.5)) * _ONE
    return np.rint(moved).astype(np.int32)


def _split(points: NDArray[np.int32], starts: NDArray[np.int64]) -> Rings:
    edges = starts.tolist()
    return [points[a:b] for a, b in pairwise(edges)]


def _fill(scene: Scene, rings: Rings, view: LayerView, buffer: Buffer) -> None:
    part_starts = scene.outlines.part_starts
    owners = np.repeat(np.arange(len(scene)), np.diff(scene.outlines.instance_starts))
    premultiplied = np.rint(scene.colours_bgr * scene.fill_opacity[:, None])
    alphas = np.rint(255 * scene.fill_opacity)
    colours = np.column_stack((premultiplied, alphas)).astype(np.int64)
    plain = [tuple(colour) for colour in colours.tolist()]
    bounds = part_starts.tolist()
    for parts in _batches(scene, owners, colours, view):
        chosen: Rings = []
        for part in parts:
            chosen.extend(rings[bounds[part] : bounds[part + 1]])
        cv2.fillPoly(buffer, chosen, plain[owners[parts[0]]], cv2.LINE_8, _SHIFT)


def _batches(
    scene: Scene, owners: NDArray[np.int64], colours: NDArray[np.int64], view: LayerView
) -> Iterator[Sequence[int] | NDArray[np.int64]]:
    """Parts of one colour that do not overlap, each batch for one even-odd fill.

    A few parts are yielded one by one, in exact drawing order. Thousands are sorted into grid cells so that those of
    one call lie two cells apart: beside a busy GUI thread, one call per part would wait for the GIL each time.
    """
    if len(owners) <= _ALONE_ABOVE_PARTS:
        yield from ([part] for part in range(len(owners)))
        return
    boxes = _part_bounds(scene.outlines) * view.scale
    sizes = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    cell = max(float(np.quantile(sizes, 0.95)), 4.0) + 2.0
    yield from ([int(part)] for part in np.flatnonzero(sizes > cell - 2.0))
    small = np.flatnonzero(sizes <= cell - 2.0)
    columns, rows = (boxes[small, 0] // cell).astype(np.int64), (boxes[small, 1] // cell).astype(np.int64)
    columns, rows = columns - columns.min(initial=0), rows - rows.min(initial=0)
    rank = _rank_within(columns * (int(rows.max(initial=0)) + 1) + rows)
    _, colour = np.unique(_colour_key(colours[owners[small]]), return_inverse=True)
    key = ((rank * 2 + columns % 2) * 2 + rows % 2) * (int(colour.max(initial=0)) + 1) + colour
    order = np.argsort(key, kind="stable")
    cuts = np.flatnonzero(np.diff(key[order])) + 1
    yield from (batch for batch in np.split(small[order], cuts) if len(batch))


def _colour_key(colours: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, 3 or 4) channels as one number each: numpy takes ten times as long to sort rows."""
    key: NDArray[np.int64] = (colours << (8 * np.arange(colours.shape[1]))).sum(axis=1)
    return key


def _rank_within(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, 2 ... for the members of each cell, in the given order."""
    order = np.argsort(cells, kind="stable")
    firsts = np.flatnonzero(np.concatenate(([True], np.diff(cells[order]) != 0)))
    counts = np.diff(np.append(firsts, len(cells)))
    ranks = np.empty(len(cells), np.int64)
    ranks[order] = np.arange(len(cells)) - np.repeat(firsts, counts)
    return ranks


def _part_bounds(outlines: PackedOutlines) -> NDArray[np.float64]:
    starts = outlines.ring_starts[outlines.part_starts[:-1]]
    return np.hstack(
        (np.minimum.reduceat(outlines.points, starts, axis=0), np.maximum.reduceat(outlines.points, starts, axis=0))
    )


def _ring_owners(outlines: PackedOutlines) -> NDArray[np.int64]:
    rings_of_instance = np.diff(outlines.part_starts[outlines.instance_starts])
    return np.repeat(np.arange(len(outlines)), rings_of_instance)


def _underline(scene: Scene, rings: Rings, view: LayerView, buffer: Buffer, look: OutlineStyle) -> None:
    """Paint the dark under-stroke: all lines once into a mask, dilated by a pixel. Thick lines cost ten times more."""
    bounds = scene.outlines.bounds_xyxy
    sizes = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1]) * view.scale
    chosen = np.flatnonzero(sizes[_ring_owners(scene.outlines)] >= _SMALL_DEVICE_PX * look.pixel)
    if not len(chosen):
        return
    mask = np.zeros(buffer.shape[:2], np.uint8)
    cv2.polylines(mask, [rings[ring] for ring in chosen], True, 255, look.pixel, cv2.LINE_8, _SHIFT)
    dark = cv2.dilate(mask, _disc(look.pixel * (2 if look.is_strong else 1)))
    if look.halo:
        halo = cv2.dilate(dark, _disc(look.pixel * look.halo))
        soft = cv2.GaussianBlur(halo, (5, 5), 0)
        seam = cv2.convertScaleAbs(soft, alpha=_HALO_OPACITY)
        cv2.max(buffer, cv2.merge([seam, seam, seam, seam]), dst=buffer)
    cv2.copyTo(_plain(buffer, _DARK), dark, buffer)


def _plain(like: Buffer, colour: int) -> Buffer:
    """A buffer of one 0xAARRGGBB colour; filling 32-bit words is forty times faster than filling channels."""
    return np.full(like.shape[:2], colour, np.uint32).view(np.uint8).reshape(like.shape)


def _disc(radius: int) -> NDArray[np.uint8]:
    size = (2 * radius + 1, 2 * radius + 1)
    shape = cv2.MORPH_RECT if radius == 1 else cv2.MORPH_ELLIPSE
    return np.asarray(cv2.getStructuringElement(shape, size), np.uint8)


def _outline(scene: Scene, rings: Rings, points: NDArray[np.int32], buffer: Buffer, look: OutlineStyle) -> None:
    owners = _ring_owners(scene.outlines)
    dashes = dash_segments(points, scene.outlines.ring_starts, scene.is_proposal[owners], look.pixel * _ONE)
    is_dashed = scene.is_proposal[owners] if dashes is not None else np.zeros(len(owners), bool)
    colours = scene.lines_bgr.astype(np.int64)
    keys = _colour_key(np.where(scene.is_selected[:, None], 255 - (255 - colours) * 2 // 3, colours))
    # live painting usually has one colour, and sorting in `unique` would be a tenth of its time
    palette = np.unique(keys).tolist() if (keys != keys[0]).any() else [int(keys[0])]
    of_ring = keys[owners]
    for key in palette:
        opaque = (key & 0xFF, key >> 8 & 0xFF, key >> 16 & 0xFF, 255)
        solid = np.flatnonzero((of_ring == key) & ~is_dashed).tolist()
        if solid:
            _lines(buffer, [rings[ring] for ring in solid], True, opaque, look)
        if dashes is not None:
            segments = dashes.segments[of_ring[dashes.ring] == key]
            _lines(buffer, list(segments), False, opaque, look)


def _lines(
    buffer: Buffer, lines: Rings, is_closed: bool, colour: tuple[int, int, int, int], look: OutlineStyle
) -> None:
    """One antialiased pass; a second one half a pixel away for strong lines (cv2's own width 2 covers three pixels)."""
    cv2.polylines(buffer, lines, is_closed, colour, look.pixel, cv2.LINE_AA, _SHIFT)
    if look.is_strong:
        beside = [line + _HALF_PIXEL for line in lines]
        cv2.polylines(buffer, beside, is_closed, colour, look.pixel, cv2.LINE_AA, _SHIFT)
