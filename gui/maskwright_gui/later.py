"""What need not be in the first frame after a step: lists and counts follow when the image has been painted."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

LATER_MS = 15


class Later(QObject):
    """Each piece of work is known by a name: put again before its time, it is done once."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._works: dict[str, Callable[[], None]] = {}
        self._timer = QTimer(self, singleShot=True, interval=LATER_MS)
        self._timer.timeout.connect(self.flush)

    def put(self, name: str, work: Callable[[], None]) -> None:
        """`work` asks for what it shows when it is done, so that it shows nothing of the moment it was put."""
        self._works[name] = work
        self._timer.start()

    def waits(self, name: str) -> bool:
        return name in self._works

    def flush(self) -> None:
        """Do all that waits, now."""
        self._timer.stop()
        works, self._works = self._works, {}
        for work in works.values():
            work()
