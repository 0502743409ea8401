"""The work of `maskwright prelabel` after its arguments are parsed."""

import shutil
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from maskwright.assist.embeddings import EmbeddingStore
from maskwright.assist.loading import load_assistant
from maskwright.assist.refine import RefineSettings
from maskwright.assist.view import BackendAssistant
from maskwright.cli import exit_codes
from maskwright.cli.image_choice import chosen_images
from maskwright.cli.output import progress_bar
from maskwright.errors import ProjectError
from maskwright.formats.atomic import is_stream
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.monitor import OperationCancelledError
from maskwright.operations.refining import RefineReport, refine_project
from maskwright.prelabel import (
    BatchReport,
    CancelToken,
    Progress,
    category_ids,
    run_batch,
    store_mapping,
)
from maskwright.prelabel.mapping import parse_mapping, project_categories
from maskwright.prelabel.stages import ignore_candidates
from maskwright.project import Project
from maskwright.project.making import is_left_over
from maskwright.project.store import FILE_NAME, has_project

_WORK_IN_PROGRESS = "prelabel.is_work_in_progress"
"""Setting that marks a temporary project, which is removed once its COCO file is written."""


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """The outcome of a batch."""

    report: BatchReport
    failures: tuple[tuple[str, str], ...]
    """File name and reason, including images that could not be added."""
    instance_count: int
    device: str
    device_note: str | None
    out: Path | None
    project_path: Path | None
    """The project with the results; None if it was removed because only the COCO file was wanted."""
    has_boxes_only: bool = False
    """The model has no masks, so its proposals are boxes."""
    refined: RefineReport | None = None
    """What the assistant did with the proposals, if one was used."""

    @property
    def exit_code(self) -> int:
        if self.report.is_cancelled or (self.refined is not None and self.refined.is_cancelled):
            return exit_codes.INTERRUPTED
        if self.report.stopped_because is not None:
            return exit_codes.INCOMPLETE
        return exit_codes.SOME_FAILED if self.failures else exit_codes.OK


def prelabel_folder(
    images: Sequence[Path],
    model_name: str,
    settings: Thresholds,
    *,
    out: Path | None,
    project_path: Path | None,
    classes: Sequence[str] | None,
    class_map: str | None,
    load: Mapping[str, Any],
    is_recursive: bool,
    resume: bool,
    keeps_candidates: bool,
    only_untouched: bool = False,
    extends: bool = False,
    assistant_name: str | None = None,
) -> BatchOutcome:
    """Scan, run, refine, export. Raises MaskwrightError if nothing can be done.

    assistant_name: the assistant that outlines the proposals again; None to leave them as the model made them.
    """
    chosen = chosen_images(images, project_path, is_recursive=is_recursive)
    folder, scanned = chosen.root, chosen.scanned
    model = load_model(model_name, **load)
    assistant = load_assistant(assistant_name, **load) if assistant_name is not None else None
    if classes is not None:
        settings = replace(settings, categories=category_ids(classes, model.labels))
    is_temporary = project_path is None
    place = project_path if project_path is not None else _beside(out)
    with _opened(place, folder, is_temporary=is_temporary, resume=resume) as project:
        project.images.add(image for image in scanned if image.failure is None)
        if class_map is not None:
            store_mapping(project, model.content_hash, parse_mapping(class_map, project, model.labels))
        if is_temporary:  # the file is only this model's and lists all of its classes
            project.categories.keep(_classes_of(project, model, settings))
        keeps_candidates = keeps_candidates and not is_temporary
        report = run_with_bar(
            project,
            model,
            settings,
            resume=resume,
            only_untouched=only_untouched,
            extends=extends,
            keeps_candidates=keeps_candidates,
            only=None if chosen.is_whole_folder else _ids(project, chosen.names),
        )
        failures = [(image.file_name, image.failure.reason) for image in scanned if image.failure is not None]
        failures += [(failure.file_name, failure.reason) for failure in project.runs.failures(report.run_id)]
        refined = None
        if assistant is not None and not report.is_cancelled:
            refined = refine_with_bar(project, assistant, min_iou=settings.min_iou, keeps_features=not is_temporary)
            failures += refined.failures
        instance_count = sum(record.instance_count for record in project.images.all())
        is_complete = not report.remaining and report.stopped_because is None
        is_complete = is_complete and not (refined is not None and refined.is_cancelled)
        if out is not None and is_complete:
            export_coco(project.source, out, CocoExportOptions(include_proposals=True, include_provenance=True))
    if is_temporary and is_complete:
        shutil.rmtree(place)
    return BatchOutcome(
        report,
        tuple(failures),
        instance_count,
        model.device,
        model.device_note,
        out if is_complete else None,
        None if is_temporary and is_complete else place,
        has_boxes_only=model.finds_boxes_only,
        refined=refined,
    )


def _ids(project: Project, names: Collection[str]) -> frozenset[int]:
    return frozenset(image.id for image in project.images.all() if image.file_name in names)


def _classes_of(project: Project, model: Model, settings: Thresholds) -> list[int]:
    mapping = project_categories(project, model.labels, model.content_hash)
    return [id_ for own, id_ in mapping.items() if settings.categories is None or own in settings.categories]


def run_with_bar(
    project: Project,
    model: Model,
    settings: Thresholds,
    *,
    resume: bool,
    keeps_candidates: bool,
    only: Collection[int] | None = None,
    only_untouched: bool = False,
    extends: bool = False,
) -> BatchReport:
    """Run a batch with a progress bar on the terminal; Ctrl+C ends it after the current images.

    keeps_candidates: store them with the project, so that the window can change thresholds without inference.
    """
    token = CancelToken()
    cache = CandidateCache.of_project(project.path)
    total = len(only) if only is not None else len(project.images.ids())
    with progress_bar("pre-label", total) as show, _cancelled_by_ctrl_c(token):
        return run_batch(
            project,
            model,
            settings,
            on_progress=lambda progress: show(progress.finished, _note(progress)),
            cancel=token,
            resume=resume,
            only_untouched=only_untouched,
            extends=extends,
            on_candidates=partial(cache.put, model) if keeps_candidates else ignore_candidates,
            only=only,
        )


def refine_with_bar(
    project: Project, assistant: BackendAssistant, *, min_iou: float | None, keeps_features: bool
) -> RefineReport:
    """Refine all proposals of a project with an assistant; Ctrl+C ends it after the current image.

    keeps_features: store expensive features with the project.
    """
    if keeps_features:
        assistant.cache.store = EmbeddingStore.of_project(project.path)
    token = CancelToken()
    with progress_bar("refine", len(project.images.ids())) as show, _cancelled_by_ctrl_c(token):
        return refine_project(project, assistant, RefineSettings(min_iou=min_iou), monitor=_BarMonitor(show, token))


@dataclass(frozen=True, slots=True)
class _BarMonitor:
    """Shows an operation's progress on the terminal; cancels it when the token is set."""

    show: Callable[[int, str], None]
    token: CancelToken

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self.show(done, text)
        self.check()

    def check(self) -> None:
        if self.token.is_cancelled:
            raise OperationCancelledError


def _note(progress: Progress) -> str:
    rate = f"{progress.images_per_s:.1f}/s" if progress.images_per_s is not None else ""
    return f"{rate}, {progress.failed} failed" if progress.failed else rate


def _beside(out: Path | None) -> Path:
    if out is None:
        raise ValueError("expected an output file or a project")
    if is_stream(out):
        raise ProjectError("writing to a pipe needs a project to work in", hint="add --project FOLDER")
    return out.with_name(f"{out.name}.maskwright")


@contextmanager
def _opened(place: Path, folder: Path, *, is_temporary: bool, resume: bool) -> Iterator[Project]:
    """The project in `place`, created if missing; a leftover temporary one is kept only to resume."""
    if is_temporary and has_project(place):
        with Project.open(place) as known:
            if not known.setting(_WORK_IN_PROGRESS):
                raise ProjectError("one of your projects is in the way", path=place, hint="use --project to add to it")
        if not resume:
            shutil.rmtree(place)
    elif is_temporary and place.exists() and not (is_left_over(place) or (place / FILE_NAME).exists()):
        raise ProjectError(
            "another file or folder is in the way", path=place, hint="use --project to choose another place"
        )
    if has_project(place):
        project = Project.open(place, trusts_images=True)
    else:
        project = Project.create(place, image_root=folder, settings={_WORK_IN_PROGRESS: True} if is_temporary else {})
    with project:
        if project.is_read_only:
            raise ProjectError(
                f"the project cannot be written: {project.read_only_reason}",
                path=place,
                hint="choose another one with --project",
            )
        if project.image_root.resolve() != folder.resolve():
            raise ProjectError(f"the project is for other images, those in {project.image_root}", path=place)
        yield project


@contextmanager
def _cancelled_by_ctrl_c(token: CancelToken) -> Iterator[None]:
    """The first Ctrl+C finishes the work in progress; a second one stops at once."""

    def stop(*_: object) -> None:
        token.cancel()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
