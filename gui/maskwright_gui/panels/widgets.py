"""Small helpers for widgets that every panel needs, and panels that scroll if there is not enough room."""

from typing import TypeVar

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QComboBox,
    QFrame,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolBar,
    QWidget,
)

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, *, tip: str = "") -> W:
    """The widget, with a name for screen readers and a tooltip."""
    widget.setAccessibleName(name)
    if tip:
        widget.setToolTip(tip)
    return widget


class AskingComboBox(QComboBox):
    """A combo box whose entries are requested when it is first opened."""

    first_opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._was_opened = False

    def showPopup(self) -> None:
        if not self._was_opened:
            self._was_opened = True
            self.first_opened.emit()
        super().showPopup()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """As Qt paints it, with an ellipsis where the text is too long; a style sheet only cuts it off."""
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        control, field = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, field, self).width()
        option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)
        painter.drawComplexControl(control, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class Inviting(QStackedWidget):
    """A list, or a text about what will appear in it; both take the same space, so that docks never jump."""

    def __init__(self, content: QWidget, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.label = muted_label(text, self, is_centred=True)
        self.label.setProperty("placeholder", True)
        self.label.setMinimumHeight(0)
        self.addWidget(self.label)
        self.addWidget(content)
        self.setMinimumHeight(72)

    def show_content(self, has_content: bool) -> None:
        """Show the list, or the text if the list is empty."""
        self.setCurrentIndex(int(has_content))

    def set_text(self, text: str) -> None:
        """Set the text for an empty list."""
        self.label.setText(text)


class EscapeLeaves(QObject):
    """Escape in the watched fields returns the focus to a widget; what was typed stays."""

    def __init__(self, home: QWidget) -> None:
        super().__init__(home)
        self._home = home

    def watch(self, *panels: QWidget) -> None:
        """Watch a field."""
        for panel in panels:
            for field in panel.findChildren(QLineEdit):
                field.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self._home.setFocus()
            return True
        return super().eventFilter(watched, event)


def leave_focus(*panels: QWidget) -> None:
    """Let buttons, sliders and combo boxes get the focus only by Tab.

    After a click the keys of the canvas then keep working, and Space does not press what was clicked last.
    """
    for panel in panels:
        for kind in (QAbstractButton, QAbstractSlider, QComboBox):
            for control in panel.findChildren(kind):
                if control.focusPolicy() & Qt.FocusPolicy.ClickFocus:
                    control.setFocusPolicy(Qt.FocusPolicy.TabFocus)


def muted_label(text: str, parent: QWidget, *, is_centred: bool = False, wraps: bool = True) -> QLabel:
    """A label for secondary text."""
    label = QLabel(text, parent)
    label.setProperty("muted", True)
    label.setWordWrap(wraps)
    if is_centred:
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return label


class ElidedLabel(QLabel):
    """A line of secondary text that makes nothing wider: what does not fit is elided, and the tooltip has all of it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("muted", True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Set the text, elided to the available width."""
        self.setToolTip(text)
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect().width()
        self.setText(self.fontMetrics().elidedText(self.toolTip(), Qt.TextElideMode.ElideRight, room))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())


_LEAST = QSize(160, 48)


class Shrinking(QScrollArea):
    """Shows a panel in full if there is room; otherwise scrolls it."""

    def __init__(self, panel: QWidget, *, is_strip: bool = False, is_capped: bool = False) -> None:
        """is_strip: always as high as the panel; only the width shrinks. is_capped: the height never shrinks either."""
        super().__init__(panel.parentWidget())
        self._panel, self._is_strip, self._is_capped = panel, is_strip, is_capped
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setWidget(panel)
        if is_strip:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        if is_strip or is_capped:
            panel.installEventFilter(self)

    def sizeHint(self) -> QSize:
        return self._panel.sizeHint()

    def minimumSizeHint(self) -> QSize:
        if self._is_strip:
            return QSize(_LEAST.width(), self._strip_height())
        # the width of the vertical scroll bar is not available to the panel
        width = self._panel.minimumWidth() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, self._fixed_height() if self._is_capped else _LEAST.height())

    def _fixed_height(self) -> int:
        return self._strip_height() if self._is_strip else self._panel.sizeHint().height()

    def _strip_height(self) -> int:
        least = self._panel.minimumSizeHint()
        bar = self.horizontalScrollBar().sizeHint().height() if self.width() < least.width() else 0
        return least.height() + bar

    def _fit_height(self) -> None:
        if (self._is_strip or self._is_capped) and self.minimumHeight() != (height := self._fixed_height()):
            self.setFixedHeight(height)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A row has been added, shown or hidden."""
        if watched is self._panel and event.type() == QEvent.Type.LayoutRequest:
            self._fit_height()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()


class Strip(QToolBar):
    """A row of controls that is visible only while it is needed, whatever a stored layout says."""

    def __init__(self, title: str, controls: QWidget, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._is_needed, self._is_wanted = True, True
        self.addWidget(Shrinking(controls, is_strip=True))

    @property
    def is_needed(self) -> bool:
        """Whether the row is needed now."""
        return self._is_needed

    def need(self, is_needed: bool) -> None:
        """Show the row, unless something else hides it, or hide it."""
        if is_needed != self._is_needed:
            self._is_needed = is_needed
            self.setVisible(self._is_wanted)

    # Qt

    def setVisible(self, is_visible: bool) -> None:
        self._is_wanted = is_visible
        super().setVisible(is_visible and self._is_needed)
