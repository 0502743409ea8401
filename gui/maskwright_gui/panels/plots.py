"""Bar plots in the window's colours. The only file that imports pyqtgraph, which takes 0.3 s: import it when needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

_LEAST_HEIGHT_PX = 150
_AXIS_PX, _GAP_PX = 60, 6
Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Bars:
    """What a plot shows; all sequences are as long as `heights`."""

    heights: Sequence[float]
    labels: Sequence[str]
    """Below each bar; an empty one leaves the place blank."""
    notes: Sequence[str] = ()
    """Above each bar, such as its value."""
    backs: Sequence[float] = ()
    """A muted bar behind each, such as the whole of which it is a part."""
    colours: Sequence[Colour] = ()
    """Of each bar; without them the accent colour."""
    texts: Sequence[str] = ()
    """What a screen reader says of each bar."""


class BarPlot(QWidget):
    """One row of bars; a click on one is told."""

    bar_clicked = Signal(int)

    def __init__(self, title: str, unit: str, parent: QWidget | None = None) -> None:
        """`unit`: of the heights."""
        super().__init__(parent)
        self._title = title
        self._bars = Bars((), ())
        self._plot: Any = pg.PlotWidget(self)
        self._plot.setMinimumHeight(_LEAST_HEIGHT_PX)
        self._plot.setFrameShape(pg.QtWidgets.QFrame.Shape.NoFrame)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self._plot.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.setLabel("left", unit)
        item.setTitle(title)
        self._plot.scene().sigMouseClicked.connect(self._on_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._plot)
        self._refresh()

    @property
    def bars(self) -> Bars:
        return self._bars

    @property
    def background(self) -> QColor:
        colour: QColor = self._plot.backgroundBrush().color()
        return colour

    def set_bars(self, bars: Bars) -> None:
        self._bars = bars
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
        item.getAxis("bottom").setTicks([[*enumerate(self._fitting_labels())]])
        self._add_bars(item, muted)
        self._add_notes(item, text)

    def _fitting_labels(self) -> list[str]:
        """Cut to the room below a bar: pyqtgraph paints them over each other."""
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
        peak = max([*bars.heights, *bars.backs, 0.0])
        item.setXRange(-0.6, max(len(places), 1) - 0.4, padding=0)
        item.setYRange(0, (peak or 1.0) * (1.15 if bars.notes else 1.05), padding=0)

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

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._refresh()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._refresh()
        super().changeEvent(event)
