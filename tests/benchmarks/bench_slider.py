"""One step of each threshold slider in the window: from the event to the painted canvas, milliseconds.

    python tests/benchmarks/bench_slider.py MODEL IMAGE [--score 0.06]

Proposals from the model's cached candidates, about a hundred with a low score. CPU: of the whole process, which is the
latency on a machine with nothing else to do, since worker and window take turns. Target: 16 ms. A slider that is moved
without a rest shows what every step costs; with one, the next steps of mask threshold and detail are made meanwhile.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for part in ("core", "gui", "resources"):
    sys.path.insert(0, str(ROOT / part))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from PySide6.QtCore import QEvent, QEventLoop, QObject, QSettings, QTimer  # noqa: E402 - the environment comes first
from PySide6.QtWidgets import QCheckBox, QSlider  # noqa: E402

from maskwright.inference.thresholds import Thresholds  # noqa: E402
from maskwright_gui.app import Workbench, make_application, spare_collector  # noqa: E402
from maskwright_gui.panels.class_filter import ClassFilter  # noqa: E402

WINDOW_WH = (1600, 1000)
STEPS = 24
REST_MS = 60
SETTLE_MS = 200


@dataclass
class Times:
    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)
    painted: list[int] = field(default_factory=list)
    """Proposals on the canvas."""

    def row(self) -> str:
        cpu, wall = sorted(self.cpu_ms), sorted(self.wall_ms)
        high = round(0.95 * (len(cpu) - 1))
        return (
            f"{statistics.median(cpu):7.1f} {cpu[high]:7.1f} {statistics.median(wall):7.1f} {wall[high]:7.1f}"
            f"   {statistics.median(self.painted):.0f}"
        )


class Painted(QObject):
    """Ends a loop after the first paint of the canvas that follows an answer, or when an answer changes nothing."""

    def __init__(self, bench: Workbench, loop: QEventLoop, *, rests: bool = True) -> None:
        """rests: a user looks for REST_MS before the next step, else that follows the paint."""
        super().__init__()
        self._loop, self._is_armed, self._rests = loop, False, rests
        self._end = QTimer(self, singleShot=True, interval=REST_MS)
        self._end.timeout.connect(loop.quit)
        self.at = (0.0, 0.0)
        """Wall and CPU time."""
        bench.preview.ready.connect(self._on_ready)
        bench.window.canvas.installEventFilter(self)

    def _on_ready(self) -> None:
        self._is_armed = True
        self._stamp()
        self._end.start()

    def _stamp(self) -> None:
        self.at = time.perf_counter(), time.process_time()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._is_armed and event.type() == QEvent.Type.Paint:
            self._is_armed = False
            QTimer.singleShot(0, self._on_painted)  # after the paint itself
        return False

    def _on_painted(self) -> None:
        self._stamp()
        if not self._rests:
            self._end.stop()
            self._loop.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("image", type=Path)
    parser.add_argument("--score", type=float, default=0.06)
    parser.add_argument("--nms", type=float, default=0.8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name}
        images = Path(name) / "images"
        images.mkdir()
        shutil.copy(arguments.image, images)
        _application = make_application([])
        with window(Path(name), images, arguments.model) as bench:
            measure(bench, Thresholds(score=arguments.score, nms_iou=arguments.nms))


@contextmanager
def window(folder: Path, images: Path, model: Path) -> Iterator[Workbench]:
    """On the image, whose candidates are cached."""
    bench = Workbench(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
    bench.window.resize(*WINDOW_WH)
    bench.window.show()
    spare_collector(bench)
    wait(bench.projects.images_added, lambda: bench.projects.open_path(images))
    wait(bench.model.predicted, lambda: (bench.model.choose(str(model)), bench.model.run_on_image()))
    yield bench
    bench.stop()


def wait(signal: object, action: Callable[[], object]) -> None:
    loop = QEventLoop()
    signal.connect(loop.quit)  # type: ignore[attr-defined]
    action()
    loop.exec()


def measure(bench: Workbench, start: Thresholds) -> None:
    print(f"{'slider':28} {'CPU':>7} {'p95':>7} {'wall':>7} {'p95':>7}   proposals")
    plans = {
        "Score": [start.score + 0.01 * (k % 8) for k in range(STEPS)],
        "Overlap": [start.nms_iou - 0.01 * (k % 8) for k in range(STEPS)],
        "Mask, without a rest": [0.25 + 0.01 * k for k in range(STEPS)],
        "Mask": [0.51 + 0.01 * k for k in range(STEPS)],
        "Detail, without a rest": [0.97 - 0.01 * k for k in range(STEPS // 2)],
        "Detail, seen before": [0.97 - 0.01 * k for k in range(STEPS // 2)],
        "Detail": [0.97 - 0.01 * k for k in range(STEPS // 2)],
    }
    for title, values in plans.items():
        name = title.partition(", ")[0]
        if title == "Detail":  # at another mask threshold nothing of it has been seen
            start = replace(start, mask_threshold=0.49)
        keep(bench, start)
        slider = next(one for one in bench.thresholds.strip.findChildren(QSlider) if one.accessibleName() == name)
        slider.setSliderDown(True)
        times = Times()
        loop = QEventLoop()
        painted = Painted(bench, loop, rests="without" not in title)
        for value in values:
            if round(100 * value) != slider.value():
                step(slider, value, loop, painted, times)
                times.painted.append(len(bench.window.canvas.context.document))
        painted.deleteLater()
        slider.blockSignals(True)
        slider.setSliderDown(False)
        slider.blockSignals(False)
        print(f"{title:28} {times.row()}", flush=True)
    measure_switches(bench, start)


def keep(bench: Workbench, start: Thresholds) -> None:
    """As if the sliders had been let go there: what another slider starts from."""
    strip = bench.thresholds.strip
    strip.set_thresholds(start)
    wait(bench.preview.ready, lambda: strip.released.emit(start))
    loop = QEventLoop()
    QTimer.singleShot(SETTLE_MS, loop.quit)
    loop.exec()


def measure_switches(bench: Workbench, start: Thresholds) -> None:
    """What has no steps between is stored at once, and timed until it is seen."""
    strip = bench.thresholds.strip
    agnostic = next(box for box in strip.findChildren(QCheckBox) if "across" in box.accessibleName())
    classes = strip.findChildren(ClassFilter)[0]
    ids = [category.id for category in bench.session.classes.listed[:2]]
    for name, switch in {
        "Across classes": lambda k: agnostic.setChecked(k % 2 == 0),
        "Class filter": lambda k: classes.changed.emit(tuple(ids[: k % 3])),
    }.items():
        strip.set_thresholds(start)
        times, loop = Times(), QEventLoop()
        painted = Painted(bench, loop)
        for k in range(STEPS):
            timed(lambda k=k, switch=switch: switch(k), loop, painted, times)  # type: ignore[misc]
            times.painted.append(len(bench.window.canvas.context.document))
        painted.deleteLater()
        print(f"{name:28} {times.row()}", flush=True)


def step(slider: QSlider, value: float, loop: QEventLoop, painted: Painted, times: Times) -> None:
    timed(lambda: slider.setValue(round(100 * value)), loop, painted, times)


def timed(action: Callable[[], object], loop: QEventLoop, painted: Painted, times: Times) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    loop.exec()
    times.wall_ms.append(1e3 * (painted.at[0] - wall))
    times.cpu_ms.append(1e3 * (painted.at[1] - cpu))


if __name__ == "__main__":
    main()
