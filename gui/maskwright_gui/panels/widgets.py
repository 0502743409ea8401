"""Small makers for widgets that every panel needs."""

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLabel, QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, *, tip: str = "") -> W:
    """The widget with the name that a screen reader says, and its tooltip."""
    widget.setAccessibleName(name)
    if tip:
        widget.setToolTip(tip)
    return widget


def leave_focus(*panels: QWidget) -> None:
    """Buttons, sliders and combo boxes take the focus from Tab, not from the mouse: after a click the keys of the
    canvas go on working, and Space does not press what was clicked last."""
    for panel in panels:
        for kind in (QAbstractButton, QAbstractSlider, QComboBox):
            for control in panel.findChildren(kind):
                if control.focusPolicy() & Qt.FocusPolicy.ClickFocus:
                    control.setFocusPolicy(Qt.FocusPolicy.TabFocus)


def muted_label(text: str, parent: QWidget, *, is_centred: bool = False, wraps: bool = True) -> QLabel:
    """Text of the second rank."""
    label = QLabel(text, parent)
    label.setProperty("muted", True)
    label.setWordWrap(wraps)
    if is_centred:
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
