"""What a step took of a person, in numbers."""

from dataclasses import dataclass

IDLE_S = 30.0
"""A longer pause counts as so many seconds of looking; the rest of it is idle."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """What a person did since the step before."""

    clicks: int = 0
    keys: int = 0
    active_s: float = 0.0
    """Idle time is cut."""
