"""What the inference thread is asked for and what it answers: plain values that cross the thread border."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.thresholds import Thresholds

if TYPE_CHECKING:
    from maskwright.operations.proposing import PredictOutcome
    from maskwright.project.store import Project


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
    default_score: float
    default_nms_iou: float


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
    """What came of a `PredictRequest`."""

    request: PredictRequest
    outcome: "PredictOutcome"


@dataclass(frozen=True, slots=True, eq=False)
class BatchRequest:
    """Run the model on all images of the project that the run has not done yet."""

    project: "Project"
    cache: CandidateCache
    choice: ModelChoice
    thresholds: Thresholds
    resumes: bool = True
    """Go on with the last run where model and settings are the same."""
    only_untouched: bool = False
    """Leave images alone that a person has worked on."""
    extends: bool = False
    """Open proposals of classes that the model lacks stay."""
