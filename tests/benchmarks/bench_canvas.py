"""How the canvas feels: real mouse and wheel events into the real widget, time per step.

    QT_QPA_PLATFORM=offscreen PYTHONPATH=core:gui:tests python tests/benchmarks/bench_canvas.py [--quick]
        [--labelme-python PATH] [--xany-python PATH]

A step is one event and the paint that follows it. The goals are for the CPU time of the GUI thread; "all" is that of
the whole process (the layer's thread, helpers of Qt and cv2), wall is what a user waits. The naive widget paints
every outline on every event, as annotation tools do. With the Python of labelme's or X-AnyLabeling's own environment
their canvas widgets take the same steps on the same scene in the same run (`peer_canvas`); the ratios are of all CPU.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from canvas_scene import IMAGE_WH, SIZE, NaiveView, photograph, scene
from peers import PeerFigures, run_peer
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.tools.brush import BrushTool
from maskwright_gui.tools.context import ToolOptions


def open_view(image: ImagePyramid, document: Document) -> CanvasView:
    view = CanvasView()
    view.resize(*SIZE)
    view.set_style(CanvasStyle())
    view.renderer.set_image(image)
    view.set_document(document)
    ids = count(1_000_000)
    view.context.allocate_id = lambda: next(ids)
    view.set_category(1)
    view.selection_requested.connect(view.set_selection)

    def apply(change: Change, _label: str) -> None:
        view.apply_change(change, view.context.document.apply(change))

    view.change_requested.connect(apply)
    view.show()
    settle(view)
    return view


def settle(view: CanvasView) -> None:
    for _ in range(3):
        QTest.qWait(70)
        view.renderer.finish()
    QApplication.processEvents()


class Timing:
    """Milliseconds of many steps."""

    def __init__(self, steps: Iterator[Callable[[], None]]) -> None:
        cpu, whole, wall = [], [], []
        for step in steps:
            begin_cpu, begin_whole, begin_wall = time.thread_time(), time.process_time(), time.perf_counter()
            step()
            QApplication.processEvents()
            cpu.append((time.thread_time() - begin_cpu) * 1e3)
            whole.append((time.process_time() - begin_whole) * 1e3)
            wall.append((time.perf_counter() - begin_wall) * 1e3)
        self.median, self.p95, self.maximum = np.median(cpu), np.quantile(cpu, 0.95), max(cpu)
        self.whole_median = np.median(whole)
        self.wall_p95 = np.quantile(wall, 0.95)


def wheel(view: QWidget, place: QPoint, delta: int) -> None:
    none, phase = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
    at, globally = QPointF(place), QPointF(view.mapToGlobal(place))
    event = QWheelEvent(at, globally, QPoint(), QPoint(0, delta), none, Qt.KeyboardModifier.NoModifier, phase, False)
    QApplication.sendEvent(view, event)


def zoom_steps(view: QWidget, steps: int) -> Iterator[Callable[[], None]]:
    for number in range(steps):
        place = QPoint(400 + 7 * (number % 60), 300 + 5 * (number % 40))
        delta = 60 if number % 24 < 12 else -60
        yield lambda place=place, delta=delta: wheel(view, place, delta)


def drag_steps(
    view: QWidget, start: QPoint, steps: int, button: Qt.MouseButton, stride: int = 5
) -> Iterator[Callable[[], None]]:
    QTest.mouseMove(view, start)
    QTest.mousePress(view, button, Qt.KeyboardModifier.NoModifier, start)
    at = start
    for number in range(steps):
        turn = number / 12
        at = start + QPoint(round(stride * 8 * np.sin(turn)), round(stride * 6 * (1 - np.cos(turn))))
        yield lambda at=at: QTest.mouseMove(view, at)
    QTest.mouseRelease(view, button, Qt.KeyboardModifier.NoModifier, at)


def hover_steps(view: QWidget, steps: int) -> Iterator[Callable[[], None]]:
    for number in range(steps):
        at = QPoint(100 + (number * 13) % 1000, 80 + (number * 7) % 600)
        yield lambda at=at: QTest.mouseMove(view, at)


def on_screen(view: CanvasView, x: float, y: float) -> QPoint:
    return QPoint(*map(round, view.navigator.viewport.to_screen(x, y)))


def vertex_drag(view: CanvasView, steps: int) -> Timing:
    """The middle object is selected and one of its vertices dragged."""
    document = view.context.document
    chosen = document[len(document) // 2 + 20]
    view.set_selection(frozenset({chosen.id}))
    settle(view)
    corner = on_screen(view, *chosen.polygons[0].exterior[0])
    timing = Timing(drag_steps(view, corner, steps, Qt.MouseButton.LeftButton, stride=2))
    assert view.context.document[chosen.id] != chosen, "the drag has to have moved something"
    view.set_selection(frozenset())
    settle(view)
    return timing


def undo_of_many(view: CanvasView, ids: range) -> Timing:
    document = view.context.document
    change = edits.move(document, ids, 3, 2)
    view.apply_change(change, document.apply(change))
    settle(view)

    def undo() -> None:
        inverse = change.inverse()
        view.apply_change(inverse, view.context.document.apply(inverse))

    timing = Timing(iter([undo]))
    settle(view)
    return timing


def next_images(view: CanvasView, steps: int) -> Timing:
    """Prefetched: pyramid and document are there, as the loader's thread leaves them."""
    wh = (1280, 960)
    images = [ImagePyramid.of(photograph(wh)) for _ in range(2)]
    documents = [scene(10, 40, wh), scene(11, 40, wh)]

    def show(number: int) -> None:
        view.renderer.set_image(images[number % 2])
        view.set_document(documents[number % 2])

    return Timing(iter([lambda number=number: show(number) for number in range(steps)]))


def brush_stroke(image: ImagePyramid, steps: int) -> Timing:
    """An 80 px brush along the outline of one object of 2,000 vertices."""
    angles = np.linspace(0, 2 * np.pi, 2_000, endpoint=False)
    radii = 1_000 * (1 + 0.1 * np.sin(5 * angles) + 0.003 * np.sin(401 * angles))
    ring = np.array((2_000, 1_500)) + np.column_stack((np.cos(angles) * radii, np.sin(angles) * radii))
    view = open_view(image, Document.of(1, IMAGE_WH, [Instance(1, 1, (Polygon.of(ring),))]))
    view.set_options(ToolOptions(brush_radius=40))
    view.set_tool(BrushTool(view.context))
    view.set_selection(frozenset({1}))
    view.navigator.zoom_to_box((2_600, 1_000, 3_200, 1_400))
    settle(view)
    start = on_screen(view, *ring[0])
    timing = Timing(drag_steps(view, start, steps, Qt.MouseButton.LeftButton))
    assert view.context.document[1].polygons[0].exterior is not ring, "the stroke has to have changed the outline"
    view.close()
    return timing


def report(
    name: str, timing: Timing, goal: float, naive: Timing | None = None, *, peers: Sequence[PeerFigures], step: str = ""
) -> None:
    others = [naive.whole_median if naive is not None else None] + [peer.median_ms.get(step) for peer in peers]
    columns = "".join(
        " " * 20 if other is None else f"{other:10.1f}{other / max(timing.whole_median, 1e-3):8.0f} x"
        for other in others
    )
    verdict = "ok" if timing.p95 <= goal else "OVER"
    print(
        f"{name:<44}{timing.median:8.2f}{timing.p95:8.2f}{timing.maximum:8.2f}{timing.whole_median:8.2f}{timing.wall_p95:9.2f}"
        f"{goal:8.1f} {verdict:<5}{columns}",
        flush=True,
    )


def naive_steps(image: QImage, document: Document, steps: int) -> tuple[Timing, Timing]:
    """Zooming and moving the mouse over a widget that paints every outline on every event."""
    view = NaiveView(image, document)
    view.resize(*SIZE)
    view.show()
    QApplication.processEvents()
    timings = Timing(zoom_steps(view, steps)), Timing(hover_steps(view, steps))
    view.close()
    return timings


def bench_scene(instance_count: int, frame_goal: float, steps: int, pythons: Mapping[str, str]) -> None:
    image, document = photograph(), scene(instance_count)
    naive_zoom, naive_move = naive_steps(image, document, max(3, steps // 40))
    peers = [run_peer(name, python, image, document, max(3, steps // 40)) for name, python in pythons.items()]
    show = partial(report, peers=peers)
    view = open_view(ImagePyramid.of(image), document)
    name = f"{instance_count:,} polygons"
    show(f"{name}: zoom by wheel", Timing(zoom_steps(view, steps)), frame_goal, naive_zoom, step="zoom")
    view.navigator.zoom_to_fit()
    settle(view)
    show(f"{name}: hover and hit test", Timing(hover_steps(view, steps)), 1.0, naive_move, step="hover")
    show(f"{name}: vertex drag at fit", vertex_drag(view, steps), 1.0, naive_move, step="drag at fit")
    view.navigator.zoom_to_box((1800, 1300, 2120, 1500))
    settle(view)
    pan = Timing(drag_steps(view, QPoint(600, 400), steps, Qt.MouseButton.MiddleButton, stride=9))
    show(f"{name}: pan at {view.navigator.zoom:.0f}00 %", pan, frame_goal, naive_zoom, step="pan")
    drag = vertex_drag_in_sight(view, steps)
    show(f"{name}: vertex drag at {view.navigator.zoom:.0f}00 %", drag, 1.0, naive_move, step="drag enlarged")
    view.navigator.zoom_to_fit()
    settle(view)
    show(f"{name}: undo of a 500-object change", undo_of_many(view, range(1, 501)), 50.0, step="undo")
    if instance_count == 2_000:
        show("80 px brush on a 2,000-vertex polygon", brush_stroke(ImagePyramid.of(image), min(steps, 100)), 8.0)
        show("next image 1280x960, 10 objects, prefetched", next_images(view, steps), 5.0, step="next image")
    view.close()


def vertex_drag_in_sight(view: CanvasView, steps: int) -> Timing:
    """As `vertex_drag`, with whatever object lies in the middle of the screen."""
    x, y = view.navigator.viewport.to_image(SIZE[0] / 2, SIZE[1] / 2)
    near = view.context.index.ids_touching((x - 60, y - 60, x + 60, y + 60))
    chosen = view.context.document[near[len(near) // 2]]
    view.set_selection(frozenset({chosen.id}))
    settle(view)
    corner = on_screen(view, *chosen.polygons[0].exterior[0])
    timing = Timing(drag_steps(view, corner, steps, Qt.MouseButton.LeftButton))
    assert view.context.document[chosen.id] != chosen, "the drag has to have moved something"
    view.set_selection(frozenset())
    settle(view)
    return timing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the steps")
    for name in ("labelme", "xany"):
        parser.add_argument(f"--{name}-python", metavar="PATH", help=f"Python that has {name} installed")
    options = parser.parse_args()
    steps = 30 if options.quick else 300
    app = QApplication.instance() or QApplication([])
    chosen = {"labelme": options.labelme_python, "xany": options.xany_python}
    pythons = {name: python for name, python in chosen.items() if python}
    heads = ("median", "p95", "max", "all")
    print(
        f"{'CPU ms per step (GUI thread)':<44}" + "".join(f"{head:>8}" for head in heads) + f"{'wall p95':>9}    goal"
        f"{'':6}" + "".join(f"{head:>10}{'of all':>10}" for head in ("naive", *pythons))
    )
    bench_scene(2_000, 5.0, steps, pythons)
    bench_scene(20_000, 8.0, steps, {})
    del app


if __name__ == "__main__":
    main()
