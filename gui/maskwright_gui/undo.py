"""Undo and redo on the current image, including the steps of earlier sessions."""

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
    """Undo and redo of the session's image; the steps of other images are kept, too."""

    changed = Signal()
    """The steps or the image have changed."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session)
        self._session = session
        self._histories = Histories()

    def undo(self) -> str | None:
        """Undo the latest step; its label, or None if there was none."""
        session = self._session
        step = self._current().step_back() if session.document is not None and session.may_edit() else None
        return self._replay(step, step.change.inverse(), "undo") if step is not None else None

    def undo_if_latest(self, step: Step | None) -> bool:
        """Undo a step if it is the latest one of the current image."""
        if step is None or self.latest_step is not step:
            return False
        return self.undo() is not None

    def redo(self) -> str | None:
        """Redo what was undone last; its label, or None if there was none."""
        session = self._session
        step = self._current().step_forward() if session.document is not None and session.may_edit() else None
        return self._replay(step, step.change, "redo") if step is not None else None

    def read(self) -> None:
        """Read the steps of earlier sessions on the image (1 to 4 ms), unless that has been done."""
        if not self.is_known:
            self._current()
            self.changed.emit()

    @property
    def is_known(self) -> bool:
        """Whether the steps of the image have been read."""
        return self._session.image is None or self._session.image.id in self._histories

    @property
    def steps(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps that undo would take back, oldest first, and those that redo would restore, the next one last."""
        history = self._current() if self._session.image is not None else History()
        return tuple(history.done), tuple(history.undone)

    def go_to(self, count: int) -> None:
        """Undo or redo until that many steps are done."""
        while self._session.image is not None and (now := len(self._current().done)) != count:
            if (self.undo() if now > count else self.redo()) is None:
                return

    @property
    def latest_step(self) -> Step | None:
        """The step that `undo` would take back."""
        done = self._current().done if self._session.image is not None else []
        return done[-1] if done else None

    @property
    def undo_label(self) -> str | None:
        """The label of what undo would take back; None if there is nothing."""
        return self._current().undo_label if self._session.image is not None else None

    @property
    def redo_label(self) -> str | None:
        """The label of what redo would restore; None if there is nothing."""
        return self._current().redo_label if self._session.image is not None else None

    def begin(self, label: str, change: Change) -> None:
        """Do a new step on the image."""
        history = self._current()  # read the history before the change may be part of what is stored
        self._session.take(change, label, "edit")
        history.push(Step(label, change))
        self.changed.emit()

    def forget(self, image_id: int) -> None:
        """Read the steps of an image again when needed."""
        self._histories.forget(image_id)

    def forget_all(self) -> None:
        """Forget all steps: another project, or other classes everywhere."""
        self._histories.clear()

    @property
    def is_partial(self) -> bool:
        """Whether only this session's steps of some image are known."""
        return self._histories.has_partial

    def forget_partial(self) -> None:
        """Read them again when needed."""
        self._histories.forget_partial()
        self.changed.emit()

    def _current(self) -> History:
        image_id = self._session.image.id if self._session.image is not None else 0
        if (known := self._histories.get(image_id)) is not None:
            return known
        try:
            found = self._session.stored_history(image_id)
        except NoAnswerError:  # the steps of this session can be undone; those before follow
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
