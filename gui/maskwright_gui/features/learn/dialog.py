"""The panel for learning: the examples, a button to learn, the progress and the outcome."""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from maskwright.errors import MaskwrightError
from maskwright.learning.events import LearnProgress
from maskwright.learning.learn import LearnOutcome
from maskwright.learning.plan import LearningPlan
from maskwright.learning.requirements import Missing, is_install
from maskwright_gui.features.learn import words
from maskwright_gui.features.learn.pages import ClassProgress, LossCurve, OutcomePage, WorthPage
from maskwright_gui.panels.widgets import muted_label, named

_INTRODUCTION = (
    "Trains a model of your own classes on the objects that you accepted, corrected or drew on images marked as done. "
    "Everything stays on this computer."
)
DEFAULT_MINUTES = 5
_STRETCHES = {QWidget: 1, QScrollArea: 100, LossCurve: 1}
"""Shares of the spare height; a list that scrolls takes all that it needs before an empty space gets any."""
_MATERIAL, _PROGRESS, _OUTCOME, _WORTH = range(4)
"""Indices of the pages."""


class LearnDialog(QDialog):
    """Shows one of four pages: the examples, the running round, the outcome, and whether another round is worth it."""

    learn_requested = Signal(int)
    """Minutes to learn."""
    resume_requested = Signal()
    stop_requested = Signal()
    use_requested = Signal()
    """Use the new model, and run it on the other images."""
    again_requested = Signal()
    """Go back to the examples, which may have changed."""
    worth_requested = Signal()
    """Show what correcting has cost."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Learn from corrections")
        self.resize(700, 600)
        self._plan: LearningPlan | None = None
        self._page_before = _MATERIAL
        self._pages = QStackedWidget(self)
        for page in (self._make_material(), self._make_progress(), self._make_outcome(), self._make_worth()):
            self._pages.addWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addWidget(self._pages, 1)
        column.addWidget(buttons)
        self.show_counting()

    def show_counting(self) -> None:
        """Show that the examples are being counted."""
        self._plan = None
        self.material.setText("Counting the examples…")
        self._set_texts({}, "", None)
        self.learn_button.setText("Learn")
        self.learn_button.setEnabled(False)
        self.resume_button.hide()
        self.worth_button.hide()
        self._pages.setCurrentIndex(_MATERIAL)

    def show_plan(self, plan: LearningPlan, missing: Missing | None, interrupted: int | None) -> None:
        """Show the examples. missing: what must be installed first. interrupted: number of a round that was
        interrupted.
        """
        self._plan = plan
        self.material.setText(words.material_text(plan) if plan.obstacle is None else _sentence(plan.obstacle))
        notes = [_sentence(note) for note in plan.notes]
        self._set_texts(plan.objects, "\n".join([words.advice_text(plan), *notes]).strip(), missing)
        can_learn = plan.obstacle is None and missing is None
        self.learn_button.setEnabled(can_learn)
        self.worth_button.setVisible(plan.old is not None)
        self.offer_to_go_on(interrupted if missing is None else None)
        self._show_minutes(self.minutes.value())
        self.learn_button.setFocus()
        self._pages.setCurrentIndex(_MATERIAL)

    def show_failure(self, what: str, error: MaskwrightError) -> None:
        """Show what failed, on the page of the examples, where the user can try again."""
        self.material.setText(f"{what}: {error.message}")
        command = error.hint if error.hint and is_install(error.hint) else ""
        self._set_texts({}, _sentence(error.hint) if error.hint and not command else "", None)
        self._show_command(command)
        self.resume_button.hide()
        self.learn_button.setEnabled(self._plan is not None and self._plan.obstacle is None)
        self._pages.setCurrentIndex(_MATERIAL)

    def offer_to_go_on(self, interrupted: int | None) -> None:
        """Offer to continue an interrupted round; None if there is none."""
        self.resume_button.setVisible(interrupted is not None)
        self.resume_button.setText(f"Continue round {interrupted}, which was interrupted")

    def show_begun(self) -> None:
        """Show that a round has begun."""
        self.bar.setValue(0)
        self.told.setText("Getting ready")
        self.curve.clear()
        self.stop_button.setEnabled(True)
        self._pages.setCurrentIndex(_PROGRESS)

    def show_progress(self, progress: LearnProgress) -> None:
        """Show how far the round is."""
        self.bar.setValue(round(1000 * progress.share))
        self.told.setText(words.progress_text(progress))
        if progress.loss is not None and progress.phase == "learning":
            self.curve.add(progress.share, progress.loss)

    def show_outcome(self, outcome: LearnOutcome, *, others: int) -> None:
        """Show the outcome. others: images that nobody has looked at yet."""
        self.outcome.show_outcome(outcome, others=others)
        self._pages.setCurrentIndex(_OUTCOME)
        self.outcome.use_button.setFocus()

    def _make_material(self) -> QWidget:
        page = QWidget(self)
        self.material = _text(page)
        self.material.setProperty("strong", True)
        self.classes = ClassProgress(page)
        scroll = named(QScrollArea(page), "Objects of each class")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self.classes)
        self._class_scroll = scroll
        self.notes = muted_label("", page)
        self.install = named(QLineEdit(page), "Command that installs the missing packages")
        self.install.setReadOnly(True)
        self.copy_button = QPushButton("Copy", page)
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.install.text()))
        self.minutes = named(QSpinBox(page), "Minutes to learn", tip="Of one processor core, at low priority")
        self.minutes.setRange(1, 60)
        self.minutes.setValue(DEFAULT_MINUTES)
        self.minutes.setSuffix(" min")
        self.minutes.valueChanged.connect(self._show_minutes)
        self.learn_button = QPushButton("Learn", page)
        self.learn_button.setDefault(True)
        self.learn_button.setProperty("primary", True)
        self.learn_button.clicked.connect(lambda: self.learn_requested.emit(self.minutes.value()))
        self.resume_button = QPushButton("", page)
        self.resume_button.clicked.connect(self.resume_requested)
        self.worth_button = QPushButton("Is it worth it?", page)
        self.worth_button.clicked.connect(self._ask_worth)
        return _column(
            page, muted_label(_INTRODUCTION, page), self.material, scroll,
            self.notes, (self.install, self.copy_button), QWidget(page),
            self.worth_button, self.resume_button, (self.minutes, self.learn_button),
        )  # fmt: skip

    def _make_progress(self) -> QWidget:
        page = QWidget(self)
        self.told = _text(page)
        self.bar = named(QProgressBar(page), "Progress of the round")
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.curve = named(LossCurve(page), "Loss while learning")
        self.stop_button = QPushButton("Stop and keep the best so far", page)
        self.stop_button.clicked.connect(self._on_stop)
        hint = muted_label("You can keep working and close this panel.", page)
        return _column(page, self.told, self.bar, self.curve, hint, self.stop_button)

    def _make_outcome(self) -> QWidget:
        page = self.outcome = OutcomePage(self)
        page.use_requested.connect(self.use_requested)
        page.again_requested.connect(self.again_requested)
        page.worth_requested.connect(self._ask_worth)
        return page

    def _make_worth(self) -> QWidget:
        page = self.worth = WorthPage(self)
        page.back_requested.connect(lambda: self._pages.setCurrentIndex(self._page_before))
        return page

    def _ask_worth(self) -> None:
        self._page_before = self._pages.currentIndex()
        self.worth.show_counting()
        self._pages.setCurrentIndex(_WORTH)
        self.worth_requested.emit()

    def _set_texts(self, objects: Mapping[str, int], notes: str, missing: Missing | None) -> None:
        self.classes.show_objects(objects)
        # as high as its rows: what follows belongs right below them, not at the other end of the panel
        self._class_scroll.setMaximumHeight(self.classes.sizeHint().height() + 2 * self._class_scroll.frameWidth())
        self._class_scroll.setVisible(bool(objects))
        needed = (missing.reason, missing.offline) if missing is not None else ()
        self.notes.setText("\n".join(_sentence(text) for text in needed if text) or notes)
        self._show_command(missing.install if missing is not None else "")

    def _show_command(self, command: str) -> None:
        """A command to copy; none if empty."""
        self.install.setText(command)
        self.install.setCursorPosition(0)  # it is long: show its beginning
        for widget in (self.install, self.copy_button):
            widget.setVisible(bool(command))

    def _show_minutes(self, minutes: int) -> None:
        if self._plan is not None and self._plan.obstacle is None:
            self.learn_button.setText(words.button_text(self._plan, minutes))

    def _on_stop(self) -> None:
        self.stop_button.setEnabled(False)
        self.told.setText("Stopping: evaluating and keeping the best model so far")
        self.stop_requested.emit()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _text(parent: QWidget) -> QLabel:
    """A label whose text can be selected and copied."""
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _column(page: QWidget, *rows: QWidget | tuple[QWidget, QWidget]) -> QWidget:
    """Stack the rows; in a row of two, the second, or the field, gets the spare width."""
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for row in rows:
        if isinstance(row, tuple):
            line = QHBoxLayout()
            line.addWidget(row[0], int(isinstance(row[0], QLineEdit)))
            line.addWidget(row[1], int(not isinstance(row[0], QLineEdit)))
            column.addLayout(line)
        else:
            column.addWidget(row, _STRETCHES.get(type(row), 0))
    return page
