"""Toasts: short messages at the lower edge of the window, with one or two buttons; never modal."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from maskwright.errors import MaskwrightError
from maskwright.words import shown_lines

Tone = Literal["info", "warning", "error"]
SHOWN_MS = {"info": 5000, "warning": 9000, "error": 0}
"""0: stays until it is closed."""
MAX_TOASTS = 4
UNDO_TEXT, NEXT_TEXT = "Undo", "Next image"
"""Buttons that apply to the current image; only the newest message with one is shown."""
_MOVES = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide)
WIDTH_PX = 420
MARGIN_PX = 16


@dataclass(frozen=True, slots=True)
class Message:
    """What happened, what to do about it, and a button that does it."""

    text: str
    detail: str = ""
    tone: Tone = "info"
    action_text: str = ""
    action: Callable[[], object] | None = None
    stays: bool = False
    """Whether it stays until closed, because its content can be read nowhere else."""
    other_text: str = ""
    other: Callable[[], object] | None = None
    """A second choice, shown before the first."""

    def replaces(self, earlier: "Message") -> bool:
        """Whether the earlier message can go once this one is shown.

        It says the same, gives the same advice with the same button (for another image, say), or offers an older Undo.
        """
        if self.action_text:
            advice = (self.detail, self.action_text)
            if UNDO_TEXT == self.action_text == earlier.action_text or advice == (earlier.detail, earlier.action_text):
                return True
        return (self.text, self.detail) == (earlier.text, earlier.detail)

    @classmethod
    def of_error(cls, what: str, error: MaskwrightError) -> "Message":
        """`what` failed; file, reason and hint come from the error."""
        return cls(what, str(error), "error")


class Toasts(QWidget):
    """Stacks messages over the lower right of `host`, newest lowest; the same text is not shown twice."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._shown: list[_Toast] = []
        self._kept_clear: list[QWidget] = []
        host.installEventFilter(self)
        self.hide()

    def keep_clear(self, widget: QWidget) -> None:
        """Place messages beside this widget, or above it if there is no room beside it."""
        self._kept_clear.append(widget)
        widget.installEventFilter(self)
        widget.destroyed.connect(lambda *_: self._kept_clear.remove(widget))

    def show_message(self, message: Message) -> None:
        """Show a message below those already shown; most close by themselves after a while."""
        for toast in [toast for toast in self._shown if message.replaces(toast.message)]:
            self._remove(toast)
        while len(self._shown) >= MAX_TOASTS:
            self._remove(self._shown[0])
        toast = _Toast(message, self)
        toast.on_close = lambda: self._remove(toast)
        self._shown.append(toast)
        self._layout.addWidget(toast)
        self.show()
        self.raise_()
        self._place()

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages shown, oldest first."""
        return tuple(toast.message for toast in self._shown)

    def clear(self) -> None:
        """Close all messages."""
        for toast in list(self._shown):
            self._remove(toast)

    def withdraw(self, *texts: str) -> None:
        """Close these messages, which no longer apply."""
        for toast in [toast for toast in self._shown if toast.message.text in texts]:
            self._remove(toast)

    def drop_of_image(self) -> None:
        """Another image is on screen: close messages whose buttons apply to the previous one."""
        for toast in [toast for toast in self._shown if toast.message.action_text in (UNDO_TEXT, NEXT_TEXT)]:
            self._remove(toast)

    def drop_of_project(self) -> None:
        """Another project is open: close messages that stay, since they are about the previous one."""
        for toast in [toast for toast in self._shown if toast.message.stays]:
            self._remove(toast)

    def _remove(self, toast: "_Toast") -> None:
        if toast not in self._shown:
            return
        self._shown.remove(toast)
        self._layout.removeWidget(toast)
        toast.hide()
        toast.deleteLater()
        self.setVisible(bool(self._shown))
        self._place()

    def _place(self) -> None:
        host = self._host
        width = min(WIDTH_PX, host.width() - 2 * MARGIN_PX)
        self.setFixedWidth(width)
        heights = [toast.heightForWidth(width) for toast in self._shown]
        self.setFixedHeight(sum(heights) + self._layout.spacing() * max(len(heights) - 1, 0))
        self.move(self._free_place(self.size()))

    def _free_place(self, size: QSize) -> QPoint:
        """The lower right, or the next place on its left or above it that covers nothing that is kept clear."""
        host, gap = self._host, MARGIN_PX
        x, y = host.width() - size.width() - gap, host.height() - size.height() - gap
        corners = [(other, other.mapTo(host, QPoint(0, 0))) for other in self._kept_clear if other.isVisible()]
        taken = [QRect(corner, other.size()).adjusted(1 - gap, 1 - gap, gap - 1, gap - 1) for other, corner in corners]
        lefts = [left for _, corner in corners if (left := corner.x() - size.width() - gap) >= gap]
        tops = sorted((max(corner.y() - size.height() - gap, 0) for _, corner in corners), reverse=True)
        places = [QPoint(left, top) for top in (y, *tops) for left in (x, *lefts)]
        free = (place for place in places if not any(QRect(place, size).intersects(each) for each in taken))
        return next(free, QPoint(x, max(y, 0)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVES and self._shown:
            self._place()
        return super().eventFilter(watched, event)


class _Toast(QFrame):
    def __init__(self, message: Message, parent: QWidget) -> None:
        super().__init__(parent)
        self.message = message
        self.on_close: Callable[[], None] = self.hide
        self.setObjectName("toast")
        self.setProperty("tone", message.tone)
        self.setAccessibleName(shown_lines(f"{message.text} {message.detail}".strip()))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(8)
        texts = self._texts()
        row.addLayout(texts, 1)
        buttons = self._buttons()
        if len(buttons) == 1:
            row.addWidget(buttons[0], 0, Qt.AlignmentFlag.AlignVCenter)
        elif buttons:
            below = QHBoxLayout()
            below.setContentsMargins(0, 6, 0, 0)
            below.setSpacing(8)
            below.addStretch()
            for button in buttons:
                below.addWidget(button)
            texts.addLayout(below)
        close = QToolButton(self)
        close.setText("✕")
        close.setAccessibleName("Close message")
        close.setToolTip("Close")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(lambda: self.on_close())  # looked up when clicked: it is set after this
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        if (duration := SHOWN_MS[message.tone]) and not message.stays:
            QTimer.singleShot(duration, self, lambda: self.on_close())

    def _texts(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(QLabel(shown_lines(self.message.text), self, wordWrap=True))
        if self.message.detail:
            detail = QLabel(shown_lines(self.message.detail), self, wordWrap=True)
            detail.setProperty("muted", True)
            detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(detail)
        return column

    def _buttons(self) -> list[QPushButton]:
        buttons = []
        ways = ((self.message.other_text, self.message.other), (self.message.action_text, self.message.action))
        for text, action in ways:
            if action is not None:
                button = QPushButton(text, self)
                button.clicked.connect(partial(self._on_action, action))
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click must not take the focus from the canvas
                buttons.append(button)
        return buttons

    def _on_action(self, action: Callable[[], object]) -> None:
        action()
        self.on_close()
