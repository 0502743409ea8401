"""Small makers for widgets that every panel needs."""

from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, *, tip: str = "") -> W:
    """The widget with the name that a screen reader says, and its tooltip."""
    widget.setAccessibleName(name)
    if tip:
        widget.setToolTip(tip)
    return widget


def muted_label(text: str, parent: QWidget, *, is_centred: bool = False, wraps: bool = True) -> QLabel:
    """Text of the second rank."""
    label = QLabel(text, parent)
    label.setProperty("muted", True)
    label.setWordWrap(wraps)
    if is_centred:
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label
