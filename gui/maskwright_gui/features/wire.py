"""Drawing along edges: a polygon tool whose sides follow the edges in the image, and the thread behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskwright.document import edits
from maskwright.document.combine import drawn_area
from maskwright.errors import MaskwrightError
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.tools.feature import ToolEntry, ToolsFeature
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import Points, as_points
from maskwright_gui.tools.path import PathTool, Point
from maskwright_gui.tools.tool import Pointer
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    from maskwright.assist.livewire import LiveWire

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
    """Ctrl draws a straight side, for blurred edges; all else works as with the polygon. Free of Qt, and of pixels."""

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


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request for the paths from a point of an image."""

    image_id: int
    path: Path
    anchor: Point
    reach_px: float


class WireThread(Worker[WireRequest]):
    """Computes the paths from one point, the newest request first; each takes a tenth of a second."""

    ready = Signal()
    failed = Signal(object)
    """MaskwrightError: the image cannot be read."""

    def __init__(self, pixels_of: Callable[[int, Path], NDArray[np.uint8]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pixels_of = pixels_of
        self._waiting: WireRequest | None = None
        self._made: tuple[WireRequest, LiveWire] | None = None

    def prepare(self, wish: WireRequest) -> None:
        """Request the paths; a request that is already known changes nothing."""
        with self._condition:
            is_made = self._made is not None and self._made[0] == wish
            self._waiting = None if is_made else wish
            self._condition.notify()

    def wire_at(self, image_id: int, anchor: Point) -> "LiveWire | None":
        """The paths from the anchor; None while they are being computed."""
        made = self._made
        return made[1] if made is not None and (made[0].image_id, made[0].anchor) == (image_id, anchor) else None

    def forget(self) -> None:
        """Another project is open: its images have the same ids."""
        with self._condition:
            self._waiting = self._made = None

    def _take(self) -> WireRequest | None:
        wish, self._waiting = self._waiting, None
        return wish

    def _fail(self, _: WireRequest, error: MaskwrightError) -> None:
        self.failed.emit(error)

    def _do(self, wish: WireRequest) -> None:
        from maskwright.assist.livewire import LiveWire

        wire = LiveWire(self._pixels_of(wish.image_id, wish.path), wish.anchor, reach_px=wish.reach_px)
        self._made = (wish, wire)
        self.ready.emit()


class WireFeature(Feature):
    """Adds the tool, and gives it the paths."""

    def __init__(self, context: Context, tools: ToolsFeature, point: PointFeature) -> None:
        super().__init__(context)
        self.thread_ = WireThread(point.pixels, self)
        self.thread_.ready.connect(self._canvas.show_tool)
        self.thread_.failed.connect(lambda error: self._tell_error("The line is straight", error))
        self._session.project_changed.connect(self.thread_.forget)
        tools.add(
            ToolEntry(
                NAME,
                "Draw along edges",
                "Along edges",
                "path",
                ("Shift+O",),
                self._make_tool,
                words="live wire livewire intelligent scissors magnetic lasso edge contour",
                makes_objects=True,
                is_on_bar=False,
            )
        )
        self.thread_.start()

    def prepare(self, anchor: Point, reach_px: float) -> None:
        project, image = self._session.project, self._session.image
        if project is not None and image is not None:
            self.thread_.prepare(WireRequest(image.id, project.image_path(image), anchor, reach_px))

    def way(self, anchor: Point, target: Point) -> Points | None:
        image = self._session.image
        wire = self.thread_.wire_at(image.id, anchor) if image is not None else None
        return wire.path_to(target) if wire is not None else None

    def stop(self) -> None:
        super().stop()
        self.thread_.stop()

    def _make_tool(self, context: ToolContext) -> WireTool:
        return WireTool(context, self)
