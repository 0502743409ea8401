"""Photographs worked through in the real window, with Point and without: presses and seconds an object.

    python tests/benchmarks/bench_window_pointing.py [--images 10] [--least-iou 0.85]

Every press of Point goes through the canvas as the mouse's would: a box around the object, then clicks on the larger
error as long as each brings something, at most three. What is not good enough then is mended by dragging
vertices, one press each, or drawn anew where that is less (`mending.py`), reckoned and not pressed. An object that
needs no more than four presses is drawn at once. Without Point: one press a vertex of the sparsest outline that is good
enough, and Enter. The hand's time is reckoned (Card, Moran and Newell 1983: 1.1 s to point, 0.2 s a press or key); the
window's own is measured: from the press to the outline on the canvas.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for part in ("core", "gui", "resources", "tests", "tests/benchmarks"):
    sys.path.insert(0, str(ROOT / part))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np  # noqa: E402 - after the paths
from annotator import drawing_presses  # noqa: E402
from assist_protocol import Mask, iou, next_click, true_mask  # noqa: E402
from mending import mending_presses  # noqa: E402

POINT_S, PRESS_S = 1.1, 0.2
MOST_CLICKS, DRAWN_AT_ONCE = 3, 4
LEAST_GAIN = 0.02


@dataclass(slots=True)
class Spent:
    """On one object."""

    presses: int = 0
    keys: int = 0
    waited_s: float = 0.0
    by_hand: bool = False
    """At least in part."""

    @property
    def hand_s(self) -> float:
        return self.presses * (POINT_S + PRESS_S) + self.keys * PRESS_S


@dataclass(slots=True)
class Tally:
    """On all of them."""

    objects: list[Spent] = field(default_factory=list)

    def row(self, title: str) -> str:
        presses = np.mean([one.presses + one.keys for one in self.objects])
        hand, waited = (np.mean([getattr(one, name) for one in self.objects]) for name in ("hand_s", "waited_s"))
        by_hand = np.mean([one.by_hand for one in self.objects])
        return f"{title:14} {presses:8.1f} {hand:8.1f} {waited:10.2f} {hand + waited:8.1f} {by_hand:8.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--objects", type=int, default=6, help="of an image, the largest first")
    parser.add_argument("--least-iou", type=float, default=0.85)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ |= {"HOME": name, "XDG_DATA_HOME": name, "XDG_CONFIG_HOME": name, "XDG_CACHE_HOME": name}
        truths = _truths(arguments, home / "images")
        pointed, plain = _worked_through(truths, home, arguments.least_iou)
    print(f"{sum(map(len, truths.values()))} objects on {len(truths)} photographs, IoU {arguments.least_iou}")
    print(f"{'':14} {'presses':>8} {'hand s':>8} {'waiting s':>10} {'in all':>8} {'by hand':>8}")
    print(pointed.row("with Point"))
    print(plain.row("drawing"))
    ratio = [sum(one.presses + one.keys for one in tally.objects) for tally in (pointed, plain)]
    print(f"presses, ratio {ratio[0] / ratio[1]:.2f}")


def _truths(arguments: argparse.Namespace, folder: Path) -> dict[str, list[Mask]]:
    content = json.loads((arguments.shared / "coco" / "val.json").read_text())
    by_image = defaultdict(list)
    for one in content["annotations"]:
        if not one.get("iscrowd") and one["area"] >= 32**2:
            by_image[one["image_id"]].append(one)
    folder.mkdir()
    order = np.random.default_rng(0).permutation(len(content["images"]))
    chosen = [content["images"][n] for n in order if by_image[content["images"][n]["id"]]][: arguments.images]
    truths = {}
    for entry in chosen:
        file = Path(entry["file_name"]).name
        shutil.copy(arguments.shared / "coco" / "val" / file, folder / file)
        largest = sorted(by_image[entry["id"]], key=lambda one: -one["area"])[: arguments.objects]
        truths[file] = [true_mask(one, entry) for one in largest]
    return truths


def _worked_through(truths: dict[str, list[Mask]], home: Path, least_iou: float) -> tuple[Tally, Tally]:
    from PySide6.QtCore import QSettings

    from maskwright_gui.app import Workbench, make_application

    application = make_application([])
    bench = Workbench(QSettings(str(home / "window.ini"), QSettings.Format.IniFormat))
    bench.window.resize(1280, 800)
    bench.window.show()
    bench.projects.open_path(home / "images")
    hand = Hand(bench)
    hand.until(lambda: bench.session.image is not None)
    bench.classes.add("object")
    pointed, plain = Tally(), Tally()
    hand.warm_up()
    for record in list(bench.session.project.stored.images.all()):
        bench.session.show_image(record.id)
        hand.settle(400)
        for truth in truths[record.file_name]:
            pointed.objects.append(hand.pointed(truth, least_iou))
            plain.objects.append(hand.drawn(truth, least_iou))
    bench.stop()
    application.quit()
    return pointed, plain


class Hand:
    """Works the canvas as a user would."""

    def __init__(self, bench) -> None:  # type: ignore[no-untyped-def]  # a Workbench, which is imported late
        from PySide6.QtCore import Qt
        from PySide6.QtTest import QTest

        self._bench, self._canvas, self._qt, self._test = bench, bench.window.canvas, Qt, QTest

    def until(self, is_true) -> None:  # type: ignore[no-untyped-def]
        end = time.monotonic() + 120
        while not is_true():
            if time.monotonic() > end:
                raise TimeoutError
            self._test.qWait(2)

    def settle(self, ms: int) -> None:
        self._test.qWait(ms)

    def warm_up(self) -> None:
        """The network is loaded with the first press."""
        self._bench.tools.use("point")
        self.settle(300)
        self._click(5, 5)
        self._answer()
        self._key(self._qt.Key.Key_Escape)

    def pointed(self, truth: Mask, least_iou: float) -> Spent:
        spent, drawing = Spent(), drawing_presses(truth, least_iou)
        if drawing <= DRAWN_AT_ONCE:
            return self.drawn(truth, least_iou)
        self._bench.tools.use("point")
        rows, columns = np.flatnonzero(truth.any(axis=1)), np.flatnonzero(truth.any(axis=0))
        self._drag((columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1))
        spent.presses, spent.waited_s = 1, self._answer()
        mask = self._draft(truth)
        before = 0.0
        while before + LEAST_GAIN <= iou(mask, truth) < least_iou and spent.presses <= MOST_CLICKS:
            before = iou(mask, truth)
            x, y, is_inside = next_click(mask, truth)
            self._click(x, y, alt=not is_inside)
            spent.presses += 1
            spent.waited_s += self._answer()
            mask = self._draft(truth)
        self._key(self._qt.Key.Key_Return)
        spent.keys = 1
        if iou(mask, truth) < least_iou:
            spent.presses += mending_presses(mask, truth, (least_iou,), (drawing,))[0]
            spent.keys, spent.by_hand = 3, True  # its tool, and the end of an area
        return spent

    def drawn(self, truth: Mask, least_iou: float) -> Spent:
        """Reckoned, not clicked: nothing in it takes the window any time."""
        return Spent(drawing_presses(truth, least_iou), 1, by_hand=True)

    def _draft(self, truth: Mask) -> Mask:
        from maskwright.geometry.raster import polygons_to_mask

        instances = self._canvas.tool.overlay().instances
        size_wh = truth.shape[1], truth.shape[0]
        return polygons_to_mask(instances[-1].polygons, size_wh) if instances else np.zeros_like(truth)

    def _answer(self) -> float:
        started = time.monotonic()
        tool = self._canvas.tool
        self.until(lambda: tool._draft is None or not tool._draft.is_waiting)
        return time.monotonic() - started

    def _place(self, x: float, y: float):  # type: ignore[no-untyped-def]
        from PySide6.QtCore import QPoint

        return QPoint(*map(round, self._canvas.navigator.viewport.to_screen(x, y)))

    def _click(self, x: float, y: float, *, alt: bool = False) -> None:
        modifier = self._qt.KeyboardModifier.AltModifier if alt else self._qt.KeyboardModifier.NoModifier
        self._test.mouseClick(self._canvas, self._qt.MouseButton.LeftButton, modifier, pos=self._place(x, y))

    def _drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        from PySide6.QtCore import QPointF
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        button, none = self._qt.MouseButton.LeftButton, self._qt.KeyboardModifier.NoModifier
        self._test.mousePress(self._canvas, button, none, pos=self._place(*start))
        place = self._place(*end)
        at, everywhere = QPointF(place), QPointF(self._canvas.mapToGlobal(place))
        move = QMouseEvent(QMouseEvent.Type.MouseMove, at, everywhere, self._qt.MouseButton.NoButton, button, none)
        QApplication.sendEvent(self._canvas, move)
        self._test.mouseRelease(self._canvas, button, none, pos=place)

    def _key(self, key) -> None:  # type: ignore[no-untyped-def]
        self._test.keyClick(self._canvas, key)


if __name__ == "__main__":
    main()
