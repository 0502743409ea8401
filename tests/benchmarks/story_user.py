"""A user for `stories.py`: hands that press and are counted, eyes that know the truth, a camera."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from assist_protocol import Mask, iou, next_click
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.raster import polygons_to_mask
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.dialogs.quick import ClassPicker
from maskwright_gui.features.point.tool import PointTool

Key, Held, Button = Qt.Key, Qt.KeyboardModifier, Qt.MouseButton
NOTHING_HELD = Held.NoModifier
PATIENCE_S = 120.0
GOOD_IOU, SAME_IOU = 0.7, 0.5
"""An outline is left as it is from the one on; from the other it is of the same object."""
MOST_CLICKS = 3
"""That a user spends on an outline after the first press."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object as it truly is."""

    name: str
    mask: Mask

    @property
    def box_xyxy(self) -> tuple[int, int, int, int]:
        rows, columns = np.flatnonzero(self.mask.any(1)), np.flatnonzero(self.mask.any(0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@dataclass(slots=True)
class Presses:
    """A click, a drag and a key with whatever is held beside it are one press each."""

    setup: int = 0
    work: int = 0
    is_setup: bool = True

    def add(self, count: int = 1) -> None:
        if self.is_setup:
            self.setup += count
        else:
            self.work += count


@dataclass(slots=True)
class User:
    bench: Workbench
    pictures: Path | None = None
    presses: Presses = field(default_factory=Presses)
    _taken: int = 0

    # hands

    def key(self, key: Key, held: Held = NOTHING_HELD) -> None:
        self.presses.add()
        QTest.keyClick(self._focused, key, held)
        self.settle()

    def write(self, text: str) -> None:
        self.presses.add(len(text))
        QTest.keyClicks(self._focused, text)
        self.settle()

    def click(self, x: float, y: float, held: Held = NOTHING_HELD, button: Button = Button.LeftButton) -> None:
        self.presses.add()
        self.point_at(x, y)
        QTest.mouseClick(self.canvas, button, held, self._on_screen(x, y))
        self.settle()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.presses.add()
        places = [
            self._on_screen(*(a + share * (b - a) for a, b in zip(start, end, strict=True))) for share in (0, 0.5, 1)
        ]
        QTest.mousePress(self.canvas, Button.LeftButton, NOTHING_HELD, places[0])
        for place in places[1:]:
            QTest.mouseMove(self.canvas, place)
        QTest.mouseRelease(self.canvas, Button.LeftButton, NOTHING_HELD, places[-1])
        self.settle()

    def point_at(self, x: float, y: float) -> None:
        """No press."""
        QTest.mouseMove(self.canvas, self._on_screen(x, y))
        self.settle()

    def choose(self, text: str) -> None:
        """A row of a menu that is open."""
        self.presses.add()
        menu = next(menu for menu in self.bench.window.findChildren(QMenu) if menu.isVisible())
        next(action for action in menu.actions() if action.text() == text).trigger()
        menu.close()
        self.settle()

    def name_class(self, name: str) -> None:
        """In the picker that is open: as many letters as it takes until Enter takes this class, or makes it; none where
        it is marked already."""
        picker = self.bench.window.findChildren(ClassPicker)[-1]
        self.wait(picker.isActiveWindow)
        for letter in name:
            if picker.marked_name == name:
                break
            self.write(letter)
        self.key(Key.Key_Return)
        self.come_back()

    def come_back(self) -> None:
        """To the window; a desktop sees to that by itself when a dialog is closed."""
        self.bench.window.activateWindow()
        self.wait(self.bench.window.isActiveWindow)

    # eyes

    @property
    def canvas(self) -> CanvasView:
        return self.bench.window.canvas

    def objects(self) -> list[Instance]:
        """That are on screen and not rejected."""
        return [each for each in self.bench.session.document or () if each.state is not InstanceState.REJECTED]

    def mask_of(self, instance: Instance) -> Mask:
        document = self.bench.session.document
        assert document is not None
        return polygons_to_mask(instance.polygons, document.size_wh)

    def class_of(self, instance: Instance) -> str:
        named = {category.id: category.name for category in self.bench.session.classes.listed}
        return named.get(instance.category_id, "")

    def matched(self, things: Sequence[Thing]) -> dict[int, tuple[int, float]]:
        """{place in `things`: (instance id, IoU)}, the best pairs first; none of less than `SAME_IOU`."""
        masks = {each.id: self.mask_of(each) for each in self.objects()}
        pairs = [(iou(mask, thing.mask), at, id_) for at, thing in enumerate(things) for id_, mask in masks.items()]
        found: dict[int, tuple[int, float]] = {}
        for value, at, id_ in sorted(pairs, reverse=True):
            if value >= SAME_IOU and at not in found and id_ not in {known for known, _ in found.values()}:
                found[at] = id_, value
        return found

    def outlines_right(self, things: Sequence[Thing]) -> int:
        """How many of them have an outline that is good enough, of the right class."""
        document, found = self.bench.session.document, self.matched(things)
        assert document is not None
        return sum(
            value >= GOOD_IOU and self.class_of(document[id_]) == things[at].name for at, (id_, value) in found.items()
        )

    def mend(self, thing: Thing, shown: Callable[[], Mask | None]) -> None:
        """Click on the largest error until the outline is good enough, or patience ends."""
        for _ in range(MOST_CLICKS):
            now = shown()
            if now is None or iou(now, thing.mask) >= GOOD_IOU:
                return
            x, y, is_inside = next_click(now, thing.mask)
            self.click(x, y, NOTHING_HELD if is_inside else Held.AltModifier)

    def draft(self) -> Mask | None:
        """The outline of what is being pointed at, once its answer is there."""
        overlay = self.bench.window.canvas.tool.overlay()
        return self.mask_of(overlay.instances[-1]) if overlay.instances else None

    # patience and camera

    def show(self, image_id: int) -> None:
        """Wait until an image is on the canvas; going there is counted by whoever presses."""
        self.wait(lambda: self.bench.images.on_screen == image_id)

    def come_again(self, image_id: int) -> None:
        """To an image that is done, for a look at what is on it; no press."""
        self.bench.session.show_image(image_id)
        self.show(image_id)

    def settle(self) -> None:
        """Until the assistant has answered."""
        QApplication.processEvents()
        self.wait(lambda: not self._awaits_outline)
        QApplication.processEvents()

    def wait(self, is_so: Callable[[], object]) -> None:
        """Raises TimeoutError."""
        until = time.monotonic() + PATIENCE_S
        while not is_so():
            if time.monotonic() > until:
                raise TimeoutError("the window did not come to what the story waits for")
            QApplication.processEvents()
            time.sleep(0.002)

    def look(self, what: str) -> None:
        """A picture of the window, if they are wanted."""
        if self.pictures is not None:
            self._taken += 1
            self.bench.window.grab().save(str(self.pictures / f"{self._taken:03d}-{what}.png"))

    @property
    def _awaits_outline(self) -> bool:
        tool = self.canvas.tool
        if not isinstance(tool, PointTool):
            return False
        return bool(tool._accepted) or (tool._draft is not None and tool._draft.is_waiting)

    @property
    def _focused(self) -> QWidget:
        window = QApplication.activeWindow() or self.bench.window
        return window.focusWidget() or self.bench.window.canvas

    def _on_screen(self, x: float, y: float) -> QPoint:
        return QPoint(*(round(value) for value in self.bench.window.canvas.navigator.viewport.to_screen(x, y)))


def by_class(things: Iterable[Thing]) -> list[Thing]:
    """As a sensible user takes them: one class after the other."""
    return sorted(things, key=lambda thing: thing.name)
