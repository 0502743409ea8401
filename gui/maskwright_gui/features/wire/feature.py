"""The live wire in the window: a thread computes the paths along edges from the last click."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskwright.errors import MaskwrightError
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.tools.feature import ToolEntry, ToolsFeature
from maskwright_gui.features.wire.tool import NAME, WireTool
from maskwright_gui.tools.context import ToolContext
from maskwright_gui.tools.overlay import Points
from maskwright_gui.tools.path import Point
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    from maskwright.assist.livewire import LiveWire

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request for the paths from a point of an image."""

    image_id: int
    path: Path
    anchor: Point
    reach_px: float


class WireThread(Worker):
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

    def run(self) -> None:
        while (wish := self._next()) is not None:
            try:
                self._make(wish)
            except MaskwrightError as error:
                self.failed.emit(error)
            except Exception:  # the boundary of a thread: straight lines can still be drawn
                log.exception("no way along edges was made")

    def _next(self) -> WireRequest | None:
        with self._condition:
            if not self._wait_for(lambda: self._waiting is not None):
                return None
            wish, self._waiting = self._waiting, None
            return wish

    def _make(self, wish: WireRequest) -> None:
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
