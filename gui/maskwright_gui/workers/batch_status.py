"""What the window is told about a batch: plain values, made in the worker."""

from dataclasses import dataclass
from enum import StrEnum


class BatchState(StrEnum):
    """What the batch is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """`done` images have ended, `failed` of them without a result; the rate leaves pauses out."""

    done: int
    total: int
    failed: int = 0
    images_per_second: float = 0.0
    seconds_left: float | None = None
    """None while there is no rate yet."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that could not be pre-labelled, with the reason to show."""

    image_id: int
    file_name: str
    reason: str


def duration_text(seconds: float) -> str:
    """`45 s`, `3 min 5 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def progress_text(progress: BatchProgress, state: BatchState) -> str:
    """One line for the model panel and the status bar."""
    parts = [f"{progress.done} of {progress.total}"]
    if state is BatchState.PAUSED:
        parts.append("paused")
    elif state is BatchState.STOPPING:
        parts.append("stopping")
    else:
        if progress.images_per_second > 0:
            parts.append(f"{progress.images_per_second:.1f} images/s")
        if progress.seconds_left is not None:
            parts.append(f"{duration_text(progress.seconds_left)} left")
    return " · ".join(parts)
