"""Draws a polygon whose sides follow the edges in the image; a state machine without Qt and without pixels."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from maskwright.document import edits
from maskwright.document.combine import drawn_area
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import Points, as_points
from maskwright_gui.tools.path import PathTool, Point
from maskwright_gui.tools.tool import Pointer

NAME = "wire"
REACH_SCREEN_PX = 240.0
"""How far from a click the path is computed; beyond that the line is straight."""


class Ways(Protocol):
    """Paths along edges from one point at a time, computed in the background."""

    def prepare(self, anchor: Point, reach_px: float) -> None:
        """The line continues from here; earlier paths are no longer needed."""

    def way(self, anchor: Point, target: Point) -> Points | None:
        """(N, 2) from the anchor to the target, both included; None while it is not known."""


class WireTool(PathTool):
    """Ctrl draws a straight side, for blurred edges; all else works as with the polygon."""

    name = NAME
    _needs_category = True
    _start_hint = "Click on an edge: the line follows it to the next click"

    def __init__(self, context: ToolContext, ways: Ways) -> None:
        super().__init__(context)
        self._ways = ways

    @property
    def hint(self) -> str:
        if not self._points:
            return super().hint
        return (
            "Click follows the edge · Ctrl straight · Enter, double-click or first point closes · Backspace last "
            "point · Esc cancels"
        )

    def on_press(self, pointer: Pointer) -> None:
        before = list(self._points)
        super().on_press(pointer)
        if len(self._points) != len(before) + 1:
            self._look_from_here(pointer)
            return
        if before:
            inner = self._inner(before[-1], self._points[-1], pointer)
            self._points[-1:-1] = inner
            self._step_sizes[-1] += len(inner)
        self._look_from_here(pointer)

    def on_release(self, pointer: Pointer) -> None:
        super().on_release(pointer)
        self._look_from_here(pointer)

    def _step_back(self) -> None:
        super()._step_back()
        self._look_from_here(self._pointer)

    def _look_from_here(self, pointer: Pointer | None) -> None:
        if self._points and pointer is not None:
            self._ways.prepare(self._points[-1], pointer.reach(REACH_SCREEN_PX))

    def _guide(self, place: Point, pointer: Pointer) -> Points:
        inner = self._inner(self._points[-1], place, pointer)
        return as_points(self._points[-1], *inner, place)

    def _inner(self, anchor: Point, target: Point, pointer: Pointer) -> list[Point]:
        """The points between the two."""
        way = None if pointer.modifiers.ctrl else self._ways.way(anchor, target)
        return _pairs(way[1:-1]) if way is not None else []

    def _finish(self) -> None:
        if len(self._points) >= self._least_points and self._pointer is not None:
            self._points += self._inner(self._points[-1], self._points[0], self._pointer)
        super()._finish()

    def _use(self, points: list[Point]) -> None:
        polygons, category_id = drawn_area(points), self._context.category_id
        if not polygons or category_id is None:
            return
        instance_id = self._context.allocate_id()
        self._context.commit(edits.create(instance_id, category_id, polygons), "Draw along edges")
        self._context.select(frozenset({instance_id}))


def _pairs(points: Sequence[np.ndarray] | Points) -> list[Point]:
    return [(float(x), float(y)) for x, y in points]
