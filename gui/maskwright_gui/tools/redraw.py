"""Redraws a stretch of an outline: start on it, draw, end on it; the stretch nearer to the drawn line is replaced."""

import math
from dataclasses import replace
from enum import Enum, auto

import numpy as np
import shapely

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.edits import redraw_stretch
from maskwright.document.spatial import EdgePoint
from maskwright.geometry.polygon import Polygon
from maskwright_gui.tools.context import LOCKED_HINT, ToolContext
from maskwright_gui.tools.gestures import draft_overlay
from maskwright_gui.tools.overlay import Mark, Overlay, OverlayLine, OverlayMarks, Stroke, as_points
from maskwright_gui.tools.tool import BaseTool, Button, Pointer

_REACH_SCREEN_PX = 10.0
_STEP_SCREEN_PX = 2.5
_DETAIL_SCREEN_PX = 0.7
_UNCHANGED = Change.of([])


class RedrawState(Enum):
    """The phase of drawing the new stretch."""

    IDLE = auto()
    DRAWING = auto()


class RedrawTool(BaseTool):
    """Works on the selected objects' outlines, or on another one under the pointer if none of these is."""

    name = "redraw"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.state = RedrawState.IDLE
        self._start: EdgePoint | None = None
        self._path: list[tuple[float, float]] = []
        self._near: EdgePoint | None = None
        self._draft = _UNCHANGED
        """The change if the button were released here."""

    @property
    def hint(self) -> str:
        if self.is_busy:
            return "Release on the same outline to replace that part · Esc cancels"
        if self._context.is_selection_locked:
            return LOCKED_HINT
        return "Press on an outline, draw the better line, release on the outline"

    @property
    def is_busy(self) -> bool:
        return self.state is RedrawState.DRAWING

    def on_press(self, pointer: Pointer) -> None:
        if pointer.button is Button.RIGHT:
            self.cancel()
        if pointer.button is not Button.LEFT:
            return
        self._start = self._edge_at(pointer)
        if self._start is not None:
            self._path = [(self._start.x, self._start.y)]
            self.state = RedrawState.DRAWING

    def on_move(self, pointer: Pointer) -> None:
        self._near = self._edge_at(pointer)
        if self.is_busy and math.dist(pointer.point, self._path[-1]) > pointer.reach(_STEP_SCREEN_PX):
            self._path.append(self._on_image(pointer))
            self._draft = self._change_ending_at(pointer)

    def on_release(self, pointer: Pointer) -> None:
        if not self.is_busy or pointer.button is not Button.LEFT:
            return
        change = self._change_ending_at(pointer)
        self.cancel()
        if not change.is_empty:
            self._context.commit(change, "Redraw outline")
            self._context.select(frozenset(change.entries))

    def cancel(self) -> None:
        self.state = RedrawState.IDLE
        self._start = None
        self._path = []
        self._draft = _UNCHANGED

    def overlay(self) -> Overlay:
        marks = []
        if self._near is not None:
            marks.append(OverlayMarks(as_points((self._near.x, self._near.y)), Mark.HOT))
        if not self.is_busy:
            return Overlay(marks=tuple(marks), hovered=self._near.start.instance_id if self._near else None)
        line = OverlayLine(np.array(self._path), Stroke.DRAFT)
        return replace(draft_overlay(self._draft, *marks), lines=(line,), shows_handles=False)

    def _edge_at(self, pointer: Pointer) -> EdgePoint | None:
        context, (x, y), reach = self._context, pointer.point, pointer.reach(_REACH_SCREEN_PX)
        if self._start is not None:
            return context.index.nearest_edge(x, y, tolerance=reach, among=[self._start.start.instance_id])
        edge = context.index.nearest_edge(x, y, tolerance=reach, among=context.selected_editable)
        if edge is not None or context.is_selection_locked:
            return edge
        unlocked = [id_ for id_ in context.index.near(x, y, reach) if not context.document[id_].is_locked]
        return context.index.nearest_edge(x, y, tolerance=reach, among=unlocked)

    def _change_ending_at(self, pointer: Pointer) -> Change:
        """The outline with the stretch replaced, if the pointer is on it again."""
        start, end, path = self._start, self._edge_at(pointer), [*self._path, pointer.point]
        if start is None or end is None or not _is_same_ring(start, end) or len(path) <= 2:
            return _UNCHANGED
        ref, document = start.start, self._context.document
        line = shapely.simplify(shapely.LineString(path), pointer.reach(_DETAIL_SCREEN_PX))
        polygons = list(document[ref.instance_id].polygons)
        rings = list(polygons[ref.part].rings)
        try:
            rings[ref.ring] = redraw_stretch(rings[ref.ring], start, end, shapely.get_coordinates(line))
        except ValueError:  # nothing is left of the outline
            return _UNCHANGED
        polygons[ref.part] = Polygon(rings[0], tuple(rings[1:]))
        return edits.set_polygons(document, {ref.instance_id: polygons})


def _is_same_ring(a: EdgePoint, b: EdgePoint) -> bool:
    return (a.start.instance_id, a.start.part, a.start.ring) == (b.start.instance_id, b.start.part, b.start.ring)
