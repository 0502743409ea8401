"""What the window is made of: features, each a module or folder in `features`, and what every feature is given."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QSettings, QTimer, Signal

from maskwright.errors import MaskwrightError
from maskwright_gui.actions import Action
from maskwright_gui.keymap import WithKeys
from maskwright_gui.main_window import MainWindow
from maskwright_gui.messages import Message
from maskwright_gui.open_project import OpenProject
from maskwright_gui.operation import Operation, Work
from maskwright_gui.session import Session
from maskwright_gui.workers.executor import NoAnswerError

RETRY_MS = 500
"""Until a project that did not answer is asked again."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every feature may use. Another feature or a thread is a parameter of the constructor that needs it."""

    session: Session
    window: MainWindow
    settings: QSettings


class Feature(QObject):
    """One thing that the window can do.

    Its constructor declares the actions, adds the panel and connects to the session's signals, once, before the window
    is shown. See "To add a feature to the window" in the README.
    """

    told = Signal(object)
    """Message, for the user."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None) of background work, for the status bar; an empty text when it has ended."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.window)
        self._session, self._window, self._settings = context.session, context.window, context.settings
        self._canvas, self._actions = context.window.canvas, context.window.actions_table
        self._operations: list[Operation] = []
        self.told.connect(context.window.toasts.show_message)
        self.work_changed.connect(partial(context.window.status.show_task, type(self).__name__))

    @property
    def is_working(self) -> bool:
        """Whether an operation of this feature is running."""
        return bool(self._operations)

    def stop(self) -> None:
        """End what this feature runs in the background: the window or the project is closing."""
        operations, self._operations = self._operations, []
        for operation in operations:
            operation.stop()
            self._over()

    def _run_beside(
        self,
        work: Work,
        on_success: Callable[..., object],
        failure: str | Callable[[MaskwrightError], object],
        *,
        joins: bool = False,
    ) -> Operation:
        """Start an operation; a running one is stopped unless this one `joins` it.

        failure: what to tell the user, followed by the reason, or a function that takes the error.
        """
        if not joins:
            self.stop()
        operation = Operation(work, self)
        self._operations.append(operation)
        tell = partial(self._tell_error, failure) if isinstance(failure, str) else failure
        operation.with_progress(self.work_changed.emit).on_end(partial(self._settle, operation))
        operation.on_success(on_success).on_failure(tell).start()
        return operation

    def _once_answered(self, work: Callable[[], object]) -> None:
        """Do `work` with results from the background, and again later while the project does not answer.

        Not any more once another project is open.
        """
        project = self._session.project
        try:
            work()
        except NoAnswerError:
            QTimer.singleShot(RETRY_MS, self, partial(self._again, project, work))

    def _again(self, project: OpenProject | None, work: Callable[[], object]) -> None:
        if project is not None and self._session.project is project:
            self._once_answered(work)

    def _settle(self, operation: Operation) -> None:
        """An operation has ended. What follows from that may start the next one at once."""
        if operation in self._operations:
            operation.settle()
            self._operations.remove(operation)
            self._over()

    def _over(self) -> None:
        """An operation has ended or was stopped; `on_success` or `on_failure` comes after this."""
        self.work_changed.emit("", 0, None)

    def _declare(self, *actions: Action) -> None:
        self._actions.add(actions)

    def _refresh(self, *action_ids: str) -> None:
        """Enable or disable these actions, after a change other than opening or closing a project."""
        self._actions.refresh(self._session, *action_ids)

    def _follow_keys(self, show: Callable[[WithKeys], None]) -> None:
        """Call `show` with `Actions.with_keys` whenever the keys change, also at startup, for texts that mention
        keys.
        """
        self._actions.keys_changed.connect(lambda: show(self._actions.with_keys))

    def _tell_error(self, what: str, error: MaskwrightError) -> None:
        """Tell the user that `what` failed, and why."""
        self.told.emit(Message.of_error(what, error))
