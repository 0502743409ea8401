"""How the image is displayed: display window, brightness, contrast and gamma. Files and models never see these
settings.
"""

from math import log

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from maskwright.windowing import DisplayWindow
from maskwright_gui.canvas.deep import DeepImage, DisplayAdjust

_WINDOW_STEPS = 1000


class WindowSliders(QWidget):
    """The display window of one image; hidden for images of 8 bits."""

    chosen = Signal(str, object)
    """(sample type, DisplayWindow or None for the automatic one)."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._kind, self._auto, self._range = "", DisplayWindow(0, 1), DisplayWindow(0, 1)
        self.automatic = QCheckBox("Automatic range", self)
        self.automatic.setToolTip("From the darkest to the brightest 0.1 % of each image's pixels")
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
        """Align the sliders with the others in the dialog."""
        self._grid.setColumnMinimumWidth(0, width_px)

    def show_image(self, deep: DeepImage | None, window: DisplayWindow | None) -> None:
        """Show the sliders for an image. window: the one chosen for images of this type, if any."""
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
                value.setSingleStep(max((self._range.high - self._range.low) / _WINDOW_STEPS, 10.0**-digits))
        self._show(window or self._auto)

    @property
    def _rows(self) -> tuple[tuple[QSlider, QDoubleSpinBox], ...]:
        return (self.low, self.low_value), (self.high, self.high_value)

    def _row(self, name: str) -> tuple[QSlider, QDoubleSpinBox]:
        slider, value = QSlider(Qt.Orientation.Horizontal, self), QDoubleSpinBox(self)
        slider.setRange(0, _WINDOW_STEPS)
        slider.setMinimumWidth(160)
        for widget in (slider, value):
            widget.setAccessibleName(name)
        value.setKeyboardTracking(False)
        return slider, value

    def _at(self, step: int) -> float:
        return self._range.low + (self._range.high - self._range.low) * step / _WINDOW_STEPS

    def _show(self, window: DisplayWindow) -> None:
        width = max(self._range.high - self._range.low, 1e-12)
        for (slider, value), number in zip(self._rows, (window.low, window.high), strict=True):
            with QSignalBlocker(slider), QSignalBlocker(value):
                slider.setValue(round((number - self._range.low) / width * _WINDOW_STEPS))
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


_STEPS = 100
_GAMMA_RANGE = 4.0
"""Factor at the ends of the slider: a quarter and four times."""


class DisplayDialog(QDialog):
    """The settings apply while the dialog is open."""

    adjusted = Signal(object)
    """DisplayAdjust"""

    def __init__(self, adjust: DisplayAdjust, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Brightness, contrast and range")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._windows = dict(adjust.windows)
        self.window_sliders = WindowSliders(self)
        self.window_sliders.hide()
        self.brightness = self._slider("Brightness")
        self.contrast = self._slider("Contrast")
        self.gamma = self._slider("Gamma")
        form = QFormLayout()
        for slider in self._sliders:
            form.addRow(slider.accessibleName(), slider)
        metrics = self.fontMetrics()
        self.window_sliders.set_label_width(max(metrics.horizontalAdvance(s.accessibleName()) for s in self._sliders))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Reset | QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        buttons.button(QDialogButtonBox.StandardButton.Reset).clicked.connect(self.reset)
        layout = QVBoxLayout(self)
        layout.addWidget(self.window_sliders)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self._show(adjust)
        for slider in self._sliders:
            slider.valueChanged.connect(self._on_moved)
        self.window_sliders.chosen.connect(self._on_window)

    @property
    def adjust(self) -> DisplayAdjust:
        """The settings of the sliders."""
        return DisplayAdjust(
            self.brightness.value() / _STEPS,
            self.contrast.value() / _STEPS,
            _GAMMA_RANGE ** (self.gamma.value() / _STEPS),
            dict(self._windows),
        )

    def show_image(self, deep: DeepImage | None) -> None:
        """Another image is on the canvas; one of more than 8 bits also has a display window."""
        self.window_sliders.show_image(deep, self._windows.get(deep.kind) if deep is not None else None)
        self.adjustSize()

    def reset(self) -> None:
        """Show the image as it is in the file."""
        self.window_sliders.automatic.setChecked(True)
        for slider in self._sliders:
            slider.setValue(0)

    @property
    def _sliders(self) -> tuple[QSlider, ...]:
        return self.brightness, self.contrast, self.gamma

    def _slider(self, name: str) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal, self)
        slider.setRange(-_STEPS, _STEPS)
        slider.setMinimumWidth(240)
        slider.setAccessibleName(name)
        return slider

    def _show(self, adjust: DisplayAdjust) -> None:
        self.brightness.setValue(round(adjust.brightness * _STEPS))
        self.contrast.setValue(round(adjust.contrast * _STEPS))
        self.gamma.setValue(round(log(adjust.gamma, _GAMMA_RANGE) * _STEPS))

    def _on_window(self, kind: str, window: DisplayWindow | None) -> None:
        self._windows.pop(kind, None)
        if window is not None:
            self._windows[kind] = window
        self._on_moved()

    def _on_moved(self) -> None:
        self.adjusted.emit(self.adjust)
