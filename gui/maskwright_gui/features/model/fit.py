"""Whether the chosen model suits the images; asks before running it on images that it is clearly wrong for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from maskwright.errors import MaskwrightError
from maskwright_gui.operation import Operation
from maskwright_gui.session import Session

if TYPE_CHECKING:
    from maskwright.operations.beginning import Beginning
    from maskwright.project.store import Project

ALLOWED_SETTING = "model.unfit_allowed"
"""Sources of models that the user runs on these images even though they were trained on others."""


def allowed_sources(project: "Project") -> list[str]:
    """Models that the user has allowed here although they do not suit; none if the setting is unreadable."""
    stored = project.setting(ALLOWED_SETTING)
    return [each for each in stored if isinstance(each, str)] if isinstance(stored, list) else []


class ModelFit(QObject):
    """Looks at a dozen images of each opened project in the background."""

    known = Signal(object)
    """Beginning."""
    models_wanted = Signal()

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._task: Operation | None = None
        self._beginning: Beginning | None = None
        self._waiting: Callable[[], object] | None = None
        session.project_changed.connect(self.forget)

    def look(self) -> None:
        """Look at the images of the open project."""
        from maskwright.operations.beginning import look_at

        project = self._session.project
        if project is None:
            return
        self.forget()
        self._task = Operation(lambda _monitor: look_at(project.stored), self)
        self._task.on_success(self._on_known).on_failure(lambda _error: self._on_known(None)).start()

    def forget(self) -> None:
        """Forget the images of the previous project and the requests that waited for them."""
        self._beginning = self._waiting = None
        self.stop()

    def stop(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            task.stop()

    def allows(self, source: str, go_on: Callable[[], object]) -> bool:
        """Whether the model may run at once; otherwise `go_on` is called if the user agrees."""
        from maskwright.operations.beginning import card_of

        project, card = self._session.project, card_of(source)
        if project is None or card is None or not card.image_kinds or source in project.ask(allowed_sources):
            return True
        if self._task is not None:
            self._waiting = go_on
            return False
        kind = self._beginning.kind if self._beginning is not None else None
        if card.suits(kind):
            return True
        self.ask(card.title, sorted(card.image_kinds), f"{kind}", source, go_on)
        return False

    def ask(self, title: str, kinds: list[str], kind: str, source: str, go_on: Callable[[], object]) -> QMessageBox:
        """Ask whether to run a model that was trained on other images."""
        from maskwright.operations.beginning import words_of

        box = QMessageBox(
            QMessageBox.Icon.Question, "Run the model", f"These images look like {kind}s. Run the model anyway?"
        )
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setParent(self._window, box.windowFlags())
        box.setInformativeText(
            f"“{title}” was trained on {words_of(kinds)}. On other images it proposes false objects, which you would "
            f"have to reject."
        )
        other = box.addButton("Get another model…", QMessageBox.ButtonRole.AcceptRole)
        run = box.addButton("Run anyway", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(other)
        other.clicked.connect(self.models_wanted)
        run.clicked.connect(lambda: self._allow(source, go_on))
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _allow(self, source: str, go_on: Callable[[], object]) -> None:
        project = self._session.project
        if project is None:
            return
        try:
            project.set_setting(ALLOWED_SETTING, [*project.ask(allowed_sources), source])
        except MaskwrightError:  # the next request asks again
            return
        go_on()

    def _on_known(self, beginning: "Beginning | None") -> None:
        task, self._task = self._task, None
        if task is not None:
            task.settle()
        self._beginning = beginning
        waiting, self._waiting = self._waiting, None
        if beginning is not None:
            self.known.emit(beginning)
        if waiting is not None:
            waiting()
