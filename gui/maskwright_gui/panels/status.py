"""The status bar: what the keys do now, the pointer position, the zoom, and background progress."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QLabel,
    QProgressBar,
    QSizePolicy,
    QStatusBar,
    QStyleOptionToolButton,
    QToolButton,
    QWidget,
)

from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.widgets import named
from maskwright_gui.workers.requests import BatchProgress, BatchState, progress_text

_PAD_PX = 8


class Readout(QWidget):
    """One line of text in a place of fixed width."""

    def __init__(self, longest: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._longest, self._text = longest, ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    @property
    def text(self) -> str:
        return self._text

    def show_text(self, text: str) -> None:
        """Set the text; it is repainted only if it differs."""
        if text != self._text:
            self._text = text
            self.update()

    # Qt

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._longest) + _PAD_PX, metrics.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.end()


class ReadoutButton(QToolButton):
    """A button whose text changes without a new layout."""

    def __init__(self, longest: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setText(longest)
        self.setMinimumWidth(self.sizeHint().width())

    def show_text(self, text: str) -> None:
        """Set the text."""
        if text != self._shown:
            self._shown = text
            self.update()

    # Qt

    def initStyleOption(self, option: QStyleOptionToolButton) -> None:
        super().initStyleOption(option)
        option.text = self._shown


SEPARATOR = " · "
_LEFT_OUT = "…"
_INDENT_PX = 8


class HintLine(QLabel):
    """Shows a hint, leaving out whole parts that do not fit; the tooltip has all of it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("muted", True)
        self.setIndent(_INDENT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""

    @property
    def whole_text(self) -> str:
        """The whole hint, including parts that do not fit."""
        return self._whole

    def show_hint(self, text: str) -> None:
        """Show a hint as far as there is room."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleDescription(text)
        self._fit()

    def _fit(self) -> None:
        metrics, room = self.fontMetrics(), self.width() - 2 * _INDENT_PX
        text = fitting(self._whole, lambda text: metrics.horizontalAdvance(text) <= room)
        self.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())


def fitting(hint: str, fits: Callable[[str], bool]) -> str:
    """The hint with as many of its middle parts as fit: its beginning and its end matter most."""
    *parts, last = hint.split(SEPARATOR)
    text = hint
    while len(parts) > 1 and not fits(text):
        parts.pop()
        text = SEPARATOR.join([*parts, _LEFT_OUT, last])
    return text


class StatusBar(QStatusBar):
    """Hint, pointer, zoom, and what runs in the background."""

    zoom_clicked = Signal()
    work_clicked = Signal()
    """A user clicked the progress text."""
    stop_clicked = Signal(str)
    """The source of the task shown, which the user wants to stop."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._is_batch_shown = False
        self._hint = named(HintLine(self), "Keys of the active tool")
        self._pointer = named(Readout("12345, 12345  65535 65535 65535", self), "Pointer")
        zoom = ReadoutButton("10000 %", self)
        self._zoom = named(zoom, "Zoom")
        self._zoom.clicked.connect(self.zoom_clicked)
        self._tasks: dict[str, tuple[str, int, int | None]] = {}
        self._bar = named(QProgressBar(self), "Background work")
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(96)
        self._work = named(QToolButton(self), "Background work")
        self._work.clicked.connect(self.work_clicked)
        self._stoppable: set[str] = set()
        self._shown_source = ""
        self._stop = named(QToolButton(self), "Stop", tip="Stop; finished work is kept")
        self._stop.setText("Stop")
        self._stop.clicked.connect(lambda: self.stop_clicked.emit(self._shown_source))
        self.addWidget(self._hint, 1)
        for widget in (self._pointer, self._zoom, self._bar, self._work, self._stop):
            self.addPermanentWidget(widget)
        self.clear_work()

    @property
    def hint(self) -> str:
        """The whole hint."""
        return self._hint.whole_text

    def show_hint(self, text: str) -> None:
        """Show what the keys do in the tool."""
        self._hint.show_hint(text)

    def set_hint_visible(self, is_visible: bool) -> None:
        """Hide hint and zoom if there is no image."""
        self._hint.setVisible(is_visible)
        self._zoom.setVisible(is_visible)

    def show_keys(self, with_keys: WithKeys) -> None:
        """Show the current keys in the hint."""
        self._zoom.setToolTip(with_keys("Zoom: click for 100 % ({zoom_100})"))

    def show_pointer(self, text: str) -> None:
        """Show position and colour under the pointer."""
        self._pointer.show_text(text)

    def show_zoom(self, zoom: float) -> None:
        """Show the zoom in percent."""
        self._zoom.show_text(f"{zoom * 100:.0f} %")

    def show_batch(self, state: BatchState, progress: BatchProgress) -> None:
        """Show the progress of the batch, and the time left."""
        self._is_batch_shown = state is not BatchState.IDLE
        if not self._is_batch_shown:
            self._show_newest_task()
            return
        self._shown_source = ""
        self._show_work(f"Batch {progress_text(progress, state)}", progress.done, progress.total)

    def show_task(self, source: str, text: str, done: int, total: int | None) -> None:
        """Show what `source` is doing; an empty text ends it. A running batch keeps the place; of several tasks, the
        one that began last is shown.
        """
        if text:
            self._tasks[source] = text, done, total
        else:
            self._tasks.pop(source, None)
        if not self._is_batch_shown:
            self._show_newest_task()

    def set_stoppable(self, source: str, is_stoppable: bool) -> None:
        """Set whether the task of `source` can be stopped here."""
        change = self._stoppable.add if is_stoppable else self._stoppable.discard
        change(source)
        self._show_stop()

    def _show_stop(self) -> None:
        self._stop.setVisible(self._shown_source in self._stoppable)

    def _show_newest_task(self) -> None:
        if self._tasks:
            self._shown_source = next(reversed(self._tasks))
            self._show_work(*self._tasks[self._shown_source])
        else:
            self.clear_work()

    def _show_work(self, text: str, done: int, total: int | None) -> None:
        """total: None while it is unknown."""
        self._bar.setRange(0, total if total is not None else 0)
        self._bar.setValue(done)
        self._work.setText(text)
        self._bar.show()
        self._work.show()
        self._show_stop()

    def clear_work(self) -> None:
        """Show that nothing is running."""
        self._shown_source = ""
        self._bar.hide()
        self._work.hide()
        self._stop.hide()
