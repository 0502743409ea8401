"""The thread that answers prompts: it owns the assistant and a view of the image last asked about."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from maskwright.document.values import Provenance
from maskwright.errors import IN_THE_LOG, UNEXPECTED, MaskwrightError
from maskwright_gui.features.point.assistants import Assistants
from maskwright_gui.features.point.draft import OutlineAnswer, PointPrompt, provenance_of
from maskwright_gui.workers.worker import Worker, leave_behind

if TYPE_CHECKING:
    from maskwright.assist.embeddings import EmbeddingStore
    from maskwright.assist.protocol import View
    from maskwright.assist.view import BackendAssistant

log = logging.getLogger(__name__)

PixelsOf = Callable[[int, Path], NDArray[np.uint8]]
"""(image id, its file) -> (H, W, 3) uint8 BGR; called in the thread, raises ImageError."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt with everything the thread needs to answer it."""

    prompt: PointPrompt
    path: Path
    """The image's file."""
    assistant: str
    """Name or path; see `maskwright.assist.loading.load_assistant`."""
    min_iou: float
    folder: Path
    """The project's cache, where costly results are stored for the next time."""


@dataclass(frozen=True, slots=True)
class ExpectedQuestions:
    """Images to prepare while nothing is asked."""

    images: tuple[tuple[int, Path], ...]
    """(id, file): the current image, then its neighbours."""
    assistant: str
    folder: Path
    """The project's cache."""


Running = tuple[Question | ExpectedQuestions, threading.Event]
"""What is being done, and the event that interrupts it."""


class OutlineThread(Worker[Running]):
    """Answers the newest question, after all those to be kept; while idle, it prepares the images expected next."""

    answered = Signal(object, object, float)
    """(Prompt, outline or None, milliseconds)."""
    loaded = Signal(str)
    """Name of the assistant that answers from now on."""
    failed = Signal(object)
    """MaskwrightError; the prompt is also answered with None."""

    def __init__(self, pixels_of: PixelsOf, assistants: Assistants, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pixels_of, self._assistants = pixels_of, assistants
        self._waiting: Question | None = None
        self._kept: deque[Question] = deque()
        self._running: Running | None = None
        self._is_preparing = False
        """Whether what runs is of use to every question about its image."""
        self._name: str | None = None
        """Name or path of the assistant that answered last."""
        self._view: tuple[int, Path, str, View] | None = None
        self._ahead: ExpectedQuestions | None = None
        self._store: tuple[Path, EmbeddingStore] | None = None

    def look_ahead(self, looks: ExpectedQuestions) -> None:
        """Prepare these images; questions go first."""
        with self._condition:
            self._ahead = looks
            self._condition.notify()

    def ask(self, question: Question) -> None:
        """Replace the waiting question and interrupt the running one.

        A preview gives way to every press, but does not interrupt another preview: while the pointer moves, none would
        ever be shown. Nor does a press interrupt an earlier one of its draft, so that no more than two answers come
        between a press and its outline, however fast the user clicks.
        """
        with self._condition:
            if question.prompt.is_hover and self._has_press:
                return
            self._waiting = question
            if self._running is not None and not self._is_kept(self._running[0]) and not self._helps(question):
                self._running[1].set()
            self._condition.notify()

    def keep(self, serial: int) -> None:
        """Answer this one, whatever is asked after it."""
        with self._condition:
            for question in (self._waiting, self._running and self._running[0]):
                if isinstance(question, Question) and question.prompt.serial == serial:
                    self._kept.append(question)
            if self._waiting is not None and self._waiting.prompt.serial == serial:
                self._waiting = None
            self._condition.notify()

    def forget_image(self) -> None:
        """Another project is open: its images have the same ids."""
        with self._condition:
            self._waiting = None
            self._kept.clear()
            self._ahead = None
            if self._running is not None:
                self._running[1].set()
            self._view = None

    @property
    def is_busy(self) -> bool:
        """Whether something is running."""
        return self._running is not None

    def adopt(self, question: Question) -> None:
        """Answer this question in addition to any other."""
        with self._condition:
            self._kept.append(question)
            self._condition.notify()

    def retire(self) -> list[Question]:
        """End as soon as the running call returns, if ever; returns the questions still to be answered."""
        with self._condition:
            kept = list(self._kept)
            self._kept.clear()
            self._is_stopping = True
            self._break_off()
            self._condition.notify_all()
        leave_behind(self)
        return kept

    @property
    def identity(self) -> tuple[str, str] | None:
        """(name, content hash) of the loaded assistant."""
        return self._assistants.identity

    def _break_off(self) -> None:
        if self._running is not None:
            self._running[1].set()

    def _take(self) -> Running | None:
        question: Question | ExpectedQuestions | None
        if self._kept:
            question = self._kept[0]
        elif self._waiting is not None:
            question, self._waiting = self._waiting, None
        else:
            question, self._ahead = self._ahead, None
        self._running = (question, threading.Event()) if question is not None else None
        return self._running

    def _do(self, task: Running) -> None:
        question, cancel = task
        if isinstance(question, ExpectedQuestions):
            self._prepare(question, cancel)
            with self._condition:
                self._running = None
            return
        start = time.monotonic()
        outline = self._answered(question, cancel)
        with self._condition:
            self._running = None
            if question in self._kept:
                self._kept.remove(question)
        if not cancel.is_set():
            self.answered.emit(question.prompt, outline, 1e3 * (time.monotonic() - start))

    @property
    def _has_press(self) -> bool:
        """Whether a press is waiting for its answer."""
        running = self._running[0] if self._running is not None else None
        asked = (self._waiting, running if isinstance(running, Question) else None, *self._kept)
        return any(question is not None and not question.prompt.is_hover for question in asked)

    def _is_kept(self, question: "Question | ExpectedQuestions") -> bool:
        return any(question is kept for kept in self._kept)

    def _helps(self, question: Question) -> bool:
        """Whether the running work serves the question too: the preparation of its image, or the preview before its
        own.
        """
        running = self._running[0] if self._running is not None else None
        if isinstance(running, Question):
            if (running.prompt.image_id, running.path) != (question.prompt.image_id, question.path):
                return False
            return self._is_preparing or _goes_with(running, question)
        return isinstance(running, ExpectedQuestions) and running.images[:1] == (
            (question.prompt.image_id, question.path),
        )

    def _prepare(self, looks: ExpectedQuestions, cancel: threading.Event) -> None:
        """Prepare one image; the others wait behind any question."""
        from maskwright.inference.async_runner import InferenceCancelledError

        (image_id, path), *others = looks.images
        try:
            assistant = self._assistant_of(looks.assistant)
            if assistant.backend.keeps_features:
                self._opened(assistant, image_id, path, looks).prepare(cancel=cancel)
                is_left = bool(others)
            else:
                is_left = False
        except InferenceCancelledError:
            others, is_left = list(looks.images), self._waiting is not None  # else the project was closed
        except MaskwrightError as error:  # a question about this image will report it
            log.info("image %d was not prepared: %s", image_id, error)
            return
        except Exception:  # the boundary of a thread: the next question must be answered
            log.exception("image %d was not prepared", image_id)
            return
        with self._condition:
            if self._ahead is None and is_left and not self._is_stopping:
                self._ahead = replace(looks, images=tuple(others))

    def _store_of(self, folder: Path) -> "EmbeddingStore":
        from maskwright.assist.embeddings import EmbeddingStore

        if self._store is None or self._store[0] != folder:
            self._store = (folder, EmbeddingStore.of_project(folder))
        return self._store[1]

    def _answered(self, question: Question, cancel: threading.Event) -> OutlineAnswer | None:
        from maskwright.inference.async_runner import InferenceCancelledError  # only when something is outlined

        try:
            return self._outline(question, cancel)
        except InferenceCancelledError:
            cancel.set()
        except MaskwrightError as error:
            self.failed.emit(error)
        except Exception:  # the boundary of a thread: the next question must be answered
            log.exception("an outline failed")
            self.failed.emit(MaskwrightError(UNEXPECTED, hint=IN_THE_LOG))
        return None

    def _outline(self, question: Question, cancel: threading.Event) -> OutlineAnswer | None:
        prompt = question.prompt
        view = self._view_of(question)
        if self._assistant_of(question.assistant).backend.keeps_features:
            self._prepare_for(question, view, cancel)
        outline = view.outline(
            prompt.points_xy,
            prompt.labels,
            prompt.box_xyxy,
            prompt.base or None,
            previous=prompt.previous,  # type: ignore[arg-type]  # an outline of this very view
            min_iou=question.min_iou,
            cancel=cancel,
        )
        found = outline.polygons  # traced here, not in the thread that paints
        _ = outline.dense
        return outline if found or prompt.base else None

    def _prepare_for(self, question: Question, view: "View", cancel: threading.Event) -> None:
        """Make what all questions about this image need, whatever is asked about it meanwhile."""
        from maskwright.inference.async_runner import InferenceCancelledError

        self._is_preparing = True
        try:
            view.prepare(cancel=cancel)
        finally:
            self._is_preparing = False
        with self._condition:
            newer = self._waiting
            if newer is not None and not self._is_kept(question) and not _goes_with(question, newer):
                raise InferenceCancelledError("a newer question waits")

    def _view_of(self, question: Question) -> "View":
        assistant = self._assistant_of(question.assistant)
        image_id, path = question.prompt.image_id, question.path
        known = self._view
        if known is not None and known[:3] == (image_id, path, question.assistant):
            return known[3]
        self._view = None  # its pixels are not needed while others are read
        view = self._opened(assistant, image_id, path, question)
        self._view = (image_id, path, question.assistant, view)
        return view

    def _opened(
        self, assistant: "BackendAssistant", image_id: int, path: Path, wish: "Question | ExpectedQuestions"
    ) -> "View":
        """Disk caches identify the image by its content, caches in memory by the file's time and size."""
        from maskwright.assist.embeddings import file_identity

        known = self._view
        if known is not None and known[:3] == (image_id, path, wish.assistant):
            return known[3]
        identity = _identity(path)
        if assistant.backend.keeps_features:
            identity = file_identity(path)
            assistant.cache.store = self._store_of(wish.folder)
        return assistant.open(self._pixels_of(image_id, path), identity=identity)

    def _assistant_of(self, name: str) -> "BackendAssistant":
        assistant = self._assistants.get(name)
        if self._name != name:
            self._name = name
            self.loaded.emit(assistant.name)
        return assistant


def described_origin(identity: tuple[str, str] | None, presses: int) -> Provenance | None:
    """Provenance of an object outlined just now."""
    if identity is None:
        return None
    return provenance_of(*identity, presses, datetime.now(UTC).isoformat(timespec="seconds"))


def _goes_with(running: Question, later: Question) -> bool:
    """Whether the later question does not interrupt the running one: both are previews, or presses of one draft."""
    if running.prompt.is_hover or later.prompt.is_hover:
        return running.prompt.is_hover and later.prompt.is_hover
    return _goes_on_from(running, later)


def _goes_on_from(earlier: Question, later: Question) -> bool:
    """Whether the later prompt is of the same draft, with more presses."""
    count = len(earlier.prompt.presses)
    return earlier.assistant == later.assistant and later.prompt.presses[:count] == earlier.prompt.presses


def _identity(path: Path) -> str | None:
    """Identifies the image, and its version: time and size change with the file."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return f"{path.resolve()}:{seen.st_size}:{seen.st_mtime_ns}"
