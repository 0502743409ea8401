"""A slider with its name and value, and the histogram behind the score slider."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QWidget

from maskwright_gui.panels.widgets import muted_label, named
from maskwright_gui.theme import LIGHT, Theme

BINS = 47
HANDLE_PX = 7
"""Half the width of the slider's handle: where its scale begins and ends."""


class JumpSlider(QSlider):
    """A press beside the handle moves it there at once, not by a page."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
        handle = self.style().subControlRect(control, option, part, self)
        if event.button() == Qt.MouseButton.LeftButton and not handle.contains(event.position().toPoint()):
            room = self.width() - handle.width()
            x = round(event.position().x() - handle.width() / 2)
            self.setSliderDown(True)
            self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x, room))
        super().mousePressEvent(event)


class ThresholdSlider(QWidget):
    """A value between `low` and `high` in steps of 0.01; arrow keys and the wheel step it."""

    moved = Signal(float)
    """Emitted at every step."""
    released = Signal(float)
    """Emitted when the user releases the slider, or after a step by key or wheel."""

    def __init__(
        self,
        title: str,
        *,
        low: float,
        high: float,
        value: float,
        tip: str,
        above: QWidget | None = None,
        beside: QWidget | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """above: a widget as wide as the slider. beside: a widget after the value."""
        super().__init__(parent)
        self.setToolTip(tip)
        name = muted_label(title, self, wraps=False)
        self._slider = named(JumpSlider(Qt.Orientation.Horizontal, self), title)
        self._slider.setAccessibleDescription(tip)
        self._slider.setMinimumWidth(64)
        self._slider.setRange(round(low * 100), round(high * 100))
        self._slider.setPageStep(5)
        self._value = QLabel(self)
        self._value.setMinimumWidth(self._value.fontMetrics().horizontalAdvance("0.00"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(0)
        for column, widget in enumerate((name, self._slider, self._value)):
            grid.addWidget(widget, 1, column)
        grid.setColumnStretch(1, 1)
        if above is not None:
            grid.addWidget(above, 0, 1, Qt.AlignmentFlag.AlignBottom)
        if beside is not None:
            grid.addWidget(beside, 0, 3, 2, 1, Qt.AlignmentFlag.AlignVCenter)
        self.set_value(value)
        self._slider.valueChanged.connect(self._on_value_changed)
        self._slider.sliderReleased.connect(lambda: self.released.emit(self.value))

    @property
    def value(self) -> float:
        """0 to 1."""
        return self._slider.value() / 100

    @property
    def handle(self) -> QWidget:
        """What takes the focus."""
        return self._slider

    @property
    def is_held(self) -> bool:
        """Whether the user is dragging the handle."""
        return self._slider.isSliderDown()

    def step(self, change: float) -> None:
        """Step the slider as a key would."""
        self._slider.setValue(self._slider.value() + round(change * 100))

    def set_value(self, value: float) -> None:
        """Show `value` without emitting anything."""
        self._slider.blockSignals(True)
        self._slider.setValue(round(value * 100))
        self._slider.blockSignals(False)
        self._value.setText(f"{self.value:.2f}")

    def _on_value_changed(self) -> None:
        self._value.setText(f"{self.value:.2f}")
        self.moved.emit(self.value)
        if not self._slider.isSliderDown():
            self.released.emit(self.value)


class ScoreHistogram(QWidget):
    """How many candidates have which score; those above the threshold in the accent colour."""

    def __init__(self, low: float, high: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range = (low, high)
        self._counts: NDArray[np.int64] = np.zeros(BINS, np.int64)
        self._threshold = 0.5
        self.theme: Theme = LIGHT
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Scores of the model's candidates on this image")

    @property
    def count(self) -> int:
        """Candidates within the scale."""
        return int(self._counts.sum())

    def set_scores(self, scores: Sequence[float] | NDArray[np.floating]) -> None:
        """Set the scores of the image's candidates."""
        self._counts = np.histogram(np.asarray(scores, np.float64), bins=BINS, range=self._range)[0]
        self.update()

    def set_threshold(self, threshold: float) -> None:
        """Set the threshold above which bars are filled."""
        self._threshold = threshold
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        width, height = (self.width() - 2 * HANDLE_PX) / BINS, self.height() - 1
        painter.fillRect(QRectF(HANDLE_PX, height, width * BINS, 1), QColor(self.theme.border))
        peak = max(int(self._counts.max()), 1)
        low, high = self._range
        for place, count in enumerate(self._counts):
            if count:
                tall = max(height * float(np.sqrt(count / peak)), 2.0)
                is_above = low + (place + 0.5) / BINS * (high - low) > self._threshold
                colour = QColor(self.theme.accent if is_above else self.theme.muted)
                painter.fillRect(QRectF(HANDLE_PX + place * width, height - tall, max(width - 1, 1), tall), colour)
