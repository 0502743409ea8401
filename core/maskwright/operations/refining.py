"""All proposals of a project through an assistant, image by image; an image is done whole or not at all."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from maskwright.assist.embeddings import file_identity
from maskwright.assist.refine import RefineSettings, Verdict, counted, proposals_to_refine, refined_change
from maskwright.assist.view import BackendAssistant
from maskwright.errors import ImageError, ModelError
from maskwright.images import read_image
from maskwright.monitor import SILENT, Monitor, OperationCancelledError
from maskwright.project import Project

_DEVICE_FAILURES = 8
"""So many failed inferences in a row are the device's fault and not the images'."""


@dataclass(frozen=True, slots=True)
class RefineReport:
    """What a run did. images: that had something to refine and were done."""

    images: int
    counts: dict[Verdict, int]
    failures: tuple[tuple[str, str], ...]
    """File name and reason."""
    seconds: float
    is_cancelled: bool

    @property
    def images_per_s(self) -> float | None:
        return self.images / self.seconds if self.images and self.seconds else None


def refine_project(
    project: Project,
    assistant: BackendAssistant,
    settings: RefineSettings | None = None,
    *,
    image_ids: Iterable[int] | None = None,
    monitor: Monitor = SILENT,
) -> RefineReport:
    """Refine what is proposed on these images, all by default; what a user has touched stays as it is.

    Proposals that have been through this assistant are passed over: a run that was interrupted is simply started
    again. An image that cannot be read is noted and the rest goes on; when `monitor` calls it off, what is done is
    kept. Raises ProjectError where the project cannot be written, ModelError where inference fails on image after
    image.
    """
    ids = list(image_ids) if image_ids is not None else [record.id for record in project.images()]
    tally = _Tally()
    started = time.monotonic()
    is_cancelled = False
    try:
        for done, image_id in enumerate(ids):
            monitor.report(done, len(ids))
            _refine_one(project, image_id, assistant, settings, tally)
        monitor.report(len(ids), len(ids))
    except OperationCancelledError:
        is_cancelled = True
    seconds = time.monotonic() - started
    return RefineReport(tally.images, tally.counts, tuple(tally.failures), seconds, is_cancelled)


def refine_image(
    project: Project, image_id: int, assistant: BackendAssistant, settings: RefineSettings | None = None
) -> dict[Verdict, int]:
    """One image. Raises ImageError, ModelError or ProjectError, with nothing changed."""
    waiting = list(proposals_to_refine(project.instances(image_id), assistant.name))
    if not waiting:
        return dict.fromkeys(Verdict, 0)
    record = project.image(image_id)
    path = project.image_path(record)
    identity = file_identity(path) if assistant.backend.keeps_features else None
    image = read_image(path)
    if image.header.size_wh != (record.width, record.height):
        raise ImageError("the file has another size than when it was added", path=path)
    view = assistant.open(image.bgr_u8, identity=identity)
    change, found = refined_change(waiting, view, assistant, settings)
    project.change_proposals(image_id, change, label="Refine")
    return counted(found)


@dataclass(slots=True)
class _Tally:
    """What a run has come to so far."""

    images: int = 0
    counts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    failures: list[tuple[str, str]] = field(default_factory=list)
    failed_in_a_row: int = 0


def _refine_one(
    project: Project, image_id: int, assistant: BackendAssistant, settings: RefineSettings | None, tally: _Tally
) -> None:
    try:
        found = refine_image(project, image_id, assistant, settings)
    except ImageError as error:
        tally.failures.append((project.image(image_id).file_name, error.reason))
        return
    except ModelError as error:
        tally.failures.append((project.image(image_id).file_name, error.reason))
        tally.failed_in_a_row += 1
        if tally.failed_in_a_row >= _DEVICE_FAILURES:
            raise
        return
    tally.failed_in_a_row = 0
    tally.images += bool(sum(found.values()))
    for verdict, count in found.items():
        tally.counts[verdict] += count
