"""Previews other thresholds for one image, from its candidates, newest request first; nothing is stored."""

import logging
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskwright.document.document import Document
from maskwright.errors import MaskwrightError, ProjectError
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.thresholds import Thresholds
from maskwright_gui.workers.worker import Worker

if TYPE_CHECKING:
    from maskwright.operations.proposing import KnownImage, Preview
    from maskwright.project.store import Project

log = logging.getLogger(__name__)

IDLE_AFTER_S = 0.02
STEPS = 2
_LONGEST = 0.05
"""After a larger jump, the next step cannot be guessed."""


def next_thresholds(before: Thresholds, now: Thresholds) -> list[Thresholds]:
    """The next steps of the mask threshold or of the fidelity, the two slow ones, if only one of them has moved."""
    for field in ("mask_threshold", "min_iou"):
        was, is_ = getattr(before, field), getattr(now, field)
        moved = replace(before, **{field: is_})
        if 0 < abs(is_ - was) <= _LONGEST and moved == now:
            # two decimals, as the slider has: results are looked up by equal numbers
            ahead = [round(is_ + step * (is_ - was), 2) for step in range(1, STEPS + 1)]
            return [replace(now, **{field: value}) for value in ahead if 0 < value <= 1]
    return []


class Purpose(Enum):
    """What the answer is for."""

    SCORES = auto()
    """Only the scores, for the histogram."""
    SHOW = auto()
    """A slider is being moved."""
    KEEP = auto()
    """The slider was released."""


@dataclass(frozen=True, slots=True, eq=False)
class PreviewRequest:
    """An image, thresholds, and the purpose."""

    project: "Project"
    cache: CandidateCache
    document: Document
    thresholds: Thresholds
    purpose: Purpose = Purpose.SHOW


@dataclass(frozen=True, slots=True, eq=False)
class PreviewResult:
    """The answer to a request."""

    request: PreviewRequest
    preview: "Preview"


class PreviewThread(Worker[PreviewRequest]):
    """Takes one waiting request; the newest wins."""

    scores_known = Signal(object, object)
    """(image id, scores of its candidates), once per image."""
    image_known = Signal(object)
    """KnownImage: everything the model has found on the image."""
    own_known = Signal(object)
    """Defaults: the operating point of the model that made the candidates."""
    ready = Signal(object)
    """PreviewResult."""
    missing = Signal(object)
    """PreviewRequest of an image without candidates."""
    uncertain_noted = Signal(object)
    """Image id: its uncertain places were updated for the thresholds that were kept."""
    failed = Signal(object)
    """MaskwrightError."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: PreviewRequest | None = None
        self._is_stale = False
        self._known: KnownImage | None = None
        self._kept: PreviewRequest | None = None
        """Answered, but the uncertain places for its thresholds are not stored yet."""
        self._shown: Thresholds | None = None
        self._ahead: list[Thresholds] = []
        """Likely next requests, the most likely last."""

    def request(self, request: PreviewRequest) -> None:
        """Replace the waiting request."""
        with self._condition:
            self._waiting = request
            self._condition.notify()

    def forget(self) -> None:
        """Forget what was read: the candidates on disk have changed."""
        with self._condition:
            self._is_stale = True

    def _take(self) -> PreviewRequest | None:
        request, self._waiting = self._waiting, None
        if request is not None and self._is_stale:
            self._known, self._is_stale = None, False
        return request

    def _do(self, request: PreviewRequest) -> None:
        known = self._candidates_of(request)
        if known is None:
            self.missing.emit(request)
        elif request.purpose is not Purpose.SCORES:
            is_kept, thresholds = request.purpose is Purpose.KEEP, request.thresholds
            make = known.kept if is_kept else known.preview
            self.ready.emit(PreviewResult(request, make(request.document, thresholds)))
            before, self._shown = self._shown, None if is_kept else thresholds
            if is_kept:
                self._kept = request
            self._ahead = [] if before is None or is_kept else next_thresholds(before, thresholds)[::-1]

    def _fail(self, _: PreviewRequest, error: MaskwrightError) -> None:
        self.failed.emit(error)

    def _idle_after_s(self) -> float | None:
        return IDLE_AFTER_S if self._kept is not None or self._ahead else None

    def _use_the_time(self) -> None:
        """Prepare likely answers while nothing is requested: each takes as long as an answer, and the window is
        painting that.
        """
        if self._ahead and self._known is not None:
            self._known.make_ready(self._ahead.pop())
        else:
            self._ahead = []
            self._note_uncertain()

    def _note_uncertain(self) -> None:
        request, self._kept = self._kept, None
        if request is None or self._known is None or self._known.image_id != request.document.image_id:
            return
        try:
            self._known.note_signals(request.project, request.thresholds)
        except ProjectError as error:  # the project may be closed by now
            log.info("what is uncertain on image %d is not noted: %s", self._known.image_id, error)
        else:
            self.uncertain_noted.emit(self._known.image_id)

    def _candidates_of(self, request: PreviewRequest) -> "KnownImage | None":
        from maskwright.operations.proposing import known_image

        image_id = request.document.image_id
        if self._known is None or self._known.image_id != image_id:
            found = known_image(request.project, request.cache, image_id)
            if found is None:
                return None
            self._known = found
            self.image_known.emit(found)
            self.scores_known.emit(image_id, found.candidates.scores)
            self.own_known.emit(found.candidates.defaults)
        return self._known
