"""Brightness, contrast and gamma of what is shown; the files and the model never see it."""

from math import log

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QSlider, QVBoxLayout, QWidget

from maskwright_gui.canvas.image_layer import DisplayAdjust

_STEPS = 100
_GAMMA_RANGE = 4.0
"""The slider's ends: a quarter and four times."""


class DisplayDialog(QDialog):
    """Takes effect while it is open."""

    adjusted = Signal(object)
    """DisplayAdjust"""

    def __init__(self, adjust: DisplayAdjust, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Brightness and contrast")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.brightness = self._slider("Brightness")
        self.contrast = self._slider("Contrast")
        self.gamma = self._slider("Gamma")
        form = QFormLayout()
        for slider in self._sliders:
            form.addRow(slider.accessibleName(), slider)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Reset | QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.close)
        buttons.button(QDialogButtonBox.StandardButton.Reset).clicked.connect(self.reset)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(buttons)
        self._show(adjust)
        for slider in self._sliders:
            slider.valueChanged.connect(self._on_moved)

    @property
    def adjust(self) -> DisplayAdjust:
        return DisplayAdjust(
            self.brightness.value() / _STEPS,
            self.contrast.value() / _STEPS,
            _GAMMA_RANGE ** (self.gamma.value() / _STEPS),
        )

    def reset(self) -> None:
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

    def _on_moved(self) -> None:
        self.adjusted.emit(self.adjust)
