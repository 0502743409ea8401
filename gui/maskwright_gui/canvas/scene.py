"""The instances of a document as arrays with their style, thinned for the zoom: the input of the raster layer."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maskwright.document.packed import PackedOutlines
from maskwright.document.palette import Rgb, line_colour
from maskwright.document.spatial import is_shown
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.canvas.style import CanvasStyle

_SPACING_DEVICE_PX = 1.5
_LOCKED_FILL = 0.4
_GREY = 120
_WORTH_THINNING = 2_000
"""Number of points below which drawing is faster than thinning."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Visible instances in drawing order; `rows` index all arrays alike."""

    outlines: PackedOutlines
    colours_bgr: NDArray[np.uint8]
    """(N, 3) fill colours."""
    lines_bgr: NDArray[np.uint8]
    """(N, 3) outline colours, light enough for dark images."""
    is_proposal: NDArray[np.bool_]
    is_selected: NDArray[np.bool_]
    fill_opacity: NDArray[np.float64]

    @classmethod
    def of(cls, instances: Iterable[Instance], style: CanvasStyle) -> "Scene":
        """The scene of these instances, without hidden and rejected ones."""
        shown = [instance for instance in instances if is_shown(instance)]
        colours = [_shown_colour(instance, style) for instance in shown]
        is_proposal = np.array([instance.state is InstanceState.PROPOSED for instance in shown], bool)
        opacity = np.where(is_proposal, style.proposal_fill_opacity, style.fill_opacity)
        opacity = opacity * np.array([_LOCKED_FILL if instance.is_locked else 1.0 for instance in shown])
        return cls(
            PackedOutlines.of(shown),
            _bgr(colours),
            _bgr([line_colour(colour) for colour in colours]),
            is_proposal,
            np.zeros(len(shown), bool),
            np.array(opacity, np.float64),
        )

    def within(self, box: Box, *, without: frozenset[int], selected: frozenset[int]) -> "Scene":
        """What touches the box, except the ids in `without`; those in `selected` are marked as such."""
        rows = self.outlines.rows_touching(box)
        ids = self.outlines.instance_ids
        if without:
            rows = rows[~np.isin(ids[rows], list(without))]
        scene = self.taken(rows)
        if not selected:
            return scene
        is_selected = np.isin(scene.outlines.instance_ids, list(selected))
        opacity = np.where(is_selected, np.minimum(scene.fill_opacity + 0.15, 1.0), scene.fill_opacity)
        return replace(scene, is_selected=is_selected, fill_opacity=opacity)

    def __len__(self) -> int:
        return len(self.outlines)

    def taken(self, rows: NDArray[np.int64]) -> "Scene":
        """The scene of these rows."""
        return Scene(
            self.outlines.taken(rows),
            self.colours_bgr[rows],
            self.lines_bgr[rows],
            self.is_proposal[rows],
            self.is_selected[rows],
            self.fill_opacity[rows],
        )

    def thinned(self, octave: int) -> "Scene":
        """Without the vertices that are invisible below a scale of 2 ** (octave + 1)."""
        if len(self.outlines.points) < _WORTH_THINNING:
            return self
        spacing = _SPACING_DEVICE_PX / 2.0 ** (octave + 1)
        return replace(self, outlines=thinned_outlines(self.outlines, spacing))


def _bgr(colours: list[Rgb]) -> NDArray[np.uint8]:
    return np.array([colour[::-1] for colour in colours], np.uint8).reshape(-1, 3)


def _shown_colour(instance: Instance, style: CanvasStyle) -> Rgb:
    """The class colour; mixed with grey if the instance is locked."""
    red, green, blue = style.colour(instance.category_id)
    if not instance.is_locked:
        return red, green, blue
    return (red + _GREY) // 2, (green + _GREY) // 2, (blue + _GREY) // 2


def octave_of(device_scale: float) -> int:
    """The octave of a zoom: zooms within a factor of two share simplified outlines."""
    return math.floor(math.log2(device_scale))


class SceneLevels:
    """One scene at each detail requested so far: thinning a large scene is worth caching between zoom steps."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._by_octave: dict[int, Scene] = {}

    def at(self, device_scale: float) -> Scene:
        """The scene simplified for a zoom."""
        octave = octave_of(device_scale)
        if octave not in self._by_octave:
            self._by_octave[octave] = self._scene.thinned(octave)
        return self._by_octave[octave]


def thinned_outlines(outlines: PackedOutlines, spacing: float) -> PackedOutlines:
    """About one vertex per `spacing` image pixels along each ring, at least three per ring.

    Vectorised over all rings: 1.2 million points take about 30 ms, where Douglas-Peucker per ring takes seconds.
    """
    points, starts = outlines.points, outlines.ring_starts
    steps = np.zeros(len(points))
    steps[1:] = np.hypot(*np.diff(points, axis=0).T)
    along = np.cumsum(steps)
    keep = np.ones(len(points), bool)
    bucket = np.floor(along / spacing)
    keep[1:] = bucket[1:] != bucket[:-1]
    firsts, sizes = starts[:-1], np.diff(starts)
    for share in (0, 1, 2):
        keep[firsts + share * sizes // 3] = True
    kept_before = np.concatenate(([0], np.cumsum(keep)))
    return PackedOutlines(
        outlines.instance_ids,
        outlines.bounds_xyxy,
        points[keep],
        kept_before[starts],
        outlines.part_starts,
        outlines.instance_starts,
    )
