"""What a tool wants painted over the image, as plain values: the tool says what, the canvas how.

Coordinates are image pixels; the canvas chooses sizes on screen (handles, pens).
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Instance

Points = NDArray[np.float64]
"""(N, 2) float64, image pixels."""


class Mark(Enum):
    """The meaning of a point on the canvas."""

    VERTEX = "vertex"
    MIDPOINT = "midpoint"
    HOT = "hot"
    """The vertex or midpoint that a press would grab."""
    CLOSING = "closing"
    """The first point, when a click would close the outline."""
    SNAP = "snap"
    INSIDE = "inside"
    """A point that the user has marked as part of the object."""
    OUTSIDE = "outside"
    """A point marked as not part of it."""
    DOOMED = "doomed"
    """A vertex that the running gesture removes."""


class Stroke(Enum):
    """The meaning of a line on the canvas."""

    DRAFT = "draft"
    """The outline being drawn, in the class colour."""
    GUIDE = "guide"
    """Where a click would lead: a thin light line."""
    HOT = "hot"
    """The edge that a press would grab."""
    RUBBER = "rubber"
    """The box of a rubber-band selection."""
    BRUSH = "brush"
    ERASER = "eraser"


@dataclass(frozen=True, slots=True, eq=False)
class OverlayLine:
    """A line in image coordinates, open or closed."""

    points: Points
    stroke: Stroke
    is_closed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class OverlayMarks:
    """Points drawn at the same size at any zoom."""

    points: Points
    mark: Mark


@dataclass(frozen=True, slots=True, eq=False)
class OverlayCircle:
    """A circle in image pixels: the brush."""

    x: float
    y: float
    radius: float
    stroke: Stroke


@dataclass(frozen=True, slots=True)
class OverlayNote:
    """A short text beside a position, such as a size. Image pixels."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Everything that a tool shows at one moment, lowest first: instances, lines, circles, marks."""

    instances: tuple[Instance, ...] = ()
    """Drafts of changed or new instances, painted as selected ones."""
    replaced: frozenset[int] = frozenset()
    """Instances of the document replaced by the drafts: not painted meanwhile."""
    lines: tuple[OverlayLine, ...] = ()
    circles: tuple[OverlayCircle, ...] = ()
    marks: tuple[OverlayMarks, ...] = ()
    hovered: int | None = None
    """The instance that a click would select."""
    shows_handles: bool = False
    """Whether the vertices of the selected instances are shown as handles."""
    touched: tuple[float, float, float, float] | None = None
    """Where the drafts differ from those of the previous overlay, xyxy, if the tool knows: saves comparing."""
    notes: tuple[OverlayNote, ...] = ()


NOTHING = Overlay()


def as_points(*points: tuple[float, float]) -> Points:
    """(N, 2) float64 from pairs of numbers."""
    return np.array(points, np.float64).reshape(-1, 2)
