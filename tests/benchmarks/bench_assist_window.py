"""How late the window's timers are while the assistant works, and what embeddings of a hundred images cost in memory.

    python tests/benchmarks/bench_assist_window.py [--images 100]

Images are generated. Latency: the bundled network, a click every 200 ms, then all proposals refined, then the like
looked for; then an encoder of MobileSAM's size with random weights is loaded and embeds image after image. Memory: a
stand-in encoder that keeps as much of an image as SAM does (256 x 64 x 64 numbers); the window goes through the images
one after the other with Point taken, as a user would.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
for part in ("core", "gui", "resources", "tests", "tests/benchmarks"):
    sys.path.insert(0, str(ROOT / part))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does

import cv2  # noqa: E402 - after the paths
import numpy as np  # noqa: E402

TICK_MS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name}
        folder = _written(Path(name) / "images", arguments.images)
        _measured(folder, Path(name) / "window.ini")


def _written(folder: Path, count: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        image = cv2.resize(random.integers(40, 90, (30, 40, 3), np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
        for x, y in random.integers(60, 420, (8, 2)).tolist():
            cv2.circle(image, (x, y), 24, (150, 190, 210), -1)
        cv2.imwrite(str(folder / f"{index:04d}.jpg"), image)
    return folder


def _measured(folder: Path, settings: Path) -> None:
    from PySide6.QtCore import QSettings
    from PySide6.QtTest import QTest
    from sam_shapes import SHAPES, written

    from maskwright_gui.app import Workbench, make_application, spare_collector

    application = make_application([])
    bench = Workbench(QSettings(str(settings), QSettings.Format.IniFormat))
    bench.window.resize(1280, 800)
    bench.window.show()
    spare_collector(bench)
    bench.projects.open_path(folder)
    _until(lambda: bench.session.image is not None)
    bench.classes.add("disc")
    timer = Lateness(bench.window)
    print(f"{'lateness of a 5 ms timer, ms':32} {'ticks':>6} {'p50':>6} {'p95':>6} {'p99':>6} {'max':>6}")
    timer.row("idle", lambda: QTest.qWait(2000))
    bench.tools.use("point")
    QTest.qWait(4000)
    timer.row("a click every 200 ms", lambda: _clicking(bench))
    _propose(bench)
    bench.refine.refine_image()
    timer.row("refining", lambda: _until(lambda: not bench.refine.is_working))
    bench.alike.find()
    timer.row("looking for the like", lambda: _until(lambda: not bench.alike.is_working))
    bench.alike.close()
    network = written(settings.parent / "sam", SHAPES["MobileSAM"]) / "encoder.xml"
    timer.row("embedding images", lambda: _embedding(bench, network))
    _memory(bench)
    bench.stop()
    application.quit()


class Lateness:
    """Of a timer in the GUI thread."""

    def __init__(self, window: Any) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._late: list[float] = []
        self._last = time.perf_counter()
        timer = QTimer(window, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(self._tick)
        timer.start()

    def row(self, title: str, during: Callable[[], object]) -> None:
        from PySide6.QtTest import QTest

        QTest.qWait(50)  # a tick that what came before made late is not of this row
        self._late.clear()
        during()
        p50, p95, p99 = np.percentile(self._late, [50, 95, 99])
        print(f"{title:32} {len(self._late):6} {p50:6.1f} {p95:6.1f} {p99:6.1f} {max(self._late):6.1f}", flush=True)

    def _tick(self) -> None:
        now = time.perf_counter()
        self._late.append(max((now - self._last) * 1000 - TICK_MS, 0.0))
        self._last = now


def _clicking(bench: Any) -> None:
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    canvas = bench.window.canvas
    for x in range(30):
        place = QPoint(*map(round, canvas.navigator.viewport.to_screen(100 + 12 * x, 240)))
        QTest.mouseMove(canvas, place)
        QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
        QTest.qWait(200)
    canvas.tool.cancel()


def _propose(bench: Any) -> None:
    from maskwright.document.change import Change
    from maskwright.document.values import Instance, InstanceState
    from project_builders import square

    category = bench.session.classes.listed[0].id
    made = [
        Instance(bench.session.new_instance_id(), category, (square(80 + 60 * k, 60 + 30 * k, 48),), state, 0.8)
        for k, state in enumerate([InstanceState.PROPOSED] * 6 + [InstanceState.DRAWN])
    ]
    bench.session.edit(Change.create(made), "Propose")


def _embedding(bench: Any, network: Path) -> None:
    """Four images, one after the other."""
    bench.point.choose(str(network))
    _until(lambda: not bench.point.is_working)
    for record in list(bench.session.project.stored.images.all())[1:5]:
        bench.session.show_image(record.id)
        _until(lambda: bench.point.thread_.is_busy, 5)
        _until(lambda: not bench.point.thread_.is_busy)


def _memory(bench: Any) -> None:
    from PySide6.QtTest import QTest

    from fake_assistant import FakeBackend
    from maskwright.assist.protocol import WindowFeatures
    from maskwright.assist.view import BackendAssistant
    from maskwright_gui.features.point import assistants

    class Encoder(FakeBackend):
        def prepare(self, image_bgr: Any, window: Any, cancel: Any) -> WindowFeatures:
            self.prepared.append(window)
            return WindowFeatures(
                window, {"embedding": np.random.default_rng(0).normal(size=(256, 64, 64)).astype("f4")}
            )

    backend = Encoder()
    assistant = BackendAssistant(backend)
    assistants.loaded = lambda _name: assistant
    bench.point.choose("stand-in")
    _until(lambda: not bench.point.is_working)
    before = _rss()
    for record in list(bench.session.project.stored.images.all()):
        count = len(backend.prepared)
        bench.session.show_image(record.id)
        _until(lambda count=count: len(backend.prepared) > count, 3)
    QTest.qWait(500)
    kept, stored = assistant.cache.used_bytes / 2**20, assistant.cache.store.used_bytes / 2**20
    print(f"\n{len(backend.prepared)} embeddings: memory {before:.0f} -> {_rss():.0f} MiB, of it the cache {kept:.0f};")
    print(f"on disk {stored:.0f} MiB")


def _rss() -> float:
    """MiB now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _until(is_true: Callable[[], bool], longest_s: float = 240) -> None:
    from PySide6.QtTest import QTest

    end = time.monotonic() + longest_s
    while not is_true() and time.monotonic() < end:
        QTest.qWait(2)


if __name__ == "__main__":
    main()
