"""Messages of the learning process, one JSON object per line, and the values that callers get from them."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

Phase = Literal["starting", "learning", "judging", "finishing"]


@dataclass(frozen=True, slots=True)
class LearnProgress:
    """Progress of a round."""

    phase: Phase
    step: int
    share: float
    """Fraction of the budget, 0..1."""
    seconds: float
    """Seconds spent, including earlier sessions of the same round."""
    seconds_left: float | None
    loss: float | None = None
    ap: float | None = None
    """The latest AP on the held-out images; None before the first, and if none are held out."""
    f1: float | None = None
    is_starved: bool = False
    """Other programs take most of the processor."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The process succeeded: its model is in the work folder."""

    steps: int
    seconds: float
    score: float
    """The score threshold of the operating point."""
    new: dict[str, Any] | None
    """`Figures` as JSON; None without held-out images."""
    old: dict[str, Any] | None
    """The previous model's figures, on held-out images that it has not learned from."""
    was_stopped: bool
    compared: dict[str, Any] | None = None
    """The new model's figures on the images of `old`, if those are not all that are held out."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Images that could not be read, and why."""
    device: str = "cpu"
    peak_mb: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The process failed; its checkpoint keeps what it has learned."""

    message: str
    hint: str | None = None


Event = LearnProgress | Finished | Failed
_NAMES: dict[str, type[LearnProgress] | type[Finished] | type[Failed]] = {
    "progress": LearnProgress,
    "finished": Finished,
    "failed": Failed,
}


def event_line(event: Event) -> bytes:
    """One line, including the newline."""
    name = next(name for name, kind in _NAMES.items() if isinstance(event, kind))
    return orjson.dumps({"event": name, **asdict(event)}, option=orjson.OPT_APPEND_NEWLINE)


def parsed(line: bytes) -> Event | None:
    """None for a line that is not an event: libraries print, too."""
    try:
        values = orjson.loads(line)
        kind = _NAMES[values.pop("event")]
        if kind is Finished:
            values["skipped"] = tuple((entry[0], entry[1]) for entry in values["skipped"])
        return kind(**values)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
