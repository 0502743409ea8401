"""How the image is shown: display window, brightness, contrast and gamma; the files and the model never see it."""

from math import log

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QSlider, QVBoxLayout, QWidget

from maskwright.windowing import DisplayWindow
from maskwright_gui.canvas.adjust import DisplayAdjust
from maskwright_gui.canvas.deep import DeepImage
from maskwright_gui.dialogs.display_window import WindowSliders

_STEPS = 100
_GAMMA_RANGE = 4.0
"""The slider's ends: a quarter and four times."""


class DisplayDialog(QDialog):
    """Takes effect while it is open."""

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
        """As the sliders stand."""
        return DisplayAdjust(
            self.brightness.value() / _STEPS,
            self.contrast.value() / _STEPS,
            _GAMMA_RANGE ** (self.gamma.value() / _STEPS),
            dict(self._windows),
        )

    def show_image(self, deep: DeepImage | None) -> None:
        """Another image is on the canvas: one of more than 8 bits has a window to choose."""
        self.window_sliders.show_image(deep, self._windows.get(deep.kind) if deep is not None else None)
        self.adjustSize()

    def reset(self) -> None:
        """The image as it is in the file."""
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
