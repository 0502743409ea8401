"""Another annotation tool's canvas on a scene of `bench_canvas`, step by step: run by that tool's own Python.

    QT_QPA_PLATFORM=offscreen LABELME_PYTHON tests/benchmarks/peer_canvas.py labelme SCENE.npz PICTURE.png STEPS

Imports nothing of ours. The canvas sits in a scroll area, as in its own window, which here does what that window does
for a zoom or a pan; events are real ones. Prints one JSON object: {step: [milliseconds of CPU time of the process]}.
`next image` has picture and objects in memory already: decoding, which these tools do on the way, is not counted.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np

if sys.argv[1] == "labelme":
    from PyQt5 import QtCore, QtGui, QtWidgets  # type: ignore[import-not-found]
else:
    from PyQt6 import QtCore, QtGui, QtWidgets  # type: ignore[import-not-found]

SIZE = (1280, 800)
LEFT, NONE = QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.MouseButton.NoButton
PLAIN = QtCore.Qt.KeyboardModifier.NoModifier


def make_canvas(tool: str) -> tuple[Any, Any]:
    """(canvas widget, its class of objects)."""
    if tool == "labelme":
        from labelme._shape import Shape  # type: ignore[import-not-found]
        from labelme.widgets.canvas import Canvas  # type: ignore[import-not-found]

        return Canvas(epsilon=10.0), Shape
    from anylabeling.views.labeling.shape import Shape  # type: ignore[import-not-found]
    from anylabeling.views.labeling.widgets.canvas import Canvas  # type: ignore[import-not-found]

    return Canvas(epsilon=10.0, parent=None), Shape


class Peer:
    def __init__(self, tool: str, rings: list[np.ndarray], picture: str) -> None:
        self.canvas, self._shape = make_canvas(tool)
        self.scroll = QtWidgets.QScrollArea()
        self.scroll.setWidget(self.canvas)
        self.scroll.setWidgetResizable(True)
        self.scroll.resize(*SIZE)
        self.rings, self.pixmap = rings, QtGui.QPixmap(picture)
        self.show(self.pixmap, self.shapes(rings))
        self.scroll.show()
        self.zoom_to(min(SIZE[0] / self.pixmap.width(), SIZE[1] / self.pixmap.height()) * 0.97)

    def shapes(self, rings: list[np.ndarray]) -> list[Any]:
        found = []
        for number, ring in enumerate(rings):
            shape = self._shape(label=f"class {number % 8}", shape_type="polygon")
            for x, y in ring.tolist():
                shape.add_point(QtCore.QPointF(x, y))
            shape.close()
            found.append(shape)
        return found

    def show(self, pixmap: Any, shapes: list[Any]) -> None:
        self.canvas.load_pixmap(pixmap)
        self.canvas.load_shapes(shapes)

    def zoom_to(self, scale: float) -> None:
        self.canvas.scale = scale
        self.canvas.adjustSize()
        self.canvas.update()
        QtWidgets.QApplication.processEvents()

    def scroll_by(self, dx: int, dy: int) -> None:
        for bar, step in ((self.scroll.horizontalScrollBar(), dx), (self.scroll.verticalScrollBar(), dy)):
            bar.setValue(bar.value() + step)

    def mouse(self, kind: Any, at: Any, button: Any, held: Any) -> None:
        place = QtCore.QPointF(at)
        event = QtGui.QMouseEvent(kind, place, QtCore.QPointF(self.canvas.mapToGlobal(at)), button, held, PLAIN)
        QtWidgets.QApplication.sendEvent(self.canvas, event)

    def move(self, at: Any, held: Any = NONE) -> None:
        self.mouse(QtCore.QEvent.Type.MouseMove, at, NONE, held)

    def on_canvas(self, x: float, y: float) -> Any:
        """A place of the image in the canvas widget's pixels; where the image is smaller, it stands in the middle."""
        scale = self.canvas.scale
        margins = [
            max((side - length * scale) / 2, 0.0)
            for side, length in (
                (self.canvas.width(), self.pixmap.width()),
                (self.canvas.height(), self.pixmap.height()),
            )
        ]
        return QtCore.QPoint(round(x * scale + margins[0]), round(y * scale + margins[1]))


def zoom_steps(peer: Peer, steps: int) -> Iterator[Callable[[], None]]:
    start = peer.canvas.scale
    for number in range(steps):
        yield lambda number=number: peer.zoom_to(start * 1.118 ** (1 + number % 12))


def pan_steps(peer: Peer, steps: int) -> Iterator[Callable[[], None]]:
    for number in range(steps):
        yield lambda number=number: peer.scroll_by(9 if number % 16 < 8 else -9, 5)


def hover_steps(peer: Peer, steps: int) -> Iterator[Callable[[], None]]:
    for number in range(steps):
        at = QtCore.QPoint(100 + (number * 13) % 1000, 80 + (number * 7) % 600)
        yield lambda at=at: peer.move(at)


def drag_steps(peer: Peer, steps: int) -> Iterator[Callable[[], None]]:
    shape = peer.canvas.shapes[len(peer.canvas.shapes) // 2 + 20]
    before = QtCore.QPointF(shape.points[0])
    start = peer.on_canvas(before.x(), before.y())
    peer.move(start)
    peer.mouse(QtCore.QEvent.Type.MouseButtonPress, start, LEFT, LEFT)
    for number in range(steps):
        yield lambda number=number: peer.move(start + QtCore.QPoint(2 + number, 1 + number), LEFT)
    peer.mouse(QtCore.QEvent.Type.MouseButtonRelease, start, LEFT, NONE)
    assert any(shape.points[0] != before for shape in peer.canvas.shapes), "the drag has to have moved something"


def undo_step(peer: Peer) -> Iterator[Callable[[], None]]:
    for shape in peer.canvas.shapes[:500]:
        for number, point in enumerate(shape.points):
            shape.points[number] = point + QtCore.QPointF(3, 2)
    canvas = peer.canvas
    (canvas.backup_shapes if hasattr(canvas, "backup_shapes") else canvas.store_shapes)()
    undo = canvas.restore_last_shape if hasattr(canvas, "restore_last_shape") else canvas.restore_shape

    def step() -> None:
        undo()
        canvas.update()

    yield step


def next_steps(peer: Peer, steps: int) -> Iterator[Callable[[], None]]:
    pixmap = peer.pixmap.scaled(1280, 960)
    sets = [peer.shapes([ring[:40] for ring in peer.rings[start : start + 10]]) for start in (0, 10)]
    for number in range(steps):
        yield lambda number=number: peer.show(pixmap, sets[number % 2])


def measured(steps: Iterator[Callable[[], None]]) -> list[float]:
    """Milliseconds of CPU time of the whole process per step and the paint that follows it."""
    found = []
    for step in steps:
        begin = time.process_time()
        step()
        QtWidgets.QApplication.processEvents()
        found.append((time.process_time() - begin) * 1e3)
    return found


def main() -> None:
    tool, scene, picture, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    application = QtWidgets.QApplication([])
    with np.load(scene) as stored:
        rings = [np.asarray(ring) for ring in stored["rings"]]
    peer = Peer(tool, rings, picture)
    fit = peer.canvas.scale
    found = {"zoom": measured(zoom_steps(peer, steps))}
    peer.zoom_to(fit)
    found["hover"] = measured(hover_steps(peer, steps))
    found["drag at fit"] = measured(drag_steps(peer, steps))
    peer.zoom_to(2.0)
    found["pan"] = measured(pan_steps(peer, steps))
    found["drag enlarged"] = measured(drag_steps(peer, steps))
    peer.zoom_to(fit)
    found["undo"] = measured(undo_step(peer))
    found["next image"] = measured(next_steps(peer, steps))
    print(json.dumps(found))
    del application


if __name__ == "__main__":
    main()
