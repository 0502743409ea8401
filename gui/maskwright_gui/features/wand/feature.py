"""The wand in the window: areas are found in a thread, one click after the other."""

import logging
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskwright.errors import MaskwrightError
from maskwright.geometry.polygon import Polygon
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.tools.feature import ToolEntry, ToolsFeature
from maskwright_gui.features.wand.tool import NAME, Touch, WandTool
from maskwright_gui.workers.worker import Worker

log = logging.getLogger(__name__)

RADIUS_SCREEN_PX = 80.0
_MOST_WAITING = 8
_MIN_IOU = 0.98


class WandThread(Worker):
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

    def run(self) -> None:
        while (job := self._next()) is not None:
            try:
                self.found.emit(job[0], self._area(*job))
            except MaskwrightError as error:
                self.failed.emit(error)
            except Exception:  # the boundary of a thread: the next click must be answered
                log.exception("the wand failed")

    def _next(self) -> tuple[Touch, Path] | None:
        with self._condition:
            if not self._wait_for(lambda: bool(self._waiting)):
                return None
            return self._waiting.popleft()

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
