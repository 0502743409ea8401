"""What the learning panel shows: the examples by class, the loss, the outcome, and whether it was worth it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from maskwright.learning.learn import LearnOutcome
from maskwright.learning.plan import GOOD_OBJECTS
from maskwright.learning.worth import Worth
from maskwright_gui.features.learn import words
from maskwright_gui.features.learn.pictures import HeldOutPictures, Shown

if TYPE_CHECKING:
    from maskwright_gui.panels.plots import BarPlot

_ROW_PX = 24
_NAME_PX = 180
_BAR_PX = 160
_BAR_HEIGHT_PX = 8
_GAP_PX = 12
_MOST_BARS = 8
"""Rounds in a plot; more would have no room for their numbers."""


class ClassProgress(QWidget):
    """A name, a bar and a number per class, those with most objects first; a full bar means enough to be reliable."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, int]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_objects(self, objects: Mapping[str, int]) -> None:
        """objects: number of objects by class name."""
        self._rows = words.class_rows(objects)
        self.setAccessibleName(self.text())
        self.setToolTip(f"About {GOOD_OBJECTS} objects make a class reliable" if self._rows else "")
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        """One line per class, for screen readers."""
        return "\n".join(f"{name}: {words.class_count(count)}" for name, count in self._rows)

    def sizeHint(self) -> QSize:
        return QSize(_NAME_PX + _BAR_PX + 240, _ROW_PX * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return QSize(_NAME_PX + _BAR_PX, _ROW_PX * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = event.rect()
        for place in range(max(area.top() // _ROW_PX, 0), min(area.bottom() // _ROW_PX + 1, len(self._rows))):
            self._paint_row(painter, place * _ROW_PX, *self._rows[place])

    def _paint_row(self, painter: QPainter, top: int, name: str, count: int) -> None:
        palette, middle = self.palette(), Qt.AlignmentFlag.AlignVCenter
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, _NAME_PX - _GAP_PX)
        painter.drawText(QRectF(0, top, _NAME_PX, _ROW_PX), middle, shown)
        bar = QRectF(_NAME_PX, top + (_ROW_PX - _BAR_HEIGHT_PX) / 2, _BAR_PX, _BAR_HEIGHT_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(palette.color(QPalette.ColorRole.Mid))
        painter.drawRoundedRect(bar, _BAR_HEIGHT_PX / 2, _BAR_HEIGHT_PX / 2)
        bar.setWidth(max(_BAR_PX * min(count / GOOD_OBJECTS, 1.0), _BAR_HEIGHT_PX))
        painter.setBrush(palette.color(QPalette.ColorRole.Highlight))
        painter.drawRoundedRect(bar, _BAR_HEIGHT_PX / 2, _BAR_HEIGHT_PX / 2)
        role = QPalette.ColorRole.WindowText if count >= GOOD_OBJECTS else QPalette.ColorRole.PlaceholderText
        painter.setPen(palette.color(role))
        left = _NAME_PX + _BAR_PX + _GAP_PX
        painter.drawText(QRectF(left, top, self.width() - left, _ROW_PX), middle, words.class_count(count))


_MOST_POINTS = 600
_MARGIN_PX = 6.0


class LossCurve(QWidget):
    """The loss over the completed share of the round, with 0 at the bottom, as one painted line: a plotting library
    would take a second to load.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: list[tuple[float, float]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(90)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """(share, loss), in order of arrival."""
        return tuple(self._points)

    def clear(self) -> None:
        """Remove all points."""
        self._points = []
        self.update()

    def add(self, share: float, error: float) -> None:
        """Add a point; share is 0..1. When there are many, every other point is dropped."""
        self._points.append((share, error))
        if len(self._points) > _MOST_POINTS:
            self._points = self._points[::2]
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 130)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        place = QRectF(self.rect()).adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.PlaceholderText), 1))
        painter.drawLine(place.bottomLeft(), place.bottomRight())
        painter.drawText(place, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, "loss while learning")
        if len(self._points) > 1:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2))
            painter.drawPolyline(self._line(place))

    def _line(self, place: QRectF) -> QPolygonF:
        top = max(error for _, error in self._points) or 1.0
        return QPolygonF(
            [
                QPointF(place.left() + share * place.width(), place.bottom() - error / top * place.height())
                for share, error in self._points
            ]
        )


class OutcomePage(QWidget):
    """What the model of a round that has ended finds, pictures of it, and a button to use it."""

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


class WorthPage(QWidget):
    """What correcting cost in each round, what the models find, and what follows from that."""

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
        rounds = [entry for entry in worth.rounds if entry.images][-_MOST_BARS:]
        self.plots[0].set_bars(
            Bars(
                [entry.corrections for entry in rounds],
                [entry.label.removeprefix("round ") for entry in rounds],
                [f"{entry.corrections:.1f}" for entry in rounds],
                texts=[words.worth_text(entry) for entry in rounds],
            )
        )
        judged = [entry for entry in worth.rounds if entry.figures is not None][-_MOST_BARS:]
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
        for plot, shown in zip(self.plots, (rounds, judged), strict=True):
            plot.setVisible(bool(shown))
