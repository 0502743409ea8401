"""Is it worth it? What correcting cost in each round, what the models find, and what follows from that."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from maskwright.learning.worth import Worth
from maskwright_gui.features.learn import words

if TYPE_CHECKING:
    from maskwright_gui.panels.plots import BarPlot


class WorthPage(QWidget):
    """Two plots over the rounds, and a conclusion."""

    back_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.advice = QLabel(self)
        self.advice.setWordWrap(True)
        self.plots: list[BarPlot] = []
        self._row = QHBoxLayout()
        self.back_button = QPushButton("Back", self)
        self.back_button.clicked.connect(self.back_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.advice)
        column.addLayout(self._row, 1)
        column.addWidget(self.back_button)

    def show_counting(self) -> None:
        """Show that the effort is being read."""
        self.advice.setText("Reading the correction effort…")
        for plot in self.plots:
            plot.hide()

    def show_worth(self, worth: Worth) -> None:
        """Show the cost of correcting and the accuracy of the models, by round."""
        from maskwright_gui.panels.plots import BarPlot, Bars

        if not self.plots:
            self.plots = [
                BarPlot("Corrections per image, by round", "objects", self),
                BarPlot("Found on held-out images, by round", "share", self),
            ]
            for plot in self.plots:
                self._row.addWidget(plot, 1)
        self.advice.setText(worth.advice)
        rounds = [entry for entry in worth.rounds if entry.images]
        self.plots[0].set_bars(
            Bars(
                [entry.corrections for entry in rounds],
                [entry.label.removeprefix("round ") for entry in rounds],
                [f"{entry.corrections:.1f}" for entry in rounds],
                texts=[words.worth_text(entry) for entry in rounds],
            )
        )
        judged = [entry for entry in worth.rounds if entry.figures is not None]
        shares = [entry.figures.recall for entry in judged if entry.figures is not None]
        self.plots[1].set_bars(
            Bars(
                shares,
                [entry.label.removeprefix("round ") for entry in judged],
                [f"{share:.0%}" for share in shares],
                backs=[1.0] * len(shares),
                texts=[f"{entry.label}: {share:.0%}" for entry, share in zip(judged, shares, strict=True)],
                top=1.0,
            )
        )
        for plot in self.plots:
            plot.show()
