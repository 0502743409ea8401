"""Bar plots in the window's colours. The only module that imports pyqtgraph, which takes 0.3 s: import it when
needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

_LEAST_HEIGHT_PX = 150
_AXIS_PX, _GAP_PX = 60, 6
_LEAST_PLACES = 6
"""Bars get no wider with fewer bars than this."""
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Bars:
    """The contents of a plot; all sequences are as long as `heights`."""

    heights: Sequence[float]
    labels: Sequence[str]
    """Text below each bar; may be empty. With `at_edges`, texts for the edges between bars, one more than bars."""
    notes: Sequence[str] = ()
    """Text above each bar, such as its value."""
    backs: Sequence[float] = ()
    """A muted bar behind each, such as the whole that it is a part of."""
    colours: Sequence[Colour] = ()
    """Colour of each bar; by default the accent colour."""
    texts: Sequence[str] = ()
    """Text for screen readers for each bar; required with `at_edges`."""
    at_edges: bool = False
    top: float | None = None
    """Upper end of the scale, such as 1 for a share; None: just above the highest bar."""


class _Axis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Plain numbers with thousands separators instead of powers of ten."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        digits = 0 if spacing >= 1 else 1 if spacing >= 0.1 else 2
        return [f"{value:,.{digits}f}" for value in values]


class BarPlot(QWidget):
    """One row of bars. If `is_choice`, a click on a bar is emitted; arrow keys and Enter do the same."""

    bar_clicked = Signal(int)

    def __init__(self, title: str, unit: str, parent: QWidget | None = None, *, is_choice: bool = False) -> None:
        """unit: of the heights."""
        super().__init__(parent)
        self._title = title
        self._bars = Bars((), ())
        self._current: int | None = None
        self._plot: Any = pg.PlotWidget(self, axisItems={"left": _Axis("left")})
        self._plot.setMinimumHeight(_LEAST_HEIGHT_PX)
        self._plot.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self._plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.setLabel("left", unit)
        item.setTitle(title)
        item.getAxis("left").enableAutoSIPrefix(False)
        if is_choice:
            self._plot.scene().sigMouseClicked.connect(self._on_clicked)
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self._refresh()

    @property
    def bars(self) -> Bars:
        """What the plot shows."""
        return self._bars

    @property
    def background(self) -> QColor:
        colour: QColor = self._plot.backgroundBrush().color()
        return colour

    def set_bars(self, bars: Bars) -> None:
        """Show other bars."""
        self._bars, self._current = bars, None
        told = bars.texts or [f"{label}: {height:g}" for label, height in zip(bars.labels, bars.heights, strict=True)]
        self.setAccessibleName(f"{self._title}. {', '.join(told) or 'nothing yet'}")
        self._refresh()

    def _refresh(self) -> None:
        palette = self.palette()
        text, muted = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.PlaceholderText)
        item = self._plot.getPlotItem()
        self._plot.setBackground(palette.color(QPalette.ColorRole.Window))
        item.clear()
        item.setTitle(self._title, color=text, size="10pt")
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(muted)
            axis.setTextPen(muted)
        offset = -0.5 if self._bars.at_edges else 0.0
        labels = self._fitting_labels()
        item.getAxis("bottom").setTicks([[(place + offset, label) for place, label in enumerate(labels) if label]])
        self._add_bars(item, muted)
        self._add_notes(item, text)

    def _fitting_labels(self) -> list[str]:
        """The texts shortened to the width of a bar: pyqtgraph would paint them over each other."""
        labels = self._bars.labels
        shown = max(sum(bool(label) for label in labels), 1)
        room = round((self.width() - _AXIS_PX) / shown) - _GAP_PX
        metrics = self.fontMetrics()
        return [metrics.elidedText(label, Qt.TextElideMode.ElideRight, max(room, _AXIS_PX // 2)) for label in labels]

    def _add_bars(self, item: Any, muted: QColor) -> None:
        bars = self._bars
        places = list(range(len(bars.heights)))
        if bars.backs:
            behind = QColor(muted)
            behind.setAlpha(90)
            item.addItem(pg.BarGraphItem(x=places, height=list(bars.backs), width=0.8, brush=behind, pen=None))
        accent = self.palette().color(QPalette.ColorRole.Accent)
        brushes = [QColor(*colour) for colour in bars.colours] or [accent] * len(places)
        if places:
            item.addItem(pg.BarGraphItem(x=places, height=list(bars.heights), width=0.8, brushes=brushes, pen=None))
        peak = bars.top or max([*bars.heights, *bars.backs, 0.0]) or 1.0
        high = peak * (1.15 if bars.notes else 1.05)
        if self._current is not None and self.hasFocus():
            frame = pg.mkPen(self.palette().color(QPalette.ColorRole.WindowText), width=2)
            item.addItem(pg.BarGraphItem(x=[self._current], height=[high], width=0.94, brush=None, pen=frame))
        middle, half = (len(places) - 1) / 2, max(len(places), _LEAST_PLACES) / 2 + (0.4 if bars.at_edges else 0.1)
        item.setXRange(middle - half, middle + half, padding=0)
        item.setYRange(0, high, padding=0)

    def _add_notes(self, item: Any, text: QColor) -> None:
        bars = self._bars
        for place, note in enumerate(bars.notes):
            if note:
                tall = max(bars.heights[place], bars.backs[place] if bars.backs else 0.0)
                label = pg.TextItem(note, color=text, anchor=(0.5, 1.0))
                label.setPos(place, tall)
                item.addItem(label)

    def _on_clicked(self, event: Any) -> None:
        where: QPointF = self._plot.getPlotItem().vb.mapSceneToView(event.scenePos())
        place = round(where.x())
        if 0 <= place < len(self._bars.heights) and abs(where.x() - place) <= 0.5:
            self.bar_clicked.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        count = len(self._bars.heights)
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Home: -count, Qt.Key.Key_End: count}
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._current is not None:
            self.bar_clicked.emit(self._current)
        elif count and (step := steps.get(Qt.Key(event.key()))) is not None:
            begin = -1 if step > 0 else count
            self._go_to(min(max((self._current if self._current is not None else begin) + step, 0), count - 1))
        else:
            super().keyPressEvent(event)

    def _go_to(self, place: int) -> None:
        self._current = place
        texts = self._bars.texts
        self.setAccessibleDescription(texts[place] if texts else self._bars.labels[place])
        self._refresh()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self._current is None and self._bars.heights:
            self._go_to(0)
        self._refresh()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._refresh()
        super().changeEvent(event)
