"""Shows which control the keyboard has reached: one ring for lists, sliders, combo boxes and buttons alike.

The style's own marks (a grey row, a darker handle) cannot be told from a control at rest in either theme.
"""

import shiboken6
from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QPushButton,
    QScrollArea,
    QTabBar,
    QWidget,
)

_KINDS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QScrollArea, QTabBar)
"""Text fields have a border in the accent colour, the canvas paints a ring of its own."""
_WIDTH_PX = 2.0
_RADIUS_PX = 4.0


class FocusRing(QObject):
    """Follows the focus of the application, except where a mouse button has brought it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._frame: _Frame | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._frame is not None and shiboken6.isValid(self._frame):  # it goes with the control that it lies on
            self._frame.hide()
            self._frame.deleteLater()
        is_by_keys = QApplication.mouseButtons() is Qt.MouseButton.NoButton
        self._frame = _Frame(now) if is_by_keys and isinstance(now, _KINDS) else None


class _Frame(QWidget):
    """Lies on a control, as large as that is, and lets everything through."""

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(control.size())
        control.installEventFilter(self)
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lines = [(QPalette.ColorRole.Accent, _WIDTH_PX / 2)]
        if isinstance(self.parent(), QPushButton):  # parts the ring from a button in the accent colour itself
            lines.insert(0, (QPalette.ColorRole.Window, 1.5 * _WIDTH_PX))
        for role, inset in lines:
            painter.setPen(QPen(self.palette().color(role), _WIDTH_PX))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), _RADIUS_PX, _RADIUS_PX)
