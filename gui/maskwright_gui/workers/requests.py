"""What the inference thread is asked for and what it answers: plain values that cross the thread border."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.document.change import Change
from maskwright.inference.candidate_cache import CandidateCache

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates
    from maskwright.prelabel.settings import PrelabelSettings
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
    settings: "PrelabelSettings"
    left_out: tuple[int, ...] = ()
    """Classes of the project that are not to be proposed."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictResult:
    """What came of a `PredictRequest`: the change is already stored."""

    request: PredictRequest
    change: Change
    candidates: "Candidates"
    category_ids: Mapping[int, int]
    """{the model's category id: the project's}."""
    proposal_count: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class BatchRequest:
    """Run the model on all images of the project that the run has not done yet."""

    project: "Project"
    cache: CandidateCache
    choice: ModelChoice
    settings: "PrelabelSettings"
    left_out: tuple[int, ...] = ()
    """Classes of the project that are not to be proposed."""
    resumes: bool = True
    """Go on with the last run where model and settings are the same."""
