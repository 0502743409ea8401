"""Which part of the image a picture of device pixels shows, and which of its pixels a change affects."""

import math

from maskwright_gui.canvas.raster import LayerView
from maskwright_gui.canvas.viewport import Box, Viewport

LINE_PAD_PX = 6
"""Device pixels that lines and their under-strokes may extend beyond an outline."""
_ALIGNMENT_PX = 0.02


def aligned_view(viewport: Viewport, ratio: float, *, margin_screen_px: float, rim_screen_px: float) -> LayerView:
    """A view of the visible part and a margin, whose pixels fall exactly on the widget's device pixels.

    Nothing further than `rim_screen_px` outside the image is included.
    """
    x1, y1, x2, y2 = _needed_box(viewport, margin_screen_px, rim_screen_px)
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


def is_aligned(
    view: LayerView, viewport: Viewport, ratio: float, *, margin_screen_px: float, rim_screen_px: float
) -> bool:
    """Whether copying `view` shows everything needed: same scale, pixel on pixel, covering the margin."""
    scale = viewport.scale * ratio
    if not math.isclose(view.scale, scale, rel_tol=1e-9):
        return False
    for place in (viewport.offset_x * ratio + view.origin_x, viewport.offset_y * ratio + view.origin_y):
        if abs(place - round(place)) > _ALIGNMENT_PX:
            return False
    needed = _needed_box(viewport, margin_screen_px, rim_screen_px)
    x1, y1, x2, y2 = view.box
    slack = 1.5 / scale
    return needed[0] >= x1 - slack and needed[1] >= y1 - slack and needed[2] <= x2 + slack and needed[3] <= y2 + slack


def device_area(view: LayerView, box: Box) -> tuple[int, int, int, int] | None:
    """The pixels of the view that a change within the box can affect, lines included; None if it is out of view."""
    pad = LINE_PAD_PX
    left = max(math.floor(box[0] * view.scale - view.origin_x) - pad, 0)
    top = max(math.floor(box[1] * view.scale - view.origin_y) - pad, 0)
    right = min(math.ceil(box[2] * view.scale - view.origin_x) + pad, view.width)
    bottom = min(math.ceil(box[3] * view.scale - view.origin_y) + pad, view.height)
    return (left, top, right, bottom) if left < right and top < bottom else None


def _needed_box(viewport: Viewport, margin_screen_px: float, rim_screen_px: float) -> Box:
    x1, y1, x2, y2 = viewport.visible_box
    margin, rim = margin_screen_px / viewport.scale, rim_screen_px / viewport.scale
    width, height = viewport.image_wh
    return (
        min(max(x1 - margin, -rim), width + rim),
        min(max(y1 - margin, -rim), height + rim),
        max(min(x2 + margin, width + rim), -rim),
        max(min(y2 + margin, height + rim), -rim),
    )
