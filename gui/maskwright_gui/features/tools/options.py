"""The slider of the active tool, and the size of the brush: fitted to the image at first, then stored."""

import logging
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer

from maskwright.document.values import Instance
from maskwright.errors import ProjectError
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.canvas.viewport import Box
from maskwright_gui.open_project import OpenProject
from maskwright_gui.panels.tool_options import Scale, ToolChoice, ToolOptionsBar
from maskwright_gui.session import Session
from maskwright_gui.tools.brush import BrushTool
from maskwright_gui.tools.simplify import COARSEST, FINEST, SimplifyTool

log = logging.getLogger(__name__)

BRUSH_SETTING = "window.brush_radius"
_RADII = Scale(0.5, 500.0)
_SHARE_OF_OBJECT, _SHARE_OF_VIEW = 1 / 8, 1 / 40
_COARSEST_SHARE = 1 / 8
"""As a share of an object's longer side: a larger brush would blot out its shape."""
_KEEP_AFTER_MS = 500


class ToolSlider(QObject):
    """The slider of the active tool: brush size, or detail."""

    def __init__(self, canvas: CanvasView, bar: ToolOptionsBar, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._bar, self._session = canvas, bar, session
        self._kept_radius: float | None = None
        """The size stored in the project; None if nobody has painted in it yet."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_KEEP_AFTER_MS)
        self._timer.timeout.connect(self._keep_radius)
        bar.moved.connect(self._on_moved)
        bar.apply_requested.connect(self._on_apply)
        canvas.tool_changed.connect(self._on_tool)
        canvas.tool_shown.connect(self._show)
        session.project_changed.connect(self._on_project)
        session.image_changed.connect(self._keep_radius)

    def _show(self) -> None:
        match self._canvas.tool:
            case SimplifyTool() as tool:
                self._bar.show_choice(_detail_choice(tool, self._detail_scale()))
            case BrushTool():
                radius = self._canvas.context.options.brush_radius
                if radius != self._kept_radius and not self._timer.isActive():
                    self._timer.start()
                text = f"{2 * radius:.3g} px wide"
                tip = "Size of brush and eraser in image pixels (or use the wheel)"
                self._bar.show_choice(ToolChoice("Size", _RADII, radius, text, "00.0 px wide", tip))
            case _:
                self._bar.show_choice(None)

    def _detail_scale(self) -> Scale:
        """The scale from a few points of the largest selected object to all of them."""
        context = self._canvas.context
        boxes = [context.document[id_].bounds_xyxy for id_ in context.selected_editable]
        longest = max((max(x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes), default=0.0)
        return Scale(min(max(longest * _COARSEST_SHARE, 1.0), COARSEST), FINEST)

    def _on_moved(self, value: float) -> None:
        match self._canvas.tool:
            case SimplifyTool() as tool:
                tool.tolerance = value
                self._canvas.show_tool()
            case BrushTool():
                self._canvas.set_options(replace(self._canvas.context.options, brush_radius=value))

    def _on_apply(self) -> None:
        if isinstance(tool := self._canvas.tool, SimplifyTool):
            tool.apply()
            self._canvas.show_tool()

    def _on_tool(self) -> None:
        if isinstance(self._canvas.tool, BrushTool) and self._session.project is not None and not self._kept_radius:
            document = self._session.document
            radius = fitting_radius(document or (), self._canvas.navigator.viewport.visible_box)
            self._canvas.set_options(replace(self._canvas.context.options, brush_radius=radius))
        self._show()

    def _on_project(self, project: OpenProject | None) -> None:
        stored: Any = project.setting(BRUSH_SETTING) if project is not None else None
        is_size = isinstance(stored, int | float) and 0 < stored < math.inf
        self._kept_radius = float(stored) if is_size else None
        if self._kept_radius is not None:
            self._canvas.set_options(replace(self._canvas.context.options, brush_radius=self._kept_radius))

    def _keep_radius(self) -> None:
        project, radius = self._session.project, self._canvas.context.options.brush_radius
        is_brush = isinstance(self._canvas.tool, BrushTool)
        if project is None or project.is_read_only or not is_brush or radius == self._kept_radius:
            return
        try:
            project.set_setting(BRUSH_SETTING, radius)
            self._kept_radius = radius
        except ProjectError as error:  # a brush size that is lost is not worth a message
            log.warning("the size of the brush is not kept: %s", error)


def fitting_radius(instances: Iterable[Instance], visible_box: Box) -> float:
    """A brush radius that suits the typical object or, without objects, the visible part. Image pixels."""
    boxes = [one.bounds_xyxy for one in instances if one.polygons]
    sides = [math.sqrt((x2 - x1) * (y2 - y1)) for x1, y1, x2, y2 in boxes]
    x1, y1, x2, y2 = visible_box
    radius = float(np.median(sides)) * _SHARE_OF_OBJECT if sides else min(x2 - x1, y2 - y1) * _SHARE_OF_VIEW
    return min(max(round(radius, 1), 1.0), _RADII.right)


def _detail_choice(tool: SimplifyTool, scale: Scale) -> ToolChoice:
    tip = "To the right keeps more points (or use the wheel). Enter applies; the detail can be brought back later"
    detail, room = tool.detail, "000 of 000 points · IoU 0.000"
    if detail is None:
        return ToolChoice("Points kept", scale, tool.tolerance, "Select an object", room, tip, False, False)
    text = f"{detail.vertices} of {detail.vertices_before} points · IoU {detail.iou:.3f}"
    return ToolChoice("Points kept", scale, tool.tolerance, text, room, tip, True, tool.is_busy)
