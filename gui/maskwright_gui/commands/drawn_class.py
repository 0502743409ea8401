"""The class of what is being drawn and of what was just drawn: digits, and the question that a person may ask for."""

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtGui import QAction

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.commands.editing import EditCommands
from maskwright_gui.session import Session

_SETTING = "classes/ask_after_drawing"
_DRAWS = frozenset({"polygon", "rectangle", "ellipse"})
"""Tools whose every gesture is an object of its own; a brush goes on with the one that is selected."""


class DrawnClass(QObject):
    """An object that was drawn is selected and has the class drawn with last: digits, or the question, change it."""

    asked = Signal()
    """The class of the selection, which was just drawn, is to be asked for."""

    def __init__(
        self, session: Session, canvas: CanvasView, edits: EditCommands, switch: QAction, settings: QSettings
    ) -> None:
        super().__init__(canvas)
        self._session, self._canvas, self._edits, self._switch = session, canvas, edits, switch
        # after the tool's gesture: it selects what it has drawn
        self._question = QTimer(self, singleShot=True, interval=0)
        self._question.timeout.connect(self._ask)
        self._drawn: int | None = None
        switch.setChecked(bool(settings.value(_SETTING, False, type=bool)))
        switch.toggled.connect(lambda is_on: settings.setValue(_SETTING, is_on))
        canvas.change_requested.connect(self._on_change)

    def choose_by_digit(self, digit: int) -> None:
        """For the outline under way, if there is one: what was drawn before keeps its class; else for the selection."""
        if self._canvas.tool.name in _DRAWS and self._canvas.tool.is_busy:
            if (category_id := self._session.class_keys.get(digit)) is not None:
                self._session.set_current_category(category_id)
        else:
            self._edits.set_category_by_digit(digit)

    def _on_change(self, change: Change, _label: str) -> None:
        drawn = [
            id_ for id_, before, after in change if before is None and after and after.state is InstanceState.DRAWN
        ]
        if self._switch.isChecked() and self._canvas.tool.name in _DRAWS and len(drawn) == len(change) == 1:
            self._drawn = drawn[0]
            self._question.start()

    def _ask(self) -> None:
        if self._session.selection == {self._drawn}:
            self.asked.emit()
