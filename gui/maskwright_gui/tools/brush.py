"""Brush and eraser: painting grows the object's outline, erasing shrinks it; wheel and brackets resize the disc.

The stroke is an area (the brush swept along the pointer's path) that is merged with or subtracted from the outline.
Nothing is rasterised, so vertices that the brush does not touch stay exactly where they are.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import Enum, auto

import shapely
from shapely.geometry.base import BaseGeometry

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.combine import MIN_AREA
from maskwright.document.values import Instance
from maskwright.geometry.algebra import from_shapely, to_shapely
from maskwright_gui.tools.area import targets_of, topmost_at
from maskwright_gui.tools.context import LOCKED_HINT, ToolContext
from maskwright_gui.tools.overlay import Overlay, OverlayCircle, Stroke
from maskwright_gui.tools.tool import BaseTool, Button, Cursor, KeyPress, Pointer

_SIZE_STEP = 1.15


class DiscTool(BaseTool):
    """A tool that draws a disc at the last pointer position."""

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._pointer: Pointer | None = None

    def on_wheel(self, pointer: Pointer, steps: float) -> bool:
        """With Ctrl or Shift the canvas zooms or pans instead."""
        if pointer.modifiers.ctrl or pointer.modifiers.shift:
            return False
        self._pointer = pointer
        self._resize(_SIZE_STEP**steps)
        return True

    def on_key(self, key: KeyPress) -> bool:
        """Escape deselects if there is no gesture to cancel, so that the next one begins a new object."""
        if key.name in ("[", "]"):
            self._resize(_SIZE_STEP if key.name == "]" else 1 / _SIZE_STEP)
            return True
        if key.name == "Escape" and not self.is_busy and self._context.selection:
            self._context.select(frozenset())
            return True
        return super().on_key(key)

    def wants_key(self, key: KeyPress) -> bool:
        """The brackets at any time."""
        return key.name in ("[", "]") or super().wants_key(key)

    def _resize(self, factor: float) -> None:
        raise NotImplementedError


_CHORD_ERROR_PX = 0.25
_DETAIL_PX = 0.15
_STEP_OF_RADIUS = 0.15
_MIN_RADIUS, _MAX_RADIUS = 0.5, 2000.0

Point = tuple[float, float]


class StrokeState(Enum):
    """Whether a stroke is running."""

    IDLE = auto()
    PAINTING = auto()


class BrushTool(DiscTool):
    """Works on the selected object, else on the one under the pointer, else begins a new one. Ctrl inverts the tool."""

    name = "brush"
    _erases = False

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.state = StrokeState.IDLE
        self._path: list[Point] = []
        self._erasing = False
        self._document = context.document
        self._target: Instance | None = None
        self._shape: BaseGeometry = shapely.Polygon()
        self._draft: Instance | None = None
        self._touched: tuple[float, float, float, float] | None = None

    @property
    def hint(self) -> str:
        if self.is_busy:
            return "Release to finish · Esc cancels"
        if self._context.is_selection_locked:
            return LOCKED_HINT
        works = "Drag erases · Ctrl paints" if self._erases else "Drag paints · Ctrl erases"
        return f"{works} · wheel or {{[}} {{]}} size · Esc deselects and begins a new object"

    @property
    def cursor(self) -> Cursor:
        return Cursor.HIDDEN

    @property
    def is_busy(self) -> bool:
        return self.state is StrokeState.PAINTING

    def on_press(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if pointer.button is Button.RIGHT:
            self.cancel()
        if pointer.button is not Button.LEFT or self.is_busy or self._context.is_selection_locked:
            return
        self._erasing = self._erases != pointer.modifiers.ctrl
        self._document = self._context.document
        self._target = self._choose_target(pointer.point)
        if self._target is None:
            return
        self.state = StrokeState.PAINTING
        self._shape = to_shapely(self._target.polygons)
        self._path = [pointer.point]
        self._sweep([pointer.point])

    def on_move(self, pointer: Pointer) -> None:
        self._pointer, self._touched = pointer, None
        if self.is_busy and math.dist(pointer.point, self._path[-1]) >= self._radius * _STEP_OF_RADIUS:
            self._path.append(pointer.point)
            self._sweep(self._path[-2:])

    def on_release(self, pointer: Pointer) -> None:
        if not self.is_busy or pointer.button is not Button.LEFT or self._target is None:
            return
        if pointer.point != self._path[-1]:
            self._path.append(pointer.point)
        # the whole stroke at once leaves far fewer vertices than the steps shown so far
        stroke = shapely.simplify(self._swept(self._path), _DETAIL_PX)
        change = self._change_to(self._combined(to_shapely(self._target.polygons), stroke))
        label, instance_id = ("Erase" if self._erasing else "Brush"), self._target.id
        self.cancel()
        if not change.is_empty:
            self._context.commit(change, label)
            self._context.select(frozenset({instance_id}))

    def on_document(self) -> None:
        """A stroke continues while its object is unchanged."""
        if self._target is None:
            return
        known = self._document.instances.get(self._target.id)
        if self._context.document.instances.get(self._target.id) != known:
            self.cancel()

    def cancel(self) -> None:
        self.state = StrokeState.IDLE
        self._target = self._draft = None
        self._touched = None
        self._path = []

    def overlay(self) -> Overlay:
        circles: tuple[OverlayCircle, ...] = ()
        if self._pointer is not None:
            erases = self._erasing if self.is_busy else self._erases != self._pointer.modifiers.ctrl
            stroke = Stroke.ERASER if erases else Stroke.BRUSH
            circles = (OverlayCircle(*self._pointer.point, self._radius, stroke),)
        if not self.is_busy or self._target is None:
            return Overlay(circles=circles)
        drafts = (self._draft,) if self._draft is not None else ()
        return Overlay(drafts, frozenset({self._target.id}), circles=circles, touched=self._touched)

    @property
    def _radius(self) -> float:
        return self._context.options.brush_radius

    def _resize(self, factor: float) -> None:
        radius = min(max(self._radius * factor, _MIN_RADIUS), _MAX_RADIUS)
        self._context.options = replace(self._context.options, brush_radius=radius)

    def _choose_target(self, point: Point) -> Instance | None:
        ids = targets_of(self._context, point)
        if self._erasing and ids.isdisjoint(self._context.index.near(*point, self._radius)):
            ids = topmost_at(self._context, point) or ids  # nothing of the selection is in reach
        if len(ids) > 1:
            ids = ids.intersection(self._context.index.at(*point))
        if ids:
            return self._document[min(ids)]
        if self._erasing or self._context.category_id is None:
            return None
        return Instance(self._context.allocate_id(), self._context.category_id, ())

    def _sweep(self, path: Sequence[Point]) -> None:
        swept = self._swept(path)
        self._touched = swept.bounds
        self._shape = self._combined(self._shape, swept)
        after = dict(self._change_to(self._shape).entries)
        if self._target is not None:
            self._draft = after.get(self._target.id, (None, self._target))[1]

    def _swept(self, path: Sequence[Point]) -> BaseGeometry:
        line = shapely.LineString(path) if len(path) > 1 else shapely.Point(path[0])
        half_angle = math.acos(max(1.0 - _CHORD_ERROR_PX / max(self._radius, _CHORD_ERROR_PX), -1.0))
        return shapely.buffer(line, self._radius, quad_segs=max(math.ceil(math.pi / 4 / half_angle), 2))

    def _combined(self, shape: BaseGeometry, swept: BaseGeometry) -> BaseGeometry:
        if self._erasing:
            return shapely.difference(shape, swept)
        return shapely.union(shape, shapely.intersection(swept, shapely.box(0, 0, *self._document.size_wh)))

    def _change_to(self, shape: BaseGeometry) -> Change:
        assert self._target is not None, "a stroke has a target"
        polygons = [polygon for polygon in from_shapely(shape) if shapely.Polygon(polygon.exterior).area >= MIN_AREA]
        if self._target.id in self._document:
            return edits.set_polygons(self._document, {self._target.id: polygons})
        return edits.create(self._target.id, self._target.category_id, polygons) if polygons else Change.of([])


class EraserTool(BrushTool):
    """Removes what it is drawn over."""

    name = "eraser"
    _erases = True
