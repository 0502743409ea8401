"""Refines all proposals of a project with an assistant, image by image; each image is done completely or not at
all."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from maskwright.assist.embeddings import file_identity
from maskwright.assist.refine import RefineSettings, Verdict, counted, proposals_to_refine, refined_change
from maskwright.assist.view import BackendAssistant
from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, Instance
from maskwright.errors import ImageError, ModelError
from maskwright.images import read_image
from maskwright.inference.async_runner import InferenceCancelledError
from maskwright.monitor import SILENT, Monitor, MonitorFlag, OperationCancelledError
from maskwright.project import Project

_DEVICE_FAILURES = 8
"""After this many failed inferences in a row, the device is to blame instead of the images."""


Choose = Callable[[Iterable[Instance], str], Iterable[Instance]]
"""Selects the instances of an image that the assistant of that name should outline."""
Store = Callable[[int, Change], object]
"""Called with (image id, change) for each refined image."""


@dataclass(frozen=True, slots=True)
class RefineReport:
    """Result of a run. images: those that had something to refine and were done."""

    images: int
    counts: dict[Verdict, int]
    failures: tuple[tuple[str, str], ...]
    """File name and reason."""
    seconds: float
    is_cancelled: bool

    @property
    def images_per_s(self) -> float | None:
        """Speed; None if nothing was done."""
        return self.images / self.seconds if self.images and self.seconds else None


def refine_project(
    project: Project,
    assistant: BackendAssistant,
    settings: RefineSettings | None = None,
    *,
    image_ids: Iterable[int] | None = None,
    choose: Choose = proposals_to_refine,
    store: Store | None = None,
    known: Mapping[int, Iterable[Instance]] | None = None,
    monitor: Monitor = SILENT,
) -> RefineReport:
    """Refine proposals on these images, by default on all; what a user has touched stays.

    choose: which instances to outline. store: what stores the changes; None for the project itself. known: {image id:
    its instances}, if they are newer than the stored ones. Proposals that this assistant has refined already are
    skipped, so an interrupted run is simply started again. An image that cannot be read is recorded and the rest
    continues; if `monitor` cancels, what is done is kept. Raises ProjectError if the project cannot be written,
    ModelError if inference fails on image after image.
    """
    ids = list(image_ids) if image_ids is not None else [record.id for record in project.images.all()]
    tally = _Tally()
    started = time.monotonic()
    is_cancelled = False
    try:
        for done, image_id in enumerate(ids):
            monitor.report(done, len(ids))
            if image_ids is None and project.images.record(image_id).standing is not ImageStanding.LISTED:
                continue  # excluded meanwhile
            one = _Refining(project, assistant, settings, choose, store, known or {}, monitor)
            _refine_one(one, image_id, tally)
        monitor.report(len(ids), len(ids))
    except (OperationCancelledError, InferenceCancelledError):
        is_cancelled = True
    seconds = time.monotonic() - started
    return RefineReport(tally.images, tally.counts, tuple(tally.failures), seconds, is_cancelled)


@dataclass(frozen=True, slots=True)
class _Refining:
    """What refining any image needs."""

    project: Project
    assistant: BackendAssistant
    settings: RefineSettings | None
    choose: Choose
    store: Store | None
    known: Mapping[int, Iterable[Instance]]
    monitor: Monitor

    def image(self, image_id: int) -> dict[Verdict, int]:
        """Refine one image. Raises ImageError, ModelError or ProjectError, with nothing changed."""
        project, assistant = self.project, self.assistant
        known = self.known.get(image_id)
        waiting = list(self.choose(project.instances.of(image_id) if known is None else known, assistant.name))
        if not waiting:
            return dict.fromkeys(Verdict, 0)
        record = project.images.record(image_id)
        path = project.image_path(record)
        identity = file_identity(path) if assistant.backend.keeps_features else None
        image = read_image(path)
        if image.header.size_wh != (record.width, record.height):
            raise ImageError("the image size has changed since the file was added", path=path)
        view = assistant.open(image.bgr_u8, identity=identity)
        change, found = refined_change(waiting, view, assistant, self.settings, cancel=MonitorFlag(self.monitor))
        if self.store is not None:
            self.store(image_id, change)
        else:
            project.proposals.change(image_id, change, label="Refine")
        return counted(found)


@dataclass(slots=True)
class _Tally:
    """Counts of a run so far."""

    images: int = 0
    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    failures: list[tuple[str, str]] = field(default_factory=list)
    failed_in_a_row: int = 0


def _refine_one(refining: _Refining, image_id: int, tally: _Tally) -> None:
    project = refining.project
    try:
        found = refining.image(image_id)
    except InferenceCancelledError:  # a ModelError, but not the image's fault
        raise
    except ImageError as error:
        tally.failures.append((project.images.record(image_id).file_name, error.reason))
        return
    except ModelError as error:
        tally.failures.append((project.images.record(image_id).file_name, error.reason))
        tally.failed_in_a_row += 1
        if tally.failed_in_a_row >= _DEVICE_FAILURES:
            raise
        return
    tally.failed_in_a_row = 0
    tally.images += bool(sum(found.values()))
    for verdict, count in found.items():
        tally.counts[verdict] += count
