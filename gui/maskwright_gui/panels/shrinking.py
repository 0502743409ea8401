"""What lets the window become small: a panel that scrolls where it cannot shrink."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QToolBar, QWidget

_LEAST = QSize(160, 48)


class Shrinking(QScrollArea):
    """Shows the panel as it is while there is room, and scrolls it in the direction where there is not."""

    def __init__(self, panel: QWidget, *, is_strip: bool = False, is_capped: bool = False) -> None:
        """`is_strip`: as high as the panel, and only the width gives way. `is_capped`: never higher than the panel."""
        super().__init__(panel.parentWidget())
        if is_capped:
            self.setMaximumHeight(panel.sizeHint().height())
        self._panel, self._is_strip = panel, is_strip
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setWidget(panel)
        if is_strip:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            panel.installEventFilter(self)

    def sizeHint(self) -> QSize:
        return self._panel.sizeHint()

    def minimumSizeHint(self) -> QSize:
        if self._is_strip:
            return QSize(_LEAST.width(), self._strip_height())
        # the width that the vertical bar takes is not the panel's
        return QSize(self._panel.minimumWidth() + self.verticalScrollBar().sizeHint().width(), _LEAST.height())

    def _strip_height(self) -> int:
        least = self._panel.minimumSizeHint()
        bar = self.horizontalScrollBar().sizeHint().height() if self.width() < least.width() else 0
        return least.height() + bar

    def _fit_height(self) -> None:
        if self._is_strip and self.minimumHeight() != (height := self._strip_height()):
            self.setFixedHeight(height)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A row of the strip was folded."""
        if watched is self._panel and event.type() == QEvent.Type.LayoutRequest:
            self._fit_height()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()


class Strip(QToolBar):
    """A row of controls that is there only while it is needed, whatever a stored layout says."""

    def __init__(self, title: str, controls: QWidget, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._is_needed, self._is_wanted = True, True
        self.addWidget(Shrinking(controls, is_strip=True))

    @property
    def is_needed(self) -> bool:
        return self._is_needed

    def need(self, is_needed: bool) -> None:
        """Have it come, where nothing else keeps it away, or go."""
        if is_needed != self._is_needed:
            self._is_needed = is_needed
            self.setVisible(self._is_wanted)

    # Qt

    def setVisible(self, is_visible: bool) -> None:
        self._is_wanted = is_visible
        super().setVisible(is_visible and self._is_needed)
