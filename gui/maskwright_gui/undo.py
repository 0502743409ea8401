"""The way back through the steps of the image on screen, those of earlier sessions too."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskwright.document.change import Change
from maskwright.errors import ProjectError
from maskwright_gui.history import Histories, History, Step
from maskwright_gui.workers.executor import NoAnswerError
from maskwright_gui.workers.storing import EditKind

if TYPE_CHECKING:
    from maskwright_gui.session import Session


class Undo(QObject):
    """Undo and redo of the session's image; the steps of the images that were left are kept, too."""

    changed = Signal()
    """Other steps, or another image."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self._session = session
        self._histories = Histories()

    def undo(self) -> str | None:
        """Take the latest step back; its label, or None when there was none."""
        session = self._session
        step = self._current().step_back() if session.document is not None and session.may_edit() else None
        return self._replay(step, step.change.inverse(), "undo") if step is not None else None

    def undo_if_latest(self, step: Step | None) -> bool:
        """Take a step back, unless it is not the latest one of the image on screen."""
        if step is None or self.latest_step is not step:
            return False
        return self.undo() is not None

    def redo(self) -> str | None:
        """Do again what was undone last; its label, None where there is nothing."""
        session = self._session
        step = self._current().step_forward() if session.document is not None and session.may_edit() else None
        return self._replay(step, step.change, "redo") if step is not None else None

    def read(self) -> None:
        """Read the steps of earlier sessions on the image (1 to 4 ms), if that has not been done."""
        if not self.is_known:
            self._current()
            self.changed.emit()

    @property
    def is_known(self) -> bool:
        """Whether the steps of the image have been read."""
        return self._session.image is None or self._session.image.id in self._histories

    @property
    def steps(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """Those that undo would take back, oldest first, and those that redo would do, its next one last."""
        history = self._current() if self._session.image is not None else History()
        return tuple(history.done), tuple(history.undone)

    def go_to(self, count: int) -> None:
        """Undo or redo until so many steps are done."""
        while self._session.image is not None and (now := len(self._current().done)) != count:
            if (self.undo() if now > count else self.redo()) is None:
                return

    @property
    def latest_step(self) -> Step | None:
        """What `undo` would take back."""
        done = self._current().done if self._session.image is not None else []
        return done[-1] if done else None

    @property
    def undo_label(self) -> str | None:
        """What undo would take back; None where there is nothing."""
        return self._current().undo_label if self._session.image is not None else None

    @property
    def redo_label(self) -> str | None:
        """What redo would do again; None where there is nothing."""
        return self._current().redo_label if self._session.image is not None else None

    def begin(self, label: str, change: Change) -> None:
        """Do a new step on the image."""
        history = self._current()  # read before the change can be part of what is stored
        self._session.take(change, label, "edit")
        history.push(Step(label, change))
        self.changed.emit()

    def forget(self, image_id: int) -> None:
        """The steps of an image are to be read again."""
        self._histories.forget(image_id)

    def forget_all(self) -> None:
        """Another project, or other classes everywhere."""
        self._histories.clear()

    @property
    def is_partial(self) -> bool:
        """Whether of some image only this session's steps are known."""
        return self._histories.has_partial

    def forget_partial(self) -> None:
        """Read them again when they are asked for."""
        self._histories.forget_partial()
        self.changed.emit()

    def _current(self) -> History:
        image_id = self._session.image.id if self._session.image is not None else 0
        if (known := self._histories.get(image_id)) is not None:
            return known
        try:
            found = self._session.stored_history(image_id)
        except NoAnswerError:  # the steps of this session can be undone, those before follow
            return self._histories.keep(image_id, History(), is_partial=True)
        return self._histories.keep(image_id, found)

    def _replay(self, step: Step, change: Change, kind: EditKind) -> str | None:
        assert self._session.image is not None
        try:
            self._session.take(change, step.label, kind)
        except ValueError:
            self.forget(self._session.image.id)
            reason = ProjectError("another model run has changed the objects")
            self._session.failed.emit(f"“{step.label}” cannot be repeated", reason)
            self.changed.emit()
            return None
        self.changed.emit()
        return step.label
