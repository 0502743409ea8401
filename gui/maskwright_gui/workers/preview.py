"""What other thresholds would make of one image, from its candidates, newest wish first; nothing is stored."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial
from threading import Condition
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Provenance
from maskwright.errors import MaskwrightError, ProjectError
from maskwright.inference.candidate_cache import CandidateCache, ModelMark
from maskwright_gui.workers.ending import end
from maskwright_gui.workers.foresight import next_settings
from maskwright_gui.workers.narrowing import narrowed

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates
    from maskwright.prelabel.settings import PrelabelSettings
    from maskwright.project.proposals import Proposal
    from maskwright.project.store import Project


log = logging.getLogger(__name__)

IDLE_AFTER_S = 0.02


class Purpose(Enum):
    SCORES = auto()
    """Only the scores are wanted, for the histogram."""
    SHOW = auto()
    """A slider is being moved."""
    KEEP = auto()
    """It was let go."""


@dataclass(frozen=True, slots=True, eq=False)
class PreviewRequest:
    project: "Project"
    cache: CandidateCache
    document: Document
    settings: "PrelabelSettings"
    purpose: Purpose = Purpose.SHOW
    left_out: tuple[int, ...] = ()
    """Classes of the project that are not to be proposed."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """`change` leads from the request's document to the one with the new proposals, whose ids are negative."""

    request: PreviewRequest
    change: Change
    proposals: "list[Proposal]"
    provenance: Provenance


class PreviewThread(QThread):
    """One waiting request, newest wins."""

    scores_known = Signal(int, object)
    """(image id, scores of its candidates), once per image."""
    ready = Signal(object)
    """Preview."""
    missing = Signal(object)
    """PreviewRequest of an image without candidates."""
    doubts_noted = Signal(int)
    """Image id: what is doubtful there is what kept thresholds make of it."""
    failed = Signal(object)
    """MaskwrightError."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._condition = Condition()
        self._waiting: PreviewRequest | None = None
        self._is_stopping = False
        self._is_stale = False
        self._known: _Known | None = None
        self._kept: PreviewRequest | None = None
        """Answered, but what is doubtful with its thresholds is not noted yet."""
        self._shown: PrelabelSettings | None = None
        self._ahead: list[PrelabelSettings] = []
        """What may be asked for next, the soonest last."""

    def request(self, request: PreviewRequest) -> None:
        with self._condition:
            self._waiting = request
            self._condition.notify()

    def forget(self) -> None:
        """The candidates on disk are others now."""
        with self._condition:
            self._is_stale = True

    def stop(self) -> None:
        with self._condition:
            self._is_stopping = True
            self._condition.notify()
        end(self)

    def _next(self) -> PreviewRequest | None:
        while not self._has_news_soon():
            self._use_the_time()
        with self._condition:
            if self._is_stopping:
                return None
            if self._is_stale:
                self._known, self._is_stale = None, False
            request, self._waiting = self._waiting, None
            return request

    def _answer(self, request: PreviewRequest) -> None:
        known = self._candidates_of(request)
        if known is None:
            self.missing.emit(request)
        elif request.purpose is not Purpose.SCORES:
            self.ready.emit(known.preview(request))
            settings, before = known.settings(request), self._shown
            if request.purpose is Purpose.KEEP:
                self._kept = request
            self._shown = settings if request.purpose is Purpose.SHOW else None
            self._ahead = next_settings(before, settings)[::-1] if before is not None and self._shown else []

    def _has_news_soon(self) -> bool:
        """Waits; False where there is time to note doubts."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self._is_stopping or self._waiting is not None,
                IDLE_AFTER_S if self._kept is not None or self._ahead else None,
            )

    def _use_the_time(self) -> None:
        """Once nothing else is wanted: each of these takes as long as an answer, and the window is painting that."""
        if self._ahead and self._known is not None:
            self._known.make(self._ahead.pop())
        else:
            self._ahead = []
            self._note_doubts()

    def _note_doubts(self) -> None:
        request, self._kept = self._kept, None
        if request is None or self._known is None or self._known.image_id != request.document.image_id:
            return
        try:
            self._known.note_doubts(request)
        except ProjectError as error:  # the project may be closed by now
            log.info("the doubts on image %d are not noted: %s", self._known.image_id, error)
        else:
            self.doubts_noted.emit(self._known.image_id)

    def _candidates_of(self, request: PreviewRequest) -> "_Known | None":
        from maskwright.prelabel.mapping import project_categories

        image_id = request.document.image_id
        if self._known is None or self._known.image_id != image_id:
            found = request.cache.get(image_id, request.project.image_path(request.project.image(image_id)))
            if found is None:
                return None
            mark, candidates = found
            category_ids = project_categories(request.project, candidates.categories, mark.content_hash)
            self._known = _Known(image_id, candidates, category_ids, mark)
            self.scores_known.emit(image_id, candidates.scores)
        return self._known

    def run(self) -> None:
        while (request := self._next()) is not None:
            try:
                self._answer(request)
            except MaskwrightError as error:
                self.failed.emit(error)
            except Exception as error:  # the border of a thread: the next request is to be answered
                log.exception("the preview failed")
                self.failed.emit(MaskwrightError(f"unexpected fault: {error}", hint="details are in the log"))


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The candidates of one image. They remember what was traced: moving the score traces nothing twice."""

    image_id: int
    candidates: "Candidates"
    category_ids: Mapping[int, int]
    mark: ModelMark
    new_ids: dict[tuple[int, float, int], int] = field(default_factory=dict)
    """{(class, score, number among those of this class and score): id to show it under}."""

    def preview(self, request: PreviewRequest) -> Preview:
        from maskwright.prelabel.proposing import candidates_to_proposals
        from maskwright.project.proposals import preview_change, proposals_to_change

        settings = self.settings(request)
        is_kept = request.purpose is Purpose.KEEP
        proposals = candidates_to_proposals(self.candidates, settings, self.category_ids, packs_dense=is_kept)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        provenance = settings.provenance(self.mark.name, self.mark.content_hash, now)
        existing = tuple(request.document)
        if is_kept:
            change = proposals_to_change(existing, proposals, provenance, range(-len(proposals), 0))
        else:
            taken: dict[tuple[int, float], int] = {}
            change = preview_change(existing, proposals, partial(self._new_id, taken))
        return Preview(request, change, proposals, provenance)

    def note_doubts(self, request: PreviewRequest) -> None:
        from maskwright.prelabel.proposing import note_uncertainty

        settings = self.settings(request)
        note_uncertainty(request.project, self.image_id, self.candidates, settings, self.category_ids)

    def make(self, settings: "PrelabelSettings") -> None:
        """Have polygons ready for the case that they are asked for; the candidates remember them."""
        for prediction in settings.select(self.candidates)[:1]:
            _ = prediction.polygons  # those of the whole selection are made together

    def settings(self, request: PreviewRequest) -> "PrelabelSettings":
        return narrowed(request.settings, request.left_out, self.category_ids)

    def _new_id(self, taken: dict[tuple[int, float], int], proposal: "Proposal") -> int:
        """The same negative id for the same candidate at every step of a slider."""
        key = proposal.category_id, proposal.score
        taken[key] = taken.get(key, 0) + 1
        return self.new_ids.setdefault((*key, taken[key]), -1 - len(self.new_ids))
