"""The step to the next image in the whole window: real key presses in a project of 2,000 images.

    PYTHONPATH=core:gui:resources:tests python tests/benchmarks/bench_next_image.py [--steps 100] [--images 2000]

Images of 1280 x 960 with 10 objects each, the next one prefetched. First the CPU time of the GUI thread from the key
press until the canvas has painted the new image with its objects and labels; then what the GUI thread does in the turns
of the event loop that follow; then the whole process. The goal is for the frame.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from canvas_scene import scene
from PySide6.QtCore import QEvent, QEventLoop, QObject, QSettings, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from maskwright.document.change import Change
from maskwright.document.values import Instance
from maskwright.project import Project, ScannedImage
from maskwright_gui.app import Workbench, make_application
from maskwright_gui.canvas.layer import pool

WH = (1280, 960)
GOAL_MS = 5.0
PAUSE_MS = 400
"""Between two steps: the neighbours are decoded and what was left for later is done."""


def make_project(folder: Path, count: int) -> Path:
    """`count` images, eight different pictures under as many names as are needed, ten accepted objects on each."""
    pictures = folder / "images"
    pictures.mkdir()
    random = np.random.default_rng(0)
    for number in range(8):
        coarse = random.integers(0, 255, (WH[1] // 16, WH[0] // 16, 3), np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), cv2.resize(coarse, WH, interpolation=cv2.INTER_CUBIC))
    names = [f"{number:05d}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        os.link(folder / f"{number % 8}.jpg", pictures / name)
    with Project.create(folder / "big.maskwright", image_root=pictures) as project:
        project.images.add(ScannedImage(name, *WH) for name in names)
        classes = list(project.ensure_categories((k, f"class {k}") for k in range(1, 9)).values())
        found = [list(scene(10, 40, WH)), list(scene(9, 40, WH))]
        for image_id in project.images.ids().tolist():
            objects = found[image_id % 2]
            ids = project.instances.reserve_ids(len(objects))
            new = [
                Instance(id_, classes[one.category_id - 1], one.polygons, one.state, score=one.score)
                for id_, one in zip(ids, objects, strict=True)
            ]
            project.instances.apply(image_id, Change.create(new), label="Draw")
    return folder / "big.maskwright"


class PaintWatch(QObject):
    """When the canvas was painted last."""

    def __init__(self, widget: QObject) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.count += 1
        return False


def gui_ms(work: Callable[[], object]) -> float:
    begin = time.thread_time()
    work()
    return (time.thread_time() - begin) * 1e3


def await_neighbour(bench: Workbench) -> None:
    """Until the next image is decoded: on a busy machine that may take a while."""
    for _ in range(100):
        following = bench.images._pixels._neighbours()[:1]
        if following and bench.loader.prefetched_image(following[0]) is not None:
            rest(100)  # until it is drawn ahead
            pool.submit(int).result()
            return
        rest(100)


def rest(ms: int) -> None:
    """As the program's own event loop does; `QTest.qWait` would keep the interpreter lock from the threads."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def step(bench: Workbench, watch: PaintWatch, key: Qt.Key) -> tuple[float, float, float]:
    """(frame, after, whole process), milliseconds of CPU."""
    await_neighbour(bench)
    whole = time.process_time()
    shown, painted = bench.session.image, watch.count

    def until_painted() -> None:
        QTest.keyClick(bench.window.canvas, key)
        while watch.count == painted:
            QApplication.processEvents()

    frame = gui_ms(until_painted)
    assert bench.session.image is not shown, "the key has to have shown another image"
    assert bench.images.on_screen == bench.session.image.id, "the pixels were to be there already"
    after = gui_ms(lambda: rest(PAUSE_MS))
    return frame, after, (time.process_time() - whole) * 1e3


def report(rows: np.ndarray) -> None:
    """`rows`: (N, 3) as `step` gives them."""
    print(f"{'CPU ms per step':<44}{'median':>8}{'p95':>8}{'max':>8}")
    names = (
        "next image: key press to painted frame",
        "  lists and counts, in later turns",
        "  the whole process, decoding ahead included",
    )
    for name, column in zip(names, rows.T, strict=True):
        verdict = (
            f"  goal {GOAL_MS:.1f} {'ok' if np.quantile(column, 0.95) <= GOAL_MS else 'OVER'}"
            if name == names[0]
            else ""
        )
        print(f"{name:<44}{np.median(column):8.2f}{np.quantile(column, 0.95):8.2f}{column.max():8.2f}{verdict}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--images", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name}
        project = make_project(Path(name), arguments.images)
        application = make_application([])
        bench = Workbench(QSettings(str(Path(name) / "window.ini"), QSettings.Format.IniFormat))
        bench.window.resize(1600, 1000)
        bench.window.show()
        bench.projects.open_path(project)
        rest(3000)
        bench.window.canvas.setFocus()
        watch = PaintWatch(bench.window.canvas)
        for _ in range(5):
            step(bench, watch, Qt.Key.Key_D)
        rows = np.array([step(bench, watch, Qt.Key.Key_D) for _ in range(arguments.steps)])
        report(rows)
        bench.stop()
        application.quit()


if __name__ == "__main__":
    main()
