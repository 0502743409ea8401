"""The outcome of a round: what the model finds, pictures of it, and a button to use it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright.learning.learn import LearnOutcome
from maskwright_gui.features.learn import words
from maskwright_gui.features.learn.pictures import HeldOutPictures, Shown


class OutcomePage(QWidget):
    """Shown when a round has ended."""

    use_requested = Signal()
    """Use the new model, and run it on the other images."""
    again_requested = Signal()
    """Go back to the examples, which may have changed."""
    worth_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.headline = QLabel(self)
        self.headline.setProperty("title", True)
        self.text = QLabel(self)
        for label in (self.headline, self.text):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.pictures = HeldOutPictures(self)
        self.extends = QCheckBox("", self)
        self.refines = QCheckBox("Then refine the outlines with the assistant (a second or two per image)", self)
        self.refines.setChecked(True)
        self.sorts = QCheckBox("Then show the images that most need review first", self)
        self.sorts.setChecked(True)
        self.use_button = QPushButton("Use it", self)
        self.use_button.setProperty("primary", True)
        self.use_button.clicked.connect(self.use_requested)
        again = QPushButton("Back to the examples", self)
        again.clicked.connect(self.again_requested)
        self.worth_button = QPushButton("Is it worth it?", self)
        self.worth_button.clicked.connect(self.worth_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.headline)
        column.addWidget(self.text)
        column.addWidget(self.pictures, 1)
        column.addStretch(0)
        for row in (self.extends, self.refines, self.sorts, self.use_button):
            column.addWidget(row)
        below = QHBoxLayout()
        below.addWidget(again, 1)
        below.addWidget(self.worth_button, 1)
        column.addLayout(below)

    def show_outcome(self, outcome: LearnOutcome, *, others: int) -> None:
        """Show the outcome. others: images that nobody has looked at yet."""
        record = outcome.record
        self.headline.setText(words.headline(outcome))
        self.text.setText(words.outcome_text(outcome))
        rest = f" and propose objects on the other {words.counted(others, 'image')}" if others else ""
        self.use_button.setText(f"Use it{rest}")
        self.use_button.setVisible(outcome.is_installed)
        for choice in (self.refines, self.sorts):
            choice.setVisible(outcome.is_installed and bool(others))
        may_extend = outcome.is_installed and bool(others) and record.old_model is not None and not record.old_is_own
        self.extends.setText(words.extend_text(record) if may_extend else "")
        self.extends.setVisible(may_extend)
        self.extends.setChecked(may_extend)
        self.pictures.show_images((), "", "")

    def show_pictures(self, outcome: LearnOutcome, images: Sequence[Shown]) -> None:
        """Show the pictures once they have been read."""
        self.pictures.show_images(images, outcome.record.model, outcome.record.old_model or "")
