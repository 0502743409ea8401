"""Edits that are not saved yet delay closing: this waits for them, or lets the user choose."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.saving import Saving

if TYPE_CHECKING:
    from collections.abc import Sequence

    from maskwright.project.rescue import Rescue


LOOK_MS = 200


class Leaving(Enum):
    """What to do with edits that are not saved."""

    SAVED = auto()
    """Everything has been saved."""
    KEEP = auto()
    """Close; the edits stay in the rescue copy."""
    LOSE = auto()
    STAY = auto()


class UnsavedDialog(QDialog):
    """Closes by itself when everything is saved."""

    def __init__(self, state: Callable[[], Saving], count: Callable[[], int], parent: QWidget | None) -> None:
        """count: edits that are not saved, whether overdue or not."""
        super().__init__(parent)
        self.setWindowTitle("Unsaved edits")
        self.setMinimumWidth(520)
        self._state, self._count = state, count
        self._failure = ""
        self.leaving = Leaving.STAY
        self._what = QLabel(self, wordWrap=True)
        self._what.setStyleSheet("font-weight: 600")
        self._why = muted_label("", self)
        self._why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        bar = named(QProgressBar(self), "Waiting for the edits to be saved")
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        self._keep = QPushButton("Close, keep a rescue copy", self)
        self._keep.setDefault(True)
        self._lose = QPushButton("Close and lose them", self)
        stay = QPushButton("Keep open", self)
        buttons = QDialogButtonBox(self)
        buttons.addButton(self._keep, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self._lose, QDialogButtonBox.ButtonRole.DestructiveRole)
        buttons.addButton(stay, QDialogButtonBox.ButtonRole.RejectRole)
        for button, leaving in ((self._keep, Leaving.KEEP), (self._lose, Leaving.LOSE), (stay, Leaving.STAY)):
            button.clicked.connect(lambda _checked=False, chosen=leaving: self._leave(chosen))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(10)
        for widget in (self._what, self._why, bar, buttons):
            column.addWidget(widget)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._look()

    def ask(self) -> Leaving:
        """Return when everything is saved or the user has chosen."""
        self._timer.start()
        self.leaving = Leaving.STAY  # as Escape does
        self._look()
        if self.leaving is not Leaving.SAVED:
            self.exec()
        return self.leaving

    @property
    def text(self) -> str:
        """The text shown, for tests and screen readers."""
        return f"{self._what.text()} {self._why.text()}"

    def tell(self, failure: str) -> None:
        """Say why the chosen way did not work."""
        self._failure = failure

    def _look(self) -> None:
        count, state = self._count(), self._state()
        if not count:
            self._leave(Leaving.SAVED)
            return
        is_one = count == 1
        it, them, are = ("it", "it", "is") if is_one else ("they", "them", "are")
        self._what.setText(f"{count} edit" + ("" if is_one else "s") + f" {are} not saved yet")
        reason = f"{state.reason}. " if state.reason else ""
        offer = "If you close now, a rescue copy on this computer is offered when you open the project again."
        self._why.setText(f"{reason}As soon as {it} {are} saved, the window closes by itself. {self._failure or offer}")
        self._lose.setText(f"Close and lose {them}")

    def _leave(self, leaving: Leaving) -> None:
        self._timer.stop()
        self.leaving = leaving
        self.done(int(leaving is not Leaving.STAY))


def offer_rescued(
    rescues: "Sequence[Rescue]", *, take: Callable[[], object], drop: Callable[[], object], parent: QWidget
) -> QMessageBox:
    """Ask without blocking. `take` restores the edits, `drop` deletes the copy; with neither, they are offered again
    next time.
    """
    edits = sum(len(rescue.edits) for rescue in rescues)
    images = len({edit.image_id for rescue in rescues for edit in rescue.edits})
    what = f"{edits} edit" + (" was" if edits == 1 else "s were") + " not saved last time"
    box = QMessageBox(QMessageBox.Icon.Question, "Rescued edits", what)
    box.setParent(parent, box.windowFlags())
    at = datetime.fromisoformat(rescues[-1].at).astimezone().strftime("%Y-%m-%d %H:%M")
    where = "1 image" if images == 1 else f"{images} images"
    box.setInformativeText(
        f"They could not be written to the project's folder, so a copy was kept on this computer ({where}, {at}). "
        f"Once restored, each edit can be undone on its image."
    )
    put_in = box.addButton("Restore them" if edits > 1 else "Restore it", QMessageBox.ButtonRole.AcceptRole)
    delete = box.addButton("Delete the copy", QMessageBox.ButtonRole.DestructiveRole)
    later = box.addButton("Not now", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(put_in)
    box.setEscapeButton(later)
    put_in.clicked.connect(lambda: take())
    delete.clicked.connect(lambda: drop())
    box.finished.connect(box.deleteLater)
    box.open()
    return box
