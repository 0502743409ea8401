"""Which part of the image is on screen, at what zoom: a frozen value with all zoom and pan arithmetic.

Screen coordinates are logical pixels of the widget; image coordinates are image pixels on pixel edges.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

MAX_SCALE = 64.0
_MIN_SCALE_OF_FIT = 0.2
_FIT_SCREEN_PX = 10.0
"""Left free around a fitted image: a handle at its border is whole, and the border can be reached from outside."""
_IN_VIEW_SCREEN_PX = 8.0
"""Left free around what is brought into view; less than the margin of a fitted image, so that one stays fitted."""
_KEPT_VISIBLE_SCREEN_PX = 64.0

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class ViewportState:
    """The part of the viewport remembered for each image, whatever the window size (`to_json`)."""

    centre_x: float
    centre_y: float
    scale: float
    is_fit: bool

    def to_json(self) -> dict[str, float | bool]:
        """JSON values for the project; the inverse of `from_json`."""
        return {"centre_x": self.centre_x, "centre_y": self.centre_y, "scale": self.scale, "is_fit": self.is_fit}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ViewportState":
        """The inverse of `to_json`. Raises KeyError or ValueError for anything else."""
        return cls(float(values["centre_x"]), float(values["centre_y"]), float(values["scale"]), bool(values["is_fit"]))


@dataclass(frozen=True, slots=True)
class Viewport:
    """screen = image * scale + offset."""

    image_wh: tuple[int, int] = (1, 1)
    screen_wh: tuple[int, int] = (1, 1)
    scale: float = 1.0
    """Logical screen pixels per image pixel."""
    offset_x: float = 0.0
    offset_y: float = 0.0
    is_fit: bool = True
    """Whether it follows the window size so that the whole image stays visible."""

    def to_screen(self, x: float, y: float) -> Point:
        """A point of the image on the screen."""
        return x * self.scale + self.offset_x, y * self.scale + self.offset_y

    def to_image(self, x: float, y: float) -> Point:
        """A point of the screen on the image."""
        return (x - self.offset_x) / self.scale, (y - self.offset_y) / self.scale

    @property
    def visible_box(self) -> Box:
        """The image area under the widget, xyxy in image pixels; may extend beyond the image."""
        x1, y1 = self.to_image(0.0, 0.0)
        x2, y2 = self.to_image(*map(float, self.screen_wh))
        return x1, y1, x2, y2

    @property
    def fit_scale(self) -> float:
        """Screen pixels per image pixel at which the whole image is visible."""
        margin = _FIT_SCREEN_PX
        width = max(self.screen_wh[0] - 2 * margin, 1.0)
        height = max(self.screen_wh[1] - 2 * margin, 1.0)
        return min(width / self.image_wh[0], height / self.image_wh[1], MAX_SCALE)

    @property
    def state(self) -> ViewportState:
        """What stays the same for another window size."""
        x, y = self.to_image(self.screen_wh[0] / 2, self.screen_wh[1] / 2)
        return ViewportState(x, y, self.scale, self.is_fit)

    def with_state(self, state: ViewportState) -> "Viewport":
        """The same widget at another zoom and position."""
        if state.is_fit:
            return self.fitted()
        return self.centred((state.centre_x, state.centre_y), state.scale)

    def with_image(self, image_wh: tuple[int, int]) -> "Viewport":
        """The same widget with an image of another size."""
        return replace(self, image_wh=(max(image_wh[0], 1), max(image_wh[1], 1))).fitted()

    def with_screen(self, screen_wh: tuple[int, int]) -> "Viewport":
        """Another widget size: a fitted image is fitted again, otherwise the centre stays."""
        state = self.state
        return replace(self, screen_wh=(max(screen_wh[0], 1), max(screen_wh[1], 1))).with_state(state)

    def fitted(self) -> "Viewport":
        """With the whole image in view."""
        centre = (self.image_wh[0] / 2, self.image_wh[1] / 2)
        return replace(self.centred(centre, self.fit_scale), is_fit=True)

    def centred(self, point: Point, scale: float) -> "Viewport":
        """With the image point in the centre of the widget."""
        scale = self._allowed(scale)
        offset_x, offset_y = self.screen_wh[0] / 2 - point[0] * scale, self.screen_wh[1] / 2 - point[1] * scale
        return replace(self, scale=scale, offset_x=offset_x, offset_y=offset_y, is_fit=False)._kept_in_sight()

    def zoomed(self, factor: float, at_screen: Point) -> "Viewport":
        """Scaled by `factor`; the image point under `at_screen` stays there."""
        scale = self._allowed(self.scale * factor)
        x, y = self.to_image(*at_screen)
        moved = replace(
            self, scale=scale, offset_x=at_screen[0] - x * scale, offset_y=at_screen[1] - y * scale, is_fit=False
        )
        return moved._kept_in_sight()

    def panned(self, dx: float, dy: float) -> "Viewport":
        """Moved by screen pixels."""
        moved = replace(self, offset_x=self.offset_x + dx, offset_y=self.offset_y + dy, is_fit=False)
        return moved._kept_in_sight()

    def zoomed_to(self, box: Box, *, share: float = 0.5) -> "Viewport":
        """With the box centred and its longer side filling `share` of the widget."""
        x1, y1, x2, y2 = box
        scale = share * min(self.screen_wh[0] / max(x2 - x1, 1.0), self.screen_wh[1] / max(y2 - y1, 1.0))
        return self.centred(((x1 + x2) / 2, (y1 + y2) / 2), min(scale, 16.0))

    def showing(self, box: Box) -> "Viewport":
        """At the same scale with the box in view, moved no further than needed, or centred if none of it was visible.

        A box larger than the view is shown whole, unless its centre is in view: then the user is looking at a part of
        it.
        """
        (x1, y1), (x2, y2) = self.to_screen(box[0], box[1]), self.to_screen(box[2], box[3])
        width, height = self.screen_wh
        is_seen = x2 > 0 and y2 > 0 and x1 < width and y1 < height
        if x2 - x1 > width - 2 * _IN_VIEW_SCREEN_PX or y2 - y1 > height - 2 * _IN_VIEW_SCREEN_PX:
            is_middle_seen = 0 <= (x1 + x2) / 2 < width and 0 <= (y1 + y2) / 2 < height
            return self if is_middle_seen else self.zoomed_to(box, share=0.9)
        if not is_seen:
            return self.centred(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), self.scale)
        dx = max(_IN_VIEW_SCREEN_PX - x1, 0.0) + min(width - _IN_VIEW_SCREEN_PX - x2, 0.0)
        dy = max(_IN_VIEW_SCREEN_PX - y1, 0.0) + min(height - _IN_VIEW_SCREEN_PX - y2, 0.0)
        return self.panned(dx, dy) if dx or dy else self

    def _allowed(self, scale: float) -> float:
        return min(max(scale, min(self.fit_scale * _MIN_SCALE_OF_FIT, 1.0)), MAX_SCALE)

    def _kept_in_sight(self) -> "Viewport":
        """Keeps some of the image on screen."""
        kept = _KEPT_VISIBLE_SCREEN_PX
        width, height = self.image_wh[0] * self.scale, self.image_wh[1] * self.scale
        low_x, high_x = min(kept, width) - width, self.screen_wh[0] - min(kept, width)
        low_y, high_y = min(kept, height) - height, self.screen_wh[1] - min(kept, height)
        offset_x = min(max(self.offset_x, low_x), max(high_x, low_x))
        offset_y = min(max(self.offset_y, low_y), max(high_y, low_y))
        return replace(self, offset_x=offset_x, offset_y=offset_y)
