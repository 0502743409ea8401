"""The status bar: what the keys do now, where the pointer is, the zoom, and how far the background work is."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QStatusBar, QToolButton, QWidget

from maskwright_gui.keymap import WithKeys
from maskwright_gui.panels.hint_line import HintLine
from maskwright_gui.panels.readout import Readout, ReadoutButton
from maskwright_gui.panels.widgets import named
from maskwright_gui.workers.batch_status import BatchProgress, BatchState, progress_text


class StatusBar(QStatusBar):
    zoom_clicked = Signal()
    work_clicked = Signal()
    """A person clicked the progress text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._is_batch_shown = False
        self._hint = named(HintLine(self), "What the keys do in the active tool")
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
        self.addWidget(self._hint, 1)
        for widget in (self._pointer, self._zoom, self._bar, self._work):
            self.addPermanentWidget(widget)
        self.clear_work()

    @property
    def hint(self) -> str:
        return self._hint.whole_text

    def show_hint(self, text: str) -> None:
        self._hint.show_hint(text)

    def set_hint_visible(self, is_visible: bool) -> None:
        """Without an image the tools have nothing to say."""
        self._hint.setVisible(is_visible)

    def show_keys(self, with_keys: WithKeys) -> None:
        self._zoom.setToolTip(with_keys("Zoom: click for 100 % ({zoom_100})"))

    def show_pointer(self, text: str) -> None:
        self._pointer.show_text(text)

    def show_zoom(self, zoom: float) -> None:
        self._zoom.show_text(f"{zoom * 100:.0f} %")

    def show_batch(self, state: BatchState, progress: BatchProgress) -> None:
        self._is_batch_shown = state is not BatchState.IDLE
        if not self._is_batch_shown:
            self._show_newest_task()
            return
        self._show_work(f"Batch {progress_text(progress, state)}", progress.done, progress.total)

    def show_task(self, source: str, text: str, done: int, total: int | None) -> None:
        """What `source` is doing, nothing any more for an empty text; a running batch keeps the place.

        Of several at work the one that began last is shown.
        """
        if text:
            self._tasks[source] = text, done, total
        else:
            self._tasks.pop(source, None)
        if not self._is_batch_shown:
            self._show_newest_task()

    def _show_newest_task(self) -> None:
        if self._tasks:
            self._show_work(*next(reversed(self._tasks.values())))
        else:
            self.clear_work()

    def _show_work(self, text: str, done: int, total: int | None) -> None:
        """`total` None: busy, not known how far."""
        self._bar.setRange(0, total if total is not None else 0)
        self._bar.setValue(done)
        self._work.setText(text)
        self._bar.show()
        self._work.show()

    def clear_work(self) -> None:
        self._bar.hide()
        self._work.hide()
