"""Which part of the image a rasterised layer has to show, and which of its pixels a change touches."""

import math

from maskwright_gui.canvas.raster import LayerView
from maskwright_gui.canvas.viewport import Viewport

LINE_PAD_PX = 6
"""Device pixels that lines and their under-strokes may reach beyond an outline."""
_MARGIN_SCREEN_PX = 128
_RIM_SCREEN_PX = 8

Box = tuple[float, float, float, float]


def needed_box(viewport: Viewport, margin_screen_px: float) -> Box:
    """The part of the image that is on screen, with some more around it, but nothing outside the image's own edge."""
    x1, y1, x2, y2 = viewport.visible_box
    margin = margin_screen_px / viewport.scale
    rim = _RIM_SCREEN_PX / viewport.scale
    width, height = viewport.image_wh
    return (
        max(x1 - margin, -rim),
        max(y1 - margin, -rim),
        max(min(x2 + margin, width + rim), -rim),
        max(min(y2 + margin, height + rim), -rim),
    )


def view_for(viewport: Viewport, ratio: float) -> LayerView:
    """A view whose pixels fall exactly on the widget's device pixels."""
    x1, y1, x2, y2 = needed_box(viewport, _MARGIN_SCREEN_PX)
    left = math.floor((x1 * viewport.scale + viewport.offset_x) * ratio)
    top = math.floor((y1 * viewport.scale + viewport.offset_y) * ratio)
    right = math.ceil((x2 * viewport.scale + viewport.offset_x) * ratio)
    bottom = math.ceil((y2 * viewport.scale + viewport.offset_y) * ratio)
    return LayerView(
        viewport.scale * ratio,
        left - viewport.offset_x * ratio,
        top - viewport.offset_y * ratio,
        max(right - left, 1),
        max(bottom - top, 1),
    )


def covers(view: LayerView, needed: Box, scale: float) -> bool:
    if not math.isclose(view.scale, scale, rel_tol=1e-9):
        return False
    x1, y1, x2, y2 = view.box
    slack = 1.5 / scale
    return needed[0] >= x1 - slack and needed[1] >= y1 - slack and needed[2] <= x2 + slack and needed[3] <= y2 + slack


def device_area(view: LayerView, box: Box) -> tuple[int, int, int, int] | None:
    """The pixels of the view that a change within the box can touch, lines included; None if it is out of view."""
    pad = LINE_PAD_PX
    left = max(math.floor(box[0] * view.scale - view.origin_x) - pad, 0)
    top = max(math.floor(box[1] * view.scale - view.origin_y) - pad, 0)
    right = min(math.ceil(box[2] * view.scale - view.origin_x) + pad, view.width)
    bottom = min(math.ceil(box[3] * view.scale - view.origin_y) + pad, view.height)
    return (left, top, right, bottom) if left < right and top < bottom else None
