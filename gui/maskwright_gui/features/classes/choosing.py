"""The class of the next object: it follows the user's work, digits choose it, and likely classes are offered first."""

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, QTimer, Signal
from PySide6.QtGui import QAction

from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.features.editing import EditingFeature
from maskwright_gui.session import Session

if TYPE_CHECKING:
    from maskwright.operations.proposing import KnownImage

_SETTING = "classes/ask_after_drawing"
_DRAWS = frozenset({"polygon", "rectangle", "ellipse"})
"""Tools whose every gesture makes a new object; a brush continues the selected one."""
_NAMES_WHILE_BUSY = _DRAWS | {"point"}
"""Tools that use digits during a gesture."""
_ANSWERED = frozenset({InstanceState.ACCEPTED, InstanceState.EDITED, InstanceState.DRAWN})


class DrawnClass(QObject):
    """Tracks whether the selection was made by the user or by a tool that has just drawn it."""

    asked = Signal()
    """The selection was just drawn, and its class is to be asked for."""

    def __init__(
        self, session: Session, canvas: CanvasView, edits: EditingFeature, switch: QAction, settings: QSettings
    ) -> None:
        super().__init__(canvas)
        self._session, self._canvas, self._edits, self._switch = session, canvas, edits, switch
        # after the tool's gesture, which selects what it has drawn
        self._question = QTimer(self, singleShot=True, interval=0)
        self._question.timeout.connect(self._ask)
        self._drawn: int | None = None
        self._is_picked = True
        """Whether the user selected the object, even if a tool drew it."""
        self._awaits_selection = False
        """Whether the next selection is that of the tool which has just drawn."""
        switch.setChecked(bool(settings.value(_SETTING, False, type=bool)))
        switch.toggled.connect(lambda is_on: settings.setValue(_SETTING, is_on))
        canvas.change_requested.connect(self._on_change)
        canvas.selection_requested.connect(self._on_selection_requested)
        edits.picked.connect(self._on_picked)
        session.document_changed.connect(self._follow)

    def choose_by_digit(self, digit: int) -> None:
        """Set the class of the next object; that of the selection only if the user selected it."""
        if (category_id := self._session.classes.keys.get(digit)) is None:
            return
        if self._is_drawing:
            self._session.classes.pick(category_id)
        else:
            self._edits.set_category(category_id)

    @property
    def _is_drawing(self) -> bool:
        """Whether a digit applies to the outline being drawn, or to the object after the one just drawn."""
        if self._canvas.is_busy:
            return self._canvas.tool.name in _NAMES_WHILE_BUSY
        return not self._is_picked and self._session.selection == {self._drawn}

    def _on_change(self, change: Change, _label: str) -> None:
        drawn = [
            id_ for id_, before, after in change if before is None and after and after.state is InstanceState.DRAWN
        ]
        if self._canvas.tool.name in _DRAWS and len(drawn) == len(change) == 1:
            self._drawn, self._is_picked, self._awaits_selection = drawn[0], False, True
            if self._switch.isChecked():
                self._question.start()

    def _on_selection_requested(self, ids: frozenset[int]) -> None:
        """The first request comes from the tool, which selects what it has drawn; later ones come from the user."""
        self._is_picked = not (self._awaits_selection and ids == {self._drawn})
        self._awaits_selection = False

    def _on_picked(self) -> None:
        self._is_picked = True

    def _follow(self, change: Change, _document: object) -> None:
        """The class of what was accepted, corrected or relabelled becomes the current one."""
        worked_on = {after.category_id for _, before, after in change if before and after and after.state in _ANSWERED}
        if len(worked_on) == 1:
            self._session.classes.set_current(worked_on.pop())

    def _ask(self) -> None:
        if self._session.selection == {self._drawn}:
            self.asked.emit()


MOST_RECENT = 12
MOST_SEEN = 3
"""How many classes the model considers possible are named."""


class LikelyClasses(QObject):
    """What the model found there, the user chose recently, or the image has; without classes that no longer exist."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._recent: list[int] = []
        self._seen: KnownImage | None = None
        session.classes.current_changed.connect(self._note)
        session.project_changed.connect(lambda _project: self._recent.clear())

    def ids(self) -> tuple[int, ...]:
        """The likeliest first, without hidden ones."""
        session = self._session
        known = {each.id for each in session.classes.listed} - session.classes.listing.hidden
        here = Counter(instance.category_id for instance in session.document or ())
        ordered = dict.fromkeys([*self._recent, *(id_ for id_, _ in here.most_common())])
        return tuple(id_ for id_ in ordered if id_ in known)

    def note_seen(self, seen: "KnownImage") -> None:
        """Remember all that the model found on an image, including what scored too low to be proposed."""
        self._seen = seen

    def at(self, box_xyxy: tuple[float, float, float, float]) -> tuple[int, ...]:
        """Classes that the model considers possible for the box on the current image, the likeliest first."""
        document, hidden = self._session.document, self._session.classes.listing.hidden
        if self._seen is None or document is None or self._seen.image_id != document.image_id:
            return ()
        return tuple(id_ for id_ in self._seen.classes_at(box_xyxy) if id_ not in hidden)

    def names_at(self, box_xyxy: tuple[float, float, float, float], *, but: int) -> list[str]:
        """Names of the first few of these, without the class `but`."""
        classes = self._session.classes
        names = {each.id: each.name for each in (*classes.listed, *classes.offered)}
        return [names[id_] for id_ in self.at(box_xyxy) if id_ in names and id_ != but][:MOST_SEEN]

    def _note(self, category_id: int) -> None:
        if category_id:
            others = [id_ for id_ in self._recent if id_ != category_id]
            self._recent = [category_id, *others][:MOST_RECENT]
