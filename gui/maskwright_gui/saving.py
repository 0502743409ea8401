"""Watches whether folders answer and edits are saved; keeps a rescue copy of edits while they are not."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from maskwright_gui.open_project import OpenProject
from maskwright_gui.session import Session
from maskwright_gui.workers.executor import FolderProbe
from maskwright_gui.workers.worker import expect_unresponsive
from maskwright_gui.workers.writer import RescueKeeper

LOOK_MS = 250
LATE_S = 1.0
"""Longer waits are reported; a durable commit takes 1 to 30 ms."""


@dataclass(frozen=True, slots=True)
class Saving:
    """The state of saving; without a reason all is well."""

    unsaved: int = 0
    """Edits that should be in the project by now and are not."""
    reason: str = ""
    kept: int = 0
    """How many of them are in the rescue copy on this computer."""
    keep_failure: str = ""
    is_unresponsive: bool = False
    """Whether the project's folder does not answer."""

    @property
    def short(self) -> str:
        """The text for the header."""
        if self.unsaved:
            return f"{self.unsaved} edit" + (" is" if self.unsaved == 1 else "s are") + " not saved"
        return self.reason

    @property
    def detail(self) -> str:
        """What is wrong, and where the edits are."""
        return " ".join(filter(None, (f"{self.reason}." if self.reason else "", self.keeping)))

    @property
    def keeping(self) -> str:
        """Whether a rescue copy holds the unsaved edits, as a sentence."""
        if not self.unsaved:
            return ""
        if self.keep_failure:
            return f"They exist only in this window: {self.keep_failure}."
        if self.kept < self.unsaved:
            return "For now they exist only in this window."
        return "A rescue copy is kept on this computer until they are saved."


class SavingWatch(QObject):
    """Checks regularly whether edits are saved, and reports when they are not."""

    changed = Signal(object)
    """Saving."""
    hung = Signal(object)
    """Folder (Path) that does not answer; once, until it does."""
    answered = Signal(object)
    """Folder that answers again."""
    saved = Signal()
    """All overdue edits are in the project."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._state = Saving()
        self._probes: dict[Path, FolderProbe] = {}
        """Folders in use besides the project's own."""
        self._uses: Counter[Path] = Counter()
        self._unresponsive: set[Path] = set()
        self._news: set[Path] = set()
        self._over: set[Path] = set()
        self._keeper: RescueKeeper | None = None
        self._after_saving: list[Callable[[], object]] = []
        expect_unresponsive(self.is_unresponsive)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        session.project_changed.connect(self._on_project_changed)

    @property
    def state(self) -> Saving:
        """The state at the latest check."""
        return self._state

    def follow(self, folder: Path) -> None:
        """Watch this folder until `leave`."""
        if not self._uses[folder]:
            self._probes[folder] = FolderProbe(folder)
            self._timer.start()
        self._uses[folder] += 1

    def leave(self, folder: Path) -> None:
        """Stop watching the folder."""
        self._uses[folder] -= 1
        if self._uses[folder] == 0 and (probe := self._probes.pop(folder, None)) is not None:
            probe.close()
            self._unresponsive.discard(folder)
            self.look()

    def when_saved(self, work: Callable[[], object]) -> None:
        """Call `work` once, as soon as nothing waits to be written."""
        self._after_saving.append(work)

    def keep(self) -> str:
        """Put all unsaved edits into the rescue copy, to stay there. Returns why that failed, or an empty text."""
        if self._keeper is None:
            return "no project is open"
        return self._keeper.keep_for_good(self._session.unsaved.edits)

    def is_unresponsive(self) -> bool:
        """Whether a folder in use does not answer; also asks them again, so that the next call is up to date."""
        for probe in self._probes.values():
            probe.ask()
        waiting = self._session.waiting
        if waiting is not None:
            waiting.ask()
        is_project = waiting is not None and waiting.is_unresponsive
        return is_project or any(probe.waits_s > LATE_S for probe in self._probes.values())

    def look(self) -> None:
        """Check the state; called by the timer."""
        self._ask()
        if not self._session.unsaved.edits:
            works, self._after_saving = self._after_saving, []
            for work in works:
                work()
        before, self._state = self._state, self._look_at_edits()
        if self._state != before:
            self.changed.emit(self._state)
        self._tell()
        if before.unsaved and not self._session.unsaved.edits:
            self.saved.emit()

    def _ask(self) -> None:
        hanging = {folder for folder, probe in self._probes.items() if probe.waits_s > LATE_S}
        waiting, project = self._session.waiting, self._session.project
        if waiting is not None and project is not None:
            if waiting.is_unresponsive:
                hanging.add(project.path)
            elif waiting.is_answered and self._session.misses_something:  # it hung too briefly to be reported
                self._unresponsive.add(project.path)
            waiting.ask()
        for probe in self._probes.values():
            probe.ask()
        self._news, self._over = hanging - self._unresponsive, self._unresponsive - hanging
        self._unresponsive = hanging

    def _tell(self) -> None:
        """Report the folders, once `state` is up to date for those who read it."""
        for folder in self._news:
            self.hung.emit(folder)
        for folder in self._over:
            self.answered.emit(folder)

    def _look_at_edits(self) -> Saving:
        edits, error = self._session.unsaved.edits, self._session.unsaved.error
        project = self._session.project
        is_unresponsive = project is not None and project.path in self._unresponsive
        is_late = bool(edits) and (error is not None or is_unresponsive or self._session.unsaved.waits_s > LATE_S)
        if self._keeper is not None:
            self._keeper.keep(edits if is_late else ())
        if is_unresponsive and project is not None:
            reason = f"{project.path} does not answer"
        elif is_late and error is not None:
            reason = error.reason
        elif self._unresponsive:
            reason = f"{min(self._unresponsive)} does not answer"
        else:
            reason = "writing takes longer than usual" if is_late else ""
        kept, failure = (self._keeper.kept, self._keeper.failure) if self._keeper is not None else (0, "")
        if is_late:
            return Saving(len(edits), reason, kept, failure, is_unresponsive)
        return Saving(0, reason, is_unresponsive=is_unresponsive)

    def _on_project_changed(self, project: OpenProject | None) -> None:
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None
        for folder in list(self._probes):
            self._probes.pop(folder).close()
        self._uses.clear()
        self._unresponsive.clear()
        self._after_saving.clear()
        if project is None:
            self._timer.stop()
            self._state = Saving()
            self.changed.emit(self._state)
            return
        if not project.is_read_only:
            self._keeper = RescueKeeper(project.path, project.mark)
        self.follow(project.image_root)
        self._timer.start()
