"""The tour: starts when the samples are first opened, or from the Help menu.

It asks for one step at a time, notices when that is done, and never takes the keys or covers the working area.
"""

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.projects.feature import ProjectsFeature
from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.widgets import leave_focus, muted_label, named

WIDTH_PX, MARGIN_PX = 460, 16


class TourCard(QFrame):
    """Shows one step of the tour, with buttons to skip the step and to end the tour."""

    ended = Signal()
    skipped = Signal()
    """Skip only this step."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self.setObjectName("startCard")
        self.setAccessibleName("Tour")
        self._host = host
        self._count = muted_label("", self, wraps=False)
        self._title = QLabel(self)
        self._title.setProperty("strong", True)
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._skip = named(QPushButton("Skip this step", self), "Skip this step of the tour")
        self._skip.clicked.connect(self.skipped)
        self._end = named(QPushButton("End the tour", self), "End the tour")
        self._end.clicked.connect(self.ended)
        row = QHBoxLayout()
        row.addWidget(self._count, 1)
        row.addWidget(self._skip)
        row.addWidget(self._end)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(6)
        for widget in (self._title, self._text):
            column.addWidget(widget)
        column.addLayout(row)
        leave_focus(self)
        host.installEventFilter(self)

    def show_step(self, number: int, total: int, title: str, text: str) -> None:
        """number: from 1; one above `total` is the end."""
        is_last = number > total
        self._count.setText("" if is_last else f"Step {number} of {total}")
        self._title.setText(title)
        self._text.setText(text)
        self._skip.setVisible(not is_last)
        self._end.setText("Finish" if is_last else "End the tour")
        self._place()
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        self.setFixedWidth(min(WIDTH_PX, max(280, self._host.width() - 2 * MARGIN_PX)))
        self.adjustSize()
        left = (self._host.width() - self.width()) // 2
        self.move(max(left, 0), max(self._host.height() - self.height() - MARGIN_PX, 0))


class Done(Enum):
    """What a step waits for the user to do."""

    PROPOSED = auto()
    SELECTED = auto()
    JUDGED = auto()
    OUTLINED = auto()
    NEXT_IMAGE = auto()


@dataclass(frozen=True, slots=True)
class TourStep:
    """One step of the tour: what to do, and what completes it."""

    title: str
    text: str
    """Names of actions in braces are replaced by their keys, see `Actions.with_keys`."""
    waits_for: Done


STEPS = (
    TourStep(
        "A model proposes",
        "Press {run_model}: the model outlines what it finds on this image. Dashed outlines are proposals.",
        Done.PROPOSED,
    ),
    TourStep("Select a proposal", "Click one of the dashed outlines.", Done.SELECTED),
    TourStep(
        "Judge it", "{accept} accepts the selected proposal, {reject} rejects it. {undo} undoes any step.", Done.JUDGED
    ),
    TourStep(
        "Outline or correct one yourself",
        "Press {tool_point}, then click a cell: its outline appears, and Enter accepts it. Or drag a point of an "
        "outline.",
        Done.OUTLINED,
    ),
    TourStep(
        "This image is done",
        "Press {done}: the next image appears, and the model has already run on it.",
        Done.NEXT_IMAGE,
    ),
)
LAST = (
    "That is all",
    "{export} exports the annotations, {palette} finds any action, {key_sheet} shows all keys. You can take this tour "
    "again from the Help menu.",
)


def done_by(change: Change) -> set[Done]:
    """Which steps a change of the image's objects completes."""
    found = set()
    for _, before, after in change:
        if before is None and after is not None and after.state is InstanceState.PROPOSED:
            found.add(Done.PROPOSED)
        if before is not None and before.state is InstanceState.PROPOSED and _is_judged(after):
            found.add(Done.JUDGED)
        if after is not None and after.state is not InstanceState.PROPOSED and _has_new_outline(before, after):
            found.add(Done.OUTLINED)
    return found


def _is_judged(after: Instance | None) -> bool:
    return after is not None and after.state is not InstanceState.PROPOSED


def _has_new_outline(before: Instance | None, after: Instance) -> bool:
    return before is None or before.polygons != after.polygons


OVER_SETTING = "tour/is_over"


class TourFeature(Feature):
    """Leads through the first steps on the samples."""

    def __init__(self, context: Context, projects: ProjectsFeature) -> None:
        super().__init__(context)
        self._projects = projects
        self._is_wanted = False
        """Whether the tour starts as soon as the samples are open."""
        self.number: int | None = None
        """Index of the current step; one above the last is the end. None without a tour."""
        self.card: TourCard | None = None
        self._with_keys: WithKeys = lambda text: text
        self._declare(
            Action(
                "tour",
                "Take the tour",
                Menu.HELP,
                0,
                self.begin,
                needs=nothing,
                words="tutorial introduction learn first steps guide",
            )
        )
        self._follow_keys(self._on_keys)
        projects.opened.connect(self._on_opened)
        session = self._session
        session.project_changed.connect(self._close)
        session.document_changed.connect(self._on_document_changed)
        session.document_replaced.connect(self._on_shown)
        session.selection_changed.connect(lambda ids: self._note({Done.SELECTED} if ids else set()))
        session.image_changed.connect(lambda image: self._note({Done.NEXT_IMAGE} if image is not None else set()))

    @property
    def is_on(self) -> bool:
        """Whether the tour is running."""
        return self.number is not None

    def begin(self) -> None:
        """Start the tour, on the samples, which are opened if they are not."""
        if not self._has_samples():
            self._is_wanted = True
            self._projects.open_samples()
            return
        self._is_wanted = False
        self.card = self.card or self._make_card()
        self._show(0)
        self._on_shown()

    def stop(self) -> None:
        super().stop()
        self._close()

    def _make_card(self) -> TourCard:
        card = TourCard(self._canvas)
        self._window.toasts.keep_clear(card)
        card.ended.connect(self._end)
        card.skipped.connect(lambda: self._show((self.number or 0) + 1))
        return card

    def _has_samples(self) -> bool:
        from maskwright.samples.project import PROJECT_NAME

        project = self._session.project
        return project is not None and project.path.name == PROJECT_NAME

    def _on_opened(self) -> None:
        is_over = str(self._settings.value(OVER_SETTING, "false")) == "true"
        if self._has_samples() and (self._is_wanted or not is_over):
            self.begin()

    def _on_keys(self, with_keys: WithKeys) -> None:
        self._with_keys = with_keys
        if self.number is not None:
            self._show(self.number)

    def _on_shown(self) -> None:
        """Skip running the model if there are proposals already."""
        document = self._session.document
        if document is not None and any(each.state is InstanceState.PROPOSED for each in document):
            self._note({Done.PROPOSED})

    def _on_document_changed(self, change: Change, _document: object) -> None:
        if self.is_on:
            self._note(done_by(change))

    def _note(self, done: set[Done]) -> None:
        if self.number is not None and self.number < len(STEPS) and STEPS[self.number].waits_for in done:
            self._show(self.number + 1)

    def _show(self, number: int) -> None:
        self.number = number
        title, text = (STEPS[number].title, STEPS[number].text) if number < len(STEPS) else LAST
        if self.card is not None:
            self.card.show_step(number + 1, len(STEPS), title, self._with_keys(text))

    def _end(self) -> None:
        """End the tour for good; the Help menu can start it again."""
        self._settings.setValue(OVER_SETTING, "true")
        self._close()

    def _close(self) -> None:
        self.number = None
        if self.card is not None:
            card, self.card = self.card, None
            card.hide()
            card.deleteLater()
