"""The bar over the canvas with the active tool's slider: brush size, or detail."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from maskwright_gui.panels.threshold_slider import JumpSlider
from maskwright_gui.panels.widgets import muted_label, named

_STEPS = 200
_MARGIN_PX = 8
_OWN_KEYS = frozenset({Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown})


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic scale: each step of the slider is the same factor."""

    left: float
    right: float

    def step_of(self, value: float) -> int:
        """The slider's step nearest to a value."""
        share = math.log(max(value, 1e-9) / self.left) / math.log(self.right / self.left)
        return round(min(max(share, 0.0), 1.0) * _STEPS)

    def value_at(self, step: int) -> float:
        """The value of a step."""
        return float(self.left * (self.right / self.left) ** (step / _STEPS))


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """What the bar shows."""

    title: str
    scale: Scale
    value: float
    text: str
    """The value as text, and what it does."""
    room: str
    """The longest usual `text`: the slider must not move while it is dragged."""
    tip: str
    has_something_to_choose: bool = True
    can_apply: bool | None = None
    """None: the tool has nothing to apply."""


class ToolOptionsBar(QFrame):
    """Floats in the upper left corner of the canvas, which gets the keys that its controls do not use."""

    moved = Signal(float)
    apply_requested = Signal()

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._choice: ToolChoice | None = None
        self.setObjectName("toolOptions")
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)  # clicks beside controls are not for the canvas
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._title = muted_label("", self, wraps=False)
        self._slider = named(JumpSlider(Qt.Orientation.Horizontal, self), "Size")
        self._slider.setRange(0, _STEPS)
        self._slider.setPageStep(_STEPS // 10)
        self._slider.setMinimumWidth(120)
        self._slider.setMaximumWidth(220)
        self._slider.valueChanged.connect(self._on_step)
        self._text = QLabel(self)
        self._apply = named(QPushButton("Apply", self), "Apply", tip="Apply the change (Enter)")
        self._apply.clicked.connect(self.apply_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.setSpacing(8)
        row.addWidget(self._title)
        row.addWidget(self._slider, 1)
        row.addWidget(self._text)
        row.addWidget(self._apply)
        host.installEventFilter(self)
        self.hide()

    @property
    def slider(self) -> JumpSlider:
        """The slider shown."""
        return self._slider

    @property
    def text(self) -> str:
        """The text beside the slider."""
        return self._text.text()

    def show_choice(self, choice: ToolChoice | None) -> None:
        """Show a tool's slider; None: it has none."""
        if choice == self._choice:
            return
        self._choice = choice
        if choice is None:
            self._give_back_focus()
            self.hide()
            return
        self._title.setText(choice.title)
        named(self._slider, choice.title, tip=choice.tip)
        self._slider.setAccessibleDescription(choice.text)
        self._slider.setEnabled(choice.has_something_to_choose)
        with QSignalBlocker(self._slider):
            if choice.scale.value_at(self._slider.value()) != choice.value:
                self._slider.setValue(choice.scale.step_of(choice.value))
        self._text.setText(choice.text)
        self._text.setMinimumWidth(self._text.fontMetrics().horizontalAdvance(choice.room))
        self._apply.setVisible(choice.can_apply is not None)
        self._apply.setEnabled(bool(choice.can_apply))
        self.show()
        self._place()

    def _on_step(self, step: int) -> None:
        if self._choice is not None:
            self.moved.emit(self._choice.scale.value_at(step))

    def _place(self) -> None:
        """Place the bar in the corner, where it hides least, and make it narrower if the canvas is."""
        width = min(self.sizeHint().width(), self._host.width() - 2 * _MARGIN_PX)
        self.setGeometry(_MARGIN_PX, _MARGIN_PX, width, self.sizeHint().height())

    def _give_back_focus(self) -> None:
        focused = self.window().focusWidget()
        if focused is not None and self.isAncestorOf(focused):
            self._host.setFocus(Qt.FocusReason.OtherFocusReason)

    # Qt

    def event(self, event: QEvent) -> bool:
        # elsewhere these keys mean the next object and the next image; here the next control and a large step
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() in _OWN_KEYS:
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self._choice is not None:
            self._place()
        return super().eventFilter(watched, event)
