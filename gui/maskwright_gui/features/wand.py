"""The magic wand: a tool that selects one colour around a click, inside a disc, and the thread behind it."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskwright.document import combine, edits
from maskwright.document.change import Change
from maskwright.errors import MaskwrightError
from maskwright.geometry.polygon import Polygon
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.tools.feature import ToolEntry, ToolsFeature
from maskwright_gui.tools.area import targets_of, topmost_at
from maskwright_gui.tools.brush import DiscTool
from maskwright_gui.tools.context import LOCKED_HINT, NO_CLASS_HINT, ToolContext
from maskwright_gui.tools.overlay import NOTHING, Overlay, OverlayCircle, Stroke
from maskwright_gui.tools.tool import Button, Cursor, Pointer
from maskwright_gui.workers.worker import Worker

NAME = "wand"
RADIUS_SCREEN_PX = 80.0
_LEAST_PX, _MOST_PX = 8.0, 400.0
_MOST_WAITING = 8
_MIN_IOU = 0.98

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Touch:
    """One click, and what its answer applies to."""

    serial: int
    image_id: int
    at: Point
    radius_px: float
    targets: frozenset[int]
    """Objects to grow or shrink; none for a new one."""
    takes_away: bool
    category_id: int


class Wands(Protocol):
    """Finds areas in the background; keeps the disc size between uses of the tool."""

    radius_screen_px: float

    def ask(self, touch: Touch) -> None:
        """Find the area of a click; the answer comes later."""


class WandTool(DiscTool):
    """Extends the selected object, or begins a new one. Ctrl removes. Like all tools free of Qt, and of pixels."""

    name = NAME

    def __init__(self, context: ToolContext, wands: Wands, serials: "count[int]") -> None:
        super().__init__(context)
        self._wands, self._serials = wands, serials

    @property
    def hint(self) -> str:
        if self._context.is_selection_locked:
            return LOCKED_HINT
        if self._context.category_id is None and not self._context.selection:
            return NO_CLASS_HINT
        return "Click adds this colour · Ctrl removes · wheel or {[} {]} disc size · Esc begins a new object"

    @property
    def cursor(self) -> Cursor:
        return Cursor.CROSS

    def on_press(self, pointer: Pointer) -> None:
        self._pointer = pointer
        if pointer.button is not Button.LEFT or self._context.is_selection_locked or self._context.is_read_only:
            return
        width, height = self._context.document.size_wh
        x, y = pointer.point
        takes_away = pointer.modifiers.ctrl
        targets = frozenset(self._context.selected_editable)
        if takes_away and not targets:
            targets = topmost_at(self._context, pointer.point)
        if not (0 <= x <= width and 0 <= y <= height) or (takes_away and not targets):
            return
        if not targets and self._context.category_id is None:
            self._context.ask_class()
            return
        radius = pointer.reach(self._wands.radius_screen_px)
        image_id, category_id = self._context.document.image_id, self._context.category_id or 0
        self._wands.ask(Touch(next(self._serials), image_id, (x, y), radius, targets, takes_away, category_id))

    def on_move(self, pointer: Pointer) -> None:
        self._pointer = pointer

    def on_document(self) -> None:
        """Running clicks belong to the document they were made on; see `on_answer`."""

    def on_answer(self, touch: Touch, area: Sequence[Polygon]) -> None:
        """The area that a click found; ignored if its image has been left."""
        document = self._context.document
        if touch.image_id != document.image_id or not area:
            return
        parts = tuple(area)
        if touch.targets and not touch.targets <= document.instances.keys():
            return  # deleted meanwhile
        change, chosen = self._changed(touch, parts)
        if not change.is_empty:
            self._context.commit(change, "Wand")
            self._context.select(chosen)

    def overlay(self) -> Overlay:
        if self._pointer is None:
            return NOTHING
        stroke = Stroke.ERASER if self._pointer.modifiers.ctrl else Stroke.BRUSH
        radius = self._pointer.reach(self._wands.radius_screen_px)
        return Overlay(circles=(OverlayCircle(*self._pointer.point, radius, stroke),))

    def _changed(self, touch: Touch, area: tuple[Polygon, ...]) -> tuple[Change, frozenset[int]]:
        document = self._context.document
        if touch.takes_away:
            return combine.subtract(document, touch.targets, area), touch.targets
        if touch.targets:
            near = targets_of(self._context, touch.at) & touch.targets or touch.targets
            return combine.add(document, near, area), touch.targets
        made = self._context.allocate_id()
        return edits.create(made, touch.category_id, area), frozenset({made})

    def _resize(self, factor: float) -> None:
        self._wands.radius_screen_px = min(max(self._wands.radius_screen_px * factor, _LEAST_PX), _MOST_PX)


class WandThread(Worker[tuple[Touch, Path]]):
    """Answers clicks in order; while eight are waiting, further ones are dropped."""

    found = Signal(object, object)
    """(Touch, tuple of Polygon)."""
    failed = Signal(object)
    """MaskwrightError."""

    def __init__(self, pixels_of: Callable[[int, Path], NDArray[np.uint8]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pixels_of = pixels_of
        self._waiting: deque[tuple[Touch, Path]] = deque()

    def ask(self, touch: Touch, path: Path) -> None:
        """path: the image's file."""
        with self._condition:
            if len(self._waiting) < _MOST_WAITING:
                self._waiting.append((touch, path))
            self._condition.notify()

    def forget(self) -> None:
        """Another project is open: its images have the same ids."""
        with self._condition:
            self._waiting.clear()

    def _take(self) -> tuple[Touch, Path] | None:
        return self._waiting.popleft() if self._waiting else None

    def _do(self, click: tuple[Touch, Path]) -> None:
        touch, path = click
        self.found.emit(touch, self._area(touch, path))

    def _fail(self, _: tuple[Touch, Path], error: MaskwrightError) -> None:
        self.failed.emit(error)

    def _area(self, touch: Touch, path: Path) -> tuple[Polygon, ...]:
        from maskwright.assist.wand import wand
        from maskwright.geometry.convert import mask_to_polygons

        crop = wand(self._pixels_of(touch.image_id, path), touch.at, touch.radius_px)
        return mask_to_polygons(crop.pixels, min_iou=_MIN_IOU, offset_xy=crop.corner_xy)


class WandFeature(Feature):
    """Adds the tool, and passes it the areas that its clicks find."""

    def __init__(self, context: Context, tools: ToolsFeature, point: PointFeature) -> None:
        super().__init__(context)
        self._serials = count(1)
        self.radius_screen_px = RADIUS_SCREEN_PX
        self.thread_ = WandThread(point.pixels, self)
        self.thread_.found.connect(self._on_found)
        self.thread_.failed.connect(lambda error: self._tell_error("The wand found nothing", error))
        self._session.project_changed.connect(self.thread_.forget)
        tools.add(
            ToolEntry(
                NAME,
                "Magic wand",
                "Wand",
                "magic-wand",
                ("Shift+V",),
                lambda context: WandTool(context, self, self._serials),
                words="magic wand colour similar flood fill bucket tolerance",
                makes_objects=True,
                is_on_bar=False,
            )
        )
        self.thread_.start()

    def ask(self, touch: Touch) -> None:
        project, image = self._session.project, self._session.image
        if project is not None and image is not None and image.id == touch.image_id:
            self.thread_.ask(touch, project.image_path(image))

    def stop(self) -> None:
        super().stop()
        self.thread_.stop()

    def _on_found(self, touch: Touch, area: tuple[Polygon, ...]) -> None:
        tool = self._canvas.tool
        if isinstance(tool, WandTool):
            tool.on_answer(touch, area)
            self._canvas.show_tool()
