"""Requests to the inference thread and its answers, including the batch: values that cross threads."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.thresholds import Defaults, Thresholds

if TYPE_CHECKING:
    from maskwright.operations.proposing import PredictOutcome
    from maskwright.project.store import Project


class BatchState(StrEnum):
    """What the batch is doing."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """`done` images have ended, `failed` of them without a result; the rate excludes pauses."""

    done: int
    total: int
    failed: int = 0
    images_per_second: float = 0.0
    seconds_left: float | None = None
    """None while there is no rate yet."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that could not be pre-labelled, and why."""

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


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A bundled model's name or a file's path, and the device to run it on."""

    source: str
    device: str = "CPU"


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """What the window shows of a loaded model."""

    choice: ModelChoice
    name: str
    family: str
    device: str
    device_note: str | None
    content_hash: str
    labels: tuple[tuple[int, str], ...]
    """(id, name) of its classes."""
    defaults: Defaults
    """Its operating point."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictRequest:
    """Run the model on one image and make its result the image's proposals."""

    request_id: int
    project: "Project"
    image_id: int
    path: Path
    cache: CandidateCache
    choice: ModelChoice
    thresholds: Thresholds


@dataclass(frozen=True, slots=True, eq=False)
class PredictResult:
    """The result of a `PredictRequest`."""

    request: PredictRequest
    outcome: "PredictOutcome"


@dataclass(frozen=True, slots=True, eq=False)
class BatchRequest:
    """Run the model on all images of the project that the run has not processed yet."""

    project: "Project"
    cache: CandidateCache
    choice: ModelChoice
    thresholds: Thresholds
    resumes: bool = True
    """Continue the last run if model and settings are the same."""
    only_untouched: bool = False
    """Leave out images that the user has worked on."""
    extends: bool = False
    """Keep open proposals of classes that the model does not have."""
