"""Gathers many small notices into a few: a fast batch must not make the GUI thread ask the database per image."""

from PySide6.QtCore import QObject, QTimer, Signal

GATHER_MS = 200


class Gatherer(QObject):
    gathered = Signal(object)
    """frozenset of the ids noted since the last time."""

    def __init__(self, parent: QObject | None = None, *, gather_ms: int = GATHER_MS) -> None:
        super().__init__(parent)
        self._ids: set[int] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(gather_ms)
        self._timer.timeout.connect(self._tell)

    def note(self, image_id: int) -> None:
        self._ids.add(image_id)
        if not self._timer.isActive():
            self._timer.start()

    def _tell(self) -> None:
        ids, self._ids = frozenset(self._ids), set()
        self.gathered.emit(ids)
