"""Which range of the samples of a 16- or 32-bit image is shown: two sliders with numbers, or found automatically."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QLabel, QSlider, QWidget

from maskwright.windowing import DisplayWindow
from maskwright_gui.canvas.deep import DeepImage

_STEPS = 1000


class WindowSliders(QWidget):
    """For one image at a time; hidden while the image has 8 bits."""

    chosen = Signal(str, object)
    """(number type, DisplayWindow or None for the automatic one)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._kind, self._auto, self._range = "", DisplayWindow(0, 1), DisplayWindow(0, 1)
        self.automatic = QCheckBox("Automatic range", self)
        self.automatic.setToolTip("From the darkest to the brightest thousandth of each image")
        self.low, self.low_value = self._row("Black at")
        self.high, self.high_value = self._row("White at")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.automatic, 0, 0, 1, 3)
        for row, (slider, value) in enumerate(self._rows, 1):
            label = QLabel(slider.accessibleName(), self)
            label.setBuddy(value)
            for column, widget in enumerate((label, slider, value)):
                grid.addWidget(widget, row, column)
        grid.setColumnStretch(1, 1)
        self._grid = grid
        self.automatic.toggled.connect(self._on_automatic)
        for slider, value in self._rows:
            slider.valueChanged.connect(lambda step, value=value: value.setValue(self._at(step)))
            value.valueChanged.connect(self._on_value)

    def set_label_width(self, width_px: int) -> None:
        """So that the sliders begin where others in the dialog do."""
        self._grid.setColumnMinimumWidth(0, width_px)

    def show_image(self, deep: DeepImage | None, window: DisplayWindow | None) -> None:
        """`window`: the one chosen for images of this kind, if any."""
        self.setVisible(deep is not None)
        if deep is None:
            return
        self._kind, self._auto, self._range = deep.kind, deep.auto, deep.range
        digits = 0 if deep.samples.dtype.kind in "ui" else 4
        with QSignalBlocker(self.automatic):
            self.automatic.setChecked(window is None)
        for _, value in self._rows:
            with QSignalBlocker(value):
                value.setDecimals(digits)
                value.setRange(self._range.low, self._range.high)
                value.setSingleStep(max((self._range.high - self._range.low) / _STEPS, 10.0**-digits))
        self._show(window or self._auto)

    @property
    def _rows(self) -> tuple[tuple[QSlider, QDoubleSpinBox], ...]:
        return (self.low, self.low_value), (self.high, self.high_value)

    def _row(self, name: str) -> tuple[QSlider, QDoubleSpinBox]:
        slider, value = QSlider(Qt.Orientation.Horizontal, self), QDoubleSpinBox(self)
        slider.setRange(0, _STEPS)
        slider.setMinimumWidth(160)
        for widget in (slider, value):
            widget.setAccessibleName(name)
        value.setKeyboardTracking(False)
        return slider, value

    def _at(self, step: int) -> float:
        return self._range.low + (self._range.high - self._range.low) * step / _STEPS

    def _show(self, window: DisplayWindow) -> None:
        width = max(self._range.high - self._range.low, 1e-12)
        for (slider, value), number in zip(self._rows, (window.low, window.high), strict=True):
            with QSignalBlocker(slider), QSignalBlocker(value):
                slider.setValue(round((number - self._range.low) / width * _STEPS))
                value.setValue(number)

    def _on_automatic(self, is_on: bool) -> None:
        if is_on:
            self._show(self._auto)
            self.chosen.emit(self._kind, None)
        else:
            self._on_value()

    def _on_value(self) -> None:
        window = DisplayWindow(self.low_value.value(), self.high_value.value())
        if self.automatic.isChecked() and window != self._auto:
            with QSignalBlocker(self.automatic):
                self.automatic.setChecked(False)
        self._show(window)
        self.chosen.emit(self._kind, window)
