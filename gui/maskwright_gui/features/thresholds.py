"""Shows at once what moving a threshold would change on the image, and applies it when the slider is released.

It also supplies the canvas with documents, which are ahead of the session's while a slider moves.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Signal

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.errors import MaskwrightError
from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright.monitor import Monitor
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.canvas.previews import PreviewKind, effect_outlines
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.classes.feature import ClassesFeature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.history import difference
from maskwright_gui.messages import Message
from maskwright_gui.open_project import OpenProject
from maskwright_gui.panels.thresholds import ThresholdStrip
from maskwright_gui.workers.preview import PreviewRequest, PreviewResult, PreviewThread, Purpose

if TYPE_CHECKING:
    from maskwright.inference.candidate_cache import CandidateCache
    from maskwright.project.store import Project


SCORE_STEP = 0.05  # step of the keys that raise and lower the score
PREVIEW_LAYER = "thresholds"
_SCOPE = "thresholds/scope"
NOTHING = Change.of(())
SCORES_AFTER_MS = 20
"""Delay: the histogram of an image's scores comes after its picture."""
_EXPERT_SETTING = "thresholds/expert"


class ThresholdsFeature(Feature):
    """Previews the effect of the sliders, and applies it when they are released."""

    uncertain_changed = Signal(object)
    """Image id: its marks and its reason in the queue have changed."""
    applied_everywhere = Signal()
    """The released thresholds now apply to the proposals and uncertainty of all untouched images."""
    candidates_missing = Signal()
    """A slider was released on an image without candidates: only the model can say what it changes."""
    shown = Signal(object)
    """Document: what the canvas shows now; ahead of the session's while a slider moves."""
    _image_stored = Signal(object, object)
    """(image id, Change) from the background operation, for an image that may be on screen by now."""

    def __init__(self, context: Context, images: ImagesFeature, classes: ClassesFeature, thread: PreviewThread) -> None:
        super().__init__(context)
        self._images, self._thread = images, thread
        self.strip = strip = ThresholdStrip(self._window)
        self.row = self._window.add_strip("Thresholds", strip)
        self.row.need(False)
        self._shown: Document | None = None
        self._of_project = strip.thresholds
        self._of_images: dict[int, Thresholds] = {}
        """Thresholds of images that have their own."""
        self._own: Defaults | None = None
        """The model's operating point."""
        self._is_keeping = False
        """Whether thresholds were released and their effect on the image is not known yet."""
        self._reaches_all = True
        """Whether those are for all images."""
        self._kept_mask_threshold = strip.thresholds.mask_threshold
        """The mask threshold of the proposals in the document."""
        self._scores_timer = QTimer(self, singleShot=True, interval=SCORES_AFTER_MS)
        self._scores_timer.timeout.connect(lambda: self._request(Purpose.SCORES))
        self._declare(*self._of_score())
        strip.reset_requested.connect(self.reset_score)
        self._restore_scope()
        strip.show_expert(bool(self._settings.value(_EXPERT_SETTING, False, type=bool)))
        strip.expert_toggled.connect(lambda is_on: self._settings.setValue(_EXPERT_SETTING, is_on))
        self._image_stored.connect(self._session.take_stored)
        self._window.theme_changed.connect(strip.set_theme)
        self._follow_keys(strip.show_keys)
        classes.merged.connect(thread.forget)
        thread.image_known.connect(classes.likely.note_seen)
        self.applied_everywhere.connect(self._on_applied_everywhere)
        strip.moved.connect(self._on_moved)
        strip.released.connect(self._on_released)
        self._connect_session()
        self._connect_thread()

    def _of_score(self) -> tuple[Action, ...]:
        common = partial(
            Action, menu=Menu.MODEL, group=1, needs=may_edit, submenu="Score", words="threshold confidence"
        )
        up, down = (partial(self.strip.step_score, step) for step in (SCORE_STEP, -SCORE_STEP))
        return (
            common("score_up", "Raise the score", slot=up, keys=("Alt+Up",), repeats=True),
            common("score_down", "Lower the score", slot=down, keys=("Alt+Down",), repeats=True),
            common("score_reset", "Back to the model's score", slot=self.reset_score),
        )

    def _connect_session(self) -> None:
        session = self._session
        session.document_changed.connect(self._on_document_changed)
        session.document_replaced.connect(self._on_document_replaced)
        session.project_changed.connect(self._on_project_changed)
        session.classes.changed.connect(lambda listed: self.strip.set_categories(listed, session.classes.offered))

    def _connect_thread(self) -> None:
        thread = self._thread
        thread.scores_known.connect(self._on_scores_known)
        thread.own_known.connect(self.set_own)
        thread.ready.connect(self._on_ready)
        thread.uncertain_noted.connect(self.uncertain_changed)
        thread.missing.connect(self._on_missing)
        thread.failed.connect(self._on_preview_failed)

    def candidates_changed(self) -> None:
        """The model has run on the current image: read its candidates again."""
        self._thread.forget()
        self._request(Purpose.SCORES)

    def image_inferred(self, image_id: int) -> None:
        """A batch has processed an image; if it is the current one, its candidates are new."""
        self.row.need(True)
        self._of_images.pop(image_id, None)
        if self._session.image is not None and self._session.image.id == image_id:
            self.candidates_changed()

    def apply_everywhere(self) -> None:
        """Make the proposals again, here and on all untouched images, because the class mapping has changed."""
        self._thread.forget()
        self._reaches_all = True
        self._request(Purpose.KEEP)

    @property
    def of_project(self) -> Thresholds:
        """The thresholds of images without their own."""
        return self._of_project

    def set_of_project(self, thresholds: Thresholds) -> None:
        """Set the project's thresholds; the strip shows them unless the current image has its own."""
        self._of_project = thresholds
        self._show_applied(self._session.document)

    def set_own(self, own: Defaults) -> None:
        """Set the model's operating point, which the reset button restores."""
        self._own = own
        self.strip.set_own(own)

    def reset_score(self) -> None:
        """Reset the score to the model's own."""
        if self._own is not None:
            self.strip.set_score(self._own.score)

    def _restore_scope(self) -> None:
        switch = self.strip.scope_switch
        switch.setChecked(str(self._settings.value(_SCOPE, "all")) == "all")
        switch.toggled.connect(lambda is_on: self._settings.setValue(_SCOPE, "all" if is_on else "image"))

    def _show_applied(self, document: Document | None) -> None:
        """Show the thresholds of the current proposals on the sliders."""
        from maskwright.operations.kept_thresholds import applied_thresholds

        if document is None:
            return
        own = applied_thresholds(document, self._of_project) or self._of_images.get(document.image_id)
        shown = own or self._of_project
        if shown != self.strip.thresholds:
            self.strip.set_thresholds(shown)
        self._kept_mask_threshold = shown.mask_threshold

    def _on_moved(self, _thresholds: Thresholds) -> None:
        self.row.need(True)
        self._request(Purpose.SHOW)

    def _on_released(self, thresholds: Thresholds) -> None:
        """Store the thresholds, even if there is nothing yet to apply them to."""
        project = self._session.project
        if project is not None and not project.is_read_only:
            try:
                self._keep(project, thresholds)
            except MaskwrightError as error:
                self.told.emit(Message.of_error("The thresholds were not saved", error))
        self._request(Purpose.KEEP)

    def _keep(self, project: OpenProject, thresholds: Thresholds) -> None:
        """Which classes are proposed is stored in the project; the numbers may be stored for the image."""
        from maskwright.operations.kept_thresholds import keep_for_image, keep_thresholds

        before, classes = self._of_project, (thresholds.is_class_agnostic, thresholds.left_out)
        is_for_all = self.strip.reaches_all or classes != (before.is_class_agnostic, before.left_out)
        if self.strip.reaches_all:
            self._of_project = thresholds
        elif is_for_all:
            self._of_project = replace(before, is_class_agnostic=classes[0], left_out=classes[1])
        self._reaches_all = is_for_all
        if is_for_all:
            project.ask(lambda stored: keep_thresholds(stored, self._of_project))
        image = self._session.image
        if image is not None and not self.strip.reaches_all:
            self._of_images[image.id] = thresholds
            project.ask(lambda stored: keep_for_image(stored, image.id, thresholds))

    def _request(self, purpose: Purpose) -> None:
        project, cache, document = self._session.project, self._session.cache, self._session.document
        if project is None or cache is None or document is None or project.is_read_only:
            return
        self._scores_timer.stop()  # these are carried along
        wanted = self.strip.thresholds
        if purpose is Purpose.SHOW and wanted.mask_threshold != self._kept_mask_threshold:
            wanted = replace(wanted, min_iou=1.0)  # the masks' own outlines: fitting them would take twice as long
        if purpose is Purpose.KEEP:
            self._is_keeping = True
            self._kept_mask_threshold = wanted.mask_threshold
        self._thread.request(PreviewRequest(project.stored, cache, document, wanted, purpose))

    def _show(self, change: Change, document: Document) -> None:
        """change: leads from the session's document to `document`, which the canvas is to show."""
        self._come_for(document)
        if self._shown is not None:
            change = difference(self._shown, document)
        self._canvas.apply_change(change, document)
        self.shown.emit(document)

    def _come_for(self, document: Document) -> None:
        """Show the row of sliders from the first proposal on; until then the image gets the space."""
        if not self.row.is_needed and any(each.state is InstanceState.PROPOSED for each in document):
            self.row.need(True)

    def _show_effect(self, change: Change) -> None:
        """Mark on the canvas what the current slider values would add and remove."""
        outlines = effect_outlines(change)
        self._canvas.renderer.set_previews(outlines, layer=PREVIEW_LAYER)
        added = sum(outline.kind is PreviewKind.ADDED for outline in outlines)
        self.strip.show_effect(added, len(outlines) - added)

    def _on_document_changed(self, change: Change, document: Document) -> None:
        self._show(change, document)
        self._shown = None
        self._show_effect(NOTHING)
        if not (self._is_keeping or self.strip.is_moving) and any(map(_comes_back, change)):
            self._show_applied(document)

    def _on_document_replaced(self, document: Document | None) -> None:
        self._shown, self._is_keeping = None, False
        self._show_effect(NOTHING)
        self._show_applied(document)
        shown = document if document is not None else Document.of(0, (1, 1))
        self._come_for(shown)
        self._canvas.set_document(shown)
        self.shown.emit(shown)
        self.strip.histogram.set_scores([])
        if document is not None:
            self._scores_timer.start()

    def _on_applied_everywhere(self) -> None:
        """The thresholds now apply to the whole project: classes may have gone, and a queue has a new order."""
        self._session.classes.reload()
        if self._images.order == "uncertainty":
            self._images.panel.refilter()

    def _on_project_changed(self, project: OpenProject | None) -> None:
        self.strip.setEnabled(may_edit(self._session))
        self.stop()
        self._thread.forget()
        if project is not None:
            from maskwright.operations.kept_thresholds import images_with_own, known_thresholds

            self.strip.set_thresholds(project.ask(known_thresholds) or Thresholds())
            self._of_project, self._of_images = self.strip.thresholds, project.ask(images_with_own)
            self.row.need(project.ask(_has_proposals))
            self._kept_mask_threshold = self.strip.thresholds.mask_threshold

    def _on_scores_known(self, image_id: int, scores: NDArray[np.float32]) -> None:
        if self._session.document is not None and self._session.document.image_id == image_id:
            self.row.need(self.row.is_needed or len(scores) > 0)
            self.strip.histogram.set_scores(scores)

    def _on_ready(self, result: PreviewResult) -> None:
        document, request, preview = self._session.document, result.request, result.preview
        if document is None or document.image_id != request.document.image_id:
            return
        if document is not request.document:  # edited meanwhile
            self._request(request.purpose)
            return
        shown = document.apply(preview.change)
        self._show(preview.change, shown)
        self._shown = shown
        is_kept = request.purpose is Purpose.KEEP
        self._is_keeping = self._is_keeping and not is_kept
        self._show_effect(NOTHING if is_kept else preview.change)
        if is_kept:
            self._session.put_proposals(request.document.image_id, preview)
            if self._reaches_all:
                self._start_rethreshold()

    def _on_missing(self, request: PreviewRequest) -> None:
        if request.purpose is Purpose.KEEP:
            self._is_keeping = False
            self.candidates_missing.emit()

    def _on_preview_failed(self, error: MaskwrightError) -> None:
        self._is_keeping = False
        self.told.emit(Message.of_error("The thresholds were not applied", error))

    def _start_rethreshold(self) -> None:
        project, cache, image = self._session.project, self._session.cache, self._session.image
        if project is None or cache is None or image is None:
            return
        kept = {image.id: own} if (own := self._of_images.get(image.id)) is not None else {}
        self._of_images = kept if not self.strip.reaches_all else {}
        work = partial(_apply_to_others, project.stored, cache, self._of_project, image.id, self._image_stored.emit)
        failure = "The thresholds were not applied to the other images"
        self._run_beside(work, lambda _count: self.applied_everywhere.emit(), failure)


def _has_proposals(project: "Project") -> bool:
    """Whether a model has run on any of its images."""
    return project.runs.last() is not None or project.images.state_counts()[ImageState.PRELABELLED] > 0


def _apply_to_others(
    project: "Project",
    cache: "CandidateCache",
    thresholds: Thresholds,
    image_id: int,
    on_image: Callable[[int, Change], None],
    monitor: Monitor,
) -> int:
    """Store the thresholds in the project and apply them to all untouched images except the current one."""
    from maskwright.operations.kept_thresholds import forget_images, images_with_own, keep_thresholds
    from maskwright.operations.proposing import rethreshold

    keep_thresholds(project, thresholds, are_applied=True)
    forget_images(project, images_with_own(project).keys() - {image_id})
    return rethreshold(project, cache, thresholds, leave_out=[image_id], on_image=on_image, monitor=monitor)


def _comes_back(pair: tuple[int, Instance | None, Instance | None]) -> bool:
    """Whether the change adds a proposal: made, chosen again, or its answer undone."""
    _, before, after = pair
    if after is None or after.state is not InstanceState.PROPOSED:
        return False
    return before is None or before.state is not InstanceState.PROPOSED or before.provenance != after.provenance
