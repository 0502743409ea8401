"""The bar over the canvas during a search: how similar objects must be, and where else to search."""

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from maskwright.words import shown
from maskwright_gui.panels.threshold_slider import JumpSlider
from maskwright_gui.panels.widgets import leave_focus, muted_label, named

_MARGIN_PX = 8
_TITLE_PX = 150
_BATCH = 20
"""Number of images that the button searches."""


class AlikeBar(QFrame):
    """Floats in the lower left corner of the canvas."""

    moved = Signal(float)
    """Required similarity, at every step."""
    released = Signal(float)
    follows_toggled = Signal(bool)
    batch_requested = Signal(int)
    """Number of following images to search."""
    closed = Signal()

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self.setObjectName("toolOptions")
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._title = muted_label("", self, wraps=False)
        tip = "How similar an object must be to be proposed: move right for fewer objects, left for more"
        self._slider = named(JumpSlider(Qt.Orientation.Horizontal, self), "Similarity", tip=tip)
        self._slider.setRange(0, 100)
        self._slider.setPageStep(5)
        self._slider.setFixedWidth(120)
        self._slider.valueChanged.connect(self._on_value_changed)
        self._slider.sliderReleased.connect(lambda: self.released.emit(self.threshold))
        self._text = QLabel(self)
        self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance("looking…  "))
        self._follows = QCheckBox("Next images too", self)
        named(self._follows, "Search the next images too", tip="Also search each image that you go to")
        self._follows.toggled.connect(self.follows_toggled)
        self._batch = QPushButton(f"Next {_BATCH}", self)
        named(
            self._batch,
            f"Search the next {_BATCH} images",
            tip="Search the following images now and propose what is similar",
        )
        self._batch.clicked.connect(lambda: self.batch_requested.emit(_BATCH))
        self._close = named(QToolButton(self), "Close", tip="Stop searching; the proposals stay")
        self._close.setText("✕")
        self._close.clicked.connect(self.closed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.setSpacing(8)
        for widget in (self._title, self._slider, self._text, self._follows, self._batch, self._close):
            row.addWidget(widget)
        leave_focus(self)
        host.installEventFilter(self)
        self.hide()

    @property
    def threshold(self) -> float:
        """0 to 1."""
        return self._slider.value() / 100

    @property
    def text(self) -> str:
        """The count of objects shown, or that the search is running."""
        return self._text.text()

    @property
    def slider(self) -> JumpSlider:
        return self._slider

    def open_with(self, title: str, tip: str, threshold: float) -> None:
        """Start to show a new search."""
        metrics = self._title.fontMetrics()
        self._title.setText(metrics.elidedText(shown(title), Qt.TextElideMode.ElideRight, _TITLE_PX))
        self._title.setToolTip(shown(tip))
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(100 * threshold))
        with QSignalBlocker(self._follows):
            self._follows.setChecked(False)
        self.show_looking()
        self.show()
        self.raise_()
        self._place()

    def show_looking(self) -> None:
        """Nothing is known about this image yet."""
        self._text.setText("looking…")
        self._slider.setEnabled(False)

    def show_counts(self, shown: int, found: int) -> None:
        """shown: how many of those found are similar enough."""
        self._text.setText(f"{shown:,} of {found:,}")
        self._slider.setEnabled(found > 0)
        self._place()

    def show_nothing(self, why: str) -> None:
        """Say why this image was not searched."""
        self._text.setText(why)
        self._slider.setEnabled(False)
        self._place()

    def _on_value_changed(self) -> None:
        self.moved.emit(self.threshold)
        if not self._slider.isSliderDown():
            self.released.emit(self.threshold)

    def _place(self) -> None:
        size = self.sizeHint()
        width = min(size.width(), self._host.width() - 2 * _MARGIN_PX)
        self.setGeometry(_MARGIN_PX, self._host.height() - size.height() - _MARGIN_PX, width, size.height())

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)
