"""How late a 5 ms timer of the GUI thread fires while a batch runs, and how soon the window is painted.

    python tests/benchmarks/bench_gui_latency.py [--model FILE] [--images N]

Without a model file a small network is made; with the one that will be used in earnest the figure is an honest one.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for part in ("core", "gui", "resources", "tests"):
    sys.path.insert(0, str(ROOT / part))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does

TICK_MS = 5
START = """
import sys, time
from PySide6.QtCore import QSettings, QTimer
from maskwright_gui.app import Workbench, make_application
application = make_application([])
bench = Workbench(QSettings(sys.argv[1], QSettings.Format.IniFormat))
bench.window.show()
application.processEvents()
print("painted", time.process_time(), "openvino" in sys.modules, flush=True)
bench.stop()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--images", type=int, default=150)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name}
        print_starts(folder)
        print_lateness(folder, arguments.model, arguments.images)


def print_starts(folder: Path) -> None:
    path = os.pathsep.join(str(ROOT / part) for part in ("core", "gui", "resources"))
    print("start to painted window      wall s   CPU s   openvino imported")
    for run in range(5):
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", START, str(folder / "start.ini")],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline().split()
            wall = time.perf_counter() - started
            process.communicate()
        print(f"  run {run + 1}{' (cold)' if run == 0 else '':19} {wall:7.2f} {float(line[1]):7.2f}   {line[2]}")


def print_lateness(folder: Path, model: Path | None, count: int) -> None:
    import numpy as np
    from PySide6.QtCore import QEventLoop, QSettings, Qt, QTimer

    import tiny_models
    from maskwright_gui.app import Workbench, make_application, spare_collector
    from maskwright_gui.workers.requests import BatchState

    pictures = write_pictures(folder / "images", count)
    application = make_application([])
    bench = Workbench(QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat))
    bench.window.show()
    spare_collector(bench)
    loop = QEventLoop()
    bench.projects.images_added.connect(loop.quit)
    bench.projects.open_path(pictures)
    loop.exec()
    late: list[float] = []
    busy: list[float] = []
    last, last_cpu = time.perf_counter(), time.thread_time()

    def tick() -> None:
        nonlocal last, last_cpu
        now, now_cpu = time.perf_counter(), time.thread_time()
        late.append(max((now - last) * 1000 - TICK_MS, 0.0))
        busy.append((now_cpu - last_cpu) * 1000)
        last, last_cpu = now, now_cpu

    timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start()
    bench.model.choose(str(model or tiny_models.yolact(folder / "tiny.xml", size=550)))
    bench.inference.model_ready.connect(lambda _summary: QTimer.singleShot(2000, loop.quit))
    loop.exec()
    print("\nlateness of a 5 ms timer, ms   ticks    p50     p95     p99     max   own CPU p95     max")
    for title in ("idle, after loading", "during the batch"):
        late.clear()
        busy.clear()
        if title == "during the batch":
            bench.inference.batch.state_changed.connect(lambda state: loop.quit() if state is BatchState.IDLE else None)
            started, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
            bench.batch.run()
        else:
            QTimer.singleShot(3000, loop.quit)
        loop.exec()
        p50, p95, p99 = np.percentile(late, [50, 95, 99])
        own = f"{np.percentile(busy, 95):11.2f} {max(busy):7.2f}"
        print(f"  {title:28} {len(late):6} {p50:6.2f} {p95:7.2f} {p99:7.2f} {max(late):7.2f}   {own}")
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu
    print(f"  {count} images in {seconds:.1f} s ({count / seconds:.1f} images/s, CPU {used:.1f} s)")
    bench.stop()
    application.quit()


def write_pictures(folder: Path, count: int) -> Path:
    import cv2
    import numpy as np

    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        coarse = random.integers(0, 255, (15, 20, 3), np.uint8)
        cv2.imwrite(str(folder / f"{index:04d}.jpg"), cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC))
    return folder


if __name__ == "__main__":
    main()
