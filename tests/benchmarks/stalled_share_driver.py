"""One situation of `stalled_share.py`: the window, hands that draw, a folder that hangs. Not for use by itself."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, QSettings, Qt, QTimer

import tiny_models
from maskwright.document import edits
from maskwright.formats.coco import CocoExportOptions
from maskwright.geometry.polygon import Polygon
from maskwright.inference.model import load_model
from maskwright.operations.exporting import ExportRequest
from maskwright_gui.app import Workbench, make_application
from maskwright_gui.dialogs.unsaved import UnsavedDialog

TRIANGLE = Polygon.of([(5, 5), (25, 5), (5, 25)])
SITUATION, SHARE, FLAG, SECONDS = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
TICK_MS = 5
LONG_S = 60.0


class Ticks(QObject):
    """How late a timer of the GUI thread is."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps_ms: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps_ms.append(1000 * (now - self._last))
        self._last = now


class Hands:
    def __init__(self, bench: Workbench, ticks: Ticks) -> None:
        self.bench, self.ticks = bench, ticks
        self.said: dict[str, object] = {"noticed_s": None, "expect_stored": None, "expect_rescued": 0, "problem": ""}

    def wait(self, is_so: Callable[[], bool], limit_s: float = LONG_S) -> bool:
        until = time.monotonic() + limit_s
        while not is_so() and time.monotonic() < until:
            loop = QEventLoop()
            QTimer.singleShot(10, loop.quit)
            loop.exec()
        return is_so()

    def expect(self, is_so: Callable[[], bool], problem: str, limit_s: float = LONG_S) -> None:
        if not self.wait(is_so, limit_s):
            self.said["problem"] = f"{self.said['problem']} {problem}".strip()

    def open(self) -> None:
        complete: list[bool] = []
        self.bench.projects.images_added.connect(lambda: complete.append(True))
        self.bench.projects.open_path(SHARE)
        self.expect(lambda: bool(complete) and self.bench.images.on_screen is not None, "not opened")

    def draw(self, count: int = 1) -> None:
        for _ in range(count):
            id_ = self.bench.session.new_instance_id()
            change = edits.create(id_, self.bench.session.classes.current_id, [TRIANGLE])
            self.bench.session.edit(change, "Draw")
            self.wait(lambda: False, 0.05)

    def begin(self) -> None:
        """An open project with a class, one object saved and the neighbours read."""
        self.open()
        self.bench.classes.add("thing")
        self.draw()
        self.expect(lambda: not self.bench.session.unsaved.count, "not saved")
        self.wait(lambda: False, 0.5)

    def hang(self, how: str = "") -> None:
        self.ticks.gaps_ms.clear()
        FLAG.write_text(how, encoding="utf-8")
        self.since = time.monotonic()

    def await_notice(self, text: str) -> None:
        self.expect(lambda: text in self.shown(), f"not told: {text!r}", 10.0)
        self.said["noticed_s"] = round(time.monotonic() - self.since, 2)
        self.said["said"] = self.bench.window.header.warning or self.shown()[:60]

    def shown(self) -> str:
        told = (f"{one.text} {one.detail}" for one in self.bench.window.toasts.messages)
        return " | ".join((self.bench.window.header.warning, *told))

    def answer(self) -> None:
        self.wait(lambda: False, max(0.0, SECONDS - (time.monotonic() - self.since)))
        self.measure()
        FLAG.unlink()

    def measure(self) -> None:
        self.said["standstill_ms"] = round(max(self.ticks.gaps_ms, default=0.0))
        self.said["median_ms"] = round(float(np.median(self.ticks.gaps_ms)), 1)

    def finish(self) -> None:
        self.expect(lambda: not self.bench.session.unsaved.count, "edits are not saved")
        self.expect(lambda: not self.bench.window.header.warning, "the notice stays")
        print(json.dumps(self.said), flush=True)


def edit(hands: Hands) -> None:
    hands.begin()
    hands.hang()
    hands.draw(3)
    hands.await_notice("3 edits are not saved")
    hands.bench.session.history.undo()
    hands.expect(lambda: "4 edits are not saved" in hands.shown(), "undo is not counted", 3.0)
    hands.answer()
    hands.said |= {"expect_stored": 3}


def images(hands: Hands) -> None:
    """To the next images, as far as that goes, and back."""
    hands.begin()
    hands.hang()
    for _ in range(5):
        hands.bench.images.next_image()
        hands.wait(lambda: False, 0.2)
    hands.await_notice("does not answer")
    for _ in range(5):
        hands.bench.images.previous_image()
    hands.draw(2)
    hands.answer()
    hands.said |= {"expect_stored": 3}


def opening(hands: Hands) -> None:
    hands.hang()
    hands.bench.projects.open_path(SHARE)
    hands.await_notice("The folder does not answer")
    hands.answer()
    hands.expect(lambda: hands.bench.images.on_screen is not None, "not opened")


def backup(hands: Hands) -> None:
    """While the folder is looked through and the daily copy is made."""
    hands.bench.projects.opened.connect(hands.hang)
    hands.bench.projects.open_path(SHARE)
    hands.expect(lambda: FLAG.exists(), "not opened")
    hands.await_notice("does not answer")
    hands.answer()


def batch(hands: Hands) -> None:
    hands.begin()
    hands.bench.batch.run()
    hands.expect(lambda: hands.bench.batch.progress.done >= 2, "the batch does not begin")
    hands.hang()
    hands.draw(1)
    hands.await_notice("1 edit is not saved")
    hands.answer()
    hands.expect(lambda: hands.bench.batch.progress.done == 12, "the batch does not end")


def export(hands: Hands) -> None:
    hands.begin()
    outcomes: list[object] = []
    hands.bench.exchange.exported.connect(outcomes.append)
    hands.hang()
    hands.bench.exchange.export(ExportRequest(SHARE / "coco.json", CocoExportOptions()))
    hands.await_notice("does not answer")
    hands.answer()
    hands.expect(lambda: bool(outcomes) and (SHARE / "coco.json").exists(), "not exported")


def failing(how: str, text: str) -> Callable[[Hands], None]:
    def situation(hands: Hands) -> None:
        hands.begin()
        hands.hang(how)
        hands.draw(2)
        hands.await_notice("2 edits are not saved")
        hands.expect(lambda: text in hands.shown(), f"the reason is not told: {text}", 3.0)
        hands.answer()
        hands.said |= {"expect_stored": 3}

    return situation


def close(hands: Hands) -> None:
    hands.begin()
    hands.hang()
    hands.draw(3)
    hands.await_notice("3 edits are not saved")

    def press() -> None:
        for dialog in hands.bench.window.findChildren(UnsavedDialog):
            dialog._keep.click()

    QTimer.singleShot(500, press)
    hands.bench.window.close()
    hands.measure()
    hands.said |= {"standstill_ms": 0, "expect_stored": 1, "expect_rescued": 3}
    hands.said["problem"] = "" if not hands.bench.window.isVisible() else "still open"
    print(json.dumps(hands.said), flush=True)
    FLAG.unlink()  # what is under way may still arrive, and does no harm then: one or two stored
    os._exit(0)


def kill(hands: Hands) -> None:
    hands.begin()
    hands.hang()
    hands.draw(3)
    hands.await_notice("3 edits are not saved")
    hands.expect(lambda: hands.bench.watch.state.kept == 3, "no rescue copy", 5.0)
    hands.measure()
    hands.said |= {"expect_stored": 1, "expect_rescued": 3}
    print(json.dumps(hands.said), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


SITUATIONS: dict[str, Callable[[Hands], None]] = {
    "edits": edit,
    "images": images,
    "open": opening,
    "backup": backup,
    "batch": batch,
    "export": export,
    "full": failing("ENOSPC", "the disk is full"),
    "error": failing("EIO", "not saved"),
    "stale": failing("ESTALE", "not saved"),
    "close": close,
    "kill": kill,
}


def main() -> None:
    make_application(sys.argv[:1])
    home = Path(os.environ["HOME"])
    model = load_model(tiny_models.yolact(home / "tiny.xml"), num_threads=1)
    settings = QSettings(str(home / "window.ini"), QSettings.Format.IniFormat)
    bench = Workbench(settings, load=lambda _choice: model)
    bench.window.show()
    hands = Hands(bench, Ticks())
    SITUATIONS[SITUATION](hands)
    hands.finish()
    bench.stop()
    os._exit(0)


if __name__ == "__main__":
    main()
