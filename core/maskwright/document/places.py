"""Names for places on an instance's outlines."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class VertexRef:
    """One vertex. `ring` 0 is the part's outer ring, 1 and up are its holes."""

    instance_id: int
    part: int
    ring: int
    vertex: int


@dataclass(frozen=True, slots=True)
class EdgePoint:
    """A point on the edge that runs from `start` to the next vertex of the same ring."""

    start: VertexRef
    x: float
    y: float
    fraction: float
    """How far along the edge, 0 at `start`, 1 at the next vertex."""
    distance: float
    """From the point that was asked about, image pixels."""
