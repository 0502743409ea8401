"""What a learning process tells, one JSON object a line, and the values that a window or a script gets of it."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

Phase = Literal["starting", "learning", "judging", "finishing"]


@dataclass(frozen=True, slots=True)
class LearnProgress:
    """How far a round is."""

    phase: Phase
    step: int
    share: float
    """Of the budget, 0..1."""
    seconds: float
    """Spent, earlier sessions of the same round included."""
    seconds_left: float | None
    loss: float | None = None
    ap: float | None = None
    """On the held-out images, the latest figure; None before the first and where none are held out."""
    f1: float | None = None
    is_starved: bool = False
    """Other programs take most of the processor."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The process ended well: its model lies in the work folder."""

    steps: int
    seconds: float
    score: float
    """The operating point."""
    new: dict[str, Any] | None
    """`Figures` as JSON; None without held-out images."""
    old: dict[str, Any] | None
    """Of the model before it, on the held-out images that it has not learned from."""
    was_stopped: bool
    compared: dict[str, Any] | None = None
    """Of the new model on the images of `old`, where those are not all that are held out."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Images that could not be read, and why."""
    device: str = "cpu"
    peak_mb: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The process gave up; what it had learned lies in its checkpoint."""

    message: str
    hint: str | None = None


Event = LearnProgress | Finished | Failed
_NAMES: dict[str, type[LearnProgress] | type[Finished] | type[Failed]] = {
    "progress": LearnProgress,
    "finished": Finished,
    "failed": Failed,
}


def event_line(event: Event) -> bytes:
    """One line, newline included."""
    name = next(name for name, kind in _NAMES.items() if isinstance(event, kind))
    return orjson.dumps({"event": name, **asdict(event)}, option=orjson.OPT_APPEND_NEWLINE)


def parsed(line: bytes) -> Event | None:
    """None for a line that is no event: libraries print, too."""
    try:
        values = orjson.loads(line)
        kind = _NAMES[values.pop("event")]
        if kind is Finished:
            values["skipped"] = tuple((entry[0], entry[1]) for entry in values["skipped"])
        return kind(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
