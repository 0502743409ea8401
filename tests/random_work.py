"""A user who does anything in any order: tools, keys, actions, sliders, classes, model runs, other images."""

import random
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from maskwright.document.document import Document
from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench

# They ask for a file or a model, end the program, or show a dialog that waits for an answer.
_LEFT_OUT = frozenset({
    "open_folder", "open_project", "new_project", "open_samples", "tour", "save", "export", "check", "import", "locate",
    "close_project", "quit", "choose_model", "models", "set_aside", "compare", "about", "map_classes", "data_set",
    "show_failures",
})  # fmt: skip
_KEYS = (
    Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Backspace, Qt.Key.Key_Tab, Qt.Key.Key_Insert, Qt.Key.Key_Home,
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_BracketLeft,
    Qt.Key.Key_BracketRight, Qt.Key.Key_Space, Qt.Key.Key_Delete,
)  # fmt: skip
_MODIFIERS = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip


class RandomWork:
    """Steps on a window with a project open; the same seed does the same where threads answer alike."""

    def __init__(self, bench: Workbench, seed: int) -> None:
        self._bench = bench
        self._random = random.Random(seed)
        self._actions = sorted(bench.window.actions_table.specs.keys() - _LEFT_OUT)
        self._tools = [id_ for id_ in self._actions if id_.startswith("tool_")]
        self._doings: tuple[tuple[int, Callable[[], object]], ...] = (
            (30, self._drag),
            (15, self._click_some),
            (15, self._act),
            (10, self._take_tool),
            (8, self._press_key),
            (4, self._roll_wheel),
            (6, self._slide),
            (3, self._change_classes),
            (4, self._undo_some),
            (3, self._choose_image),
            (2, lambda: bench.model.run_on_image()),
        )
        self.latest: list[str] = []
        """What was done, for whoever looks for a fault."""

    def step(self) -> None:
        weights, doings = zip(*self._doings, strict=True)
        doing = self._random.choices(doings, weights)[0]
        self.latest = [*self.latest[-30:], getattr(doing, "__name__", "")]
        doing()
        if self._random.random() < 0.3:
            QApplication.processEvents()
        self._close_dialogs()
        # An event loop does it after each event; what is called in between leaves closed dialogs half alive.
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _place(self) -> QPoint:
        canvas = self._bench.window.canvas
        return QPoint(self._random.randrange(2, canvas.width() - 2), self._random.randrange(2, canvas.height() - 2))

    def _drag(self) -> None:
        canvas = self._bench.window.canvas
        modifiers = self._random.choice(_MODIFIERS)
        button = self._random.choice([Qt.MouseButton.LeftButton] * 5 + [Qt.MouseButton.MiddleButton])
        QTest.mousePress(canvas, button, modifiers, self._place())
        for _ in range(self._random.randrange(5)):
            QTest.mouseMove(canvas, self._place())
            QApplication.processEvents()
        if self._random.random() < 0.15:
            self._random.choice((self._press_key, self._act, self._choose_image))()  # in the middle of a gesture
        QTest.mouseRelease(canvas, button, modifiers, self._place())

    def _click_some(self) -> None:
        canvas = self._bench.window.canvas
        for _ in range(self._random.randrange(1, 6)):
            QTest.mouseMove(canvas, place := self._place())
            QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, self._random.choice(_MODIFIERS), place)
        if self._random.random() < 0.5:
            QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=self._place())

    def _act(self) -> None:
        name = self._random.choice(self._actions)
        self.latest.append(name)
        action = self._bench.window.actions_table[name]
        if action.isEnabled():
            action.trigger()

    def _take_tool(self) -> None:
        self._bench.window.actions_table[self._random.choice(self._tools)].trigger()

    def _press_key(self) -> None:
        key = self._random.choice(_KEYS)
        self.latest.append(key.name)
        QTest.keyClick(self._bench.window.canvas, key, self._random.choice(_MODIFIERS))

    def _roll_wheel(self) -> None:
        canvas, at = self._bench.window.canvas, QPointF(self._place())
        turn = QPoint(0, self._random.choice((-120, 120)))
        event = QWheelEvent(
            at, canvas.mapToGlobal(at), QPoint(), turn, Qt.MouseButton.NoButton, self._random.choice(_MODIFIERS),
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(canvas, event)

    def _slide(self) -> None:
        self._bench.thresholds.strip.step_score(self._random.choice((-0.3, -0.05, 0.05, 0.3)))

    def _change_classes(self) -> None:
        classes, categories = self._bench.classes, self._bench.session.classes.listed
        if len(categories) < 6 or self._random.random() < 0.3:
            classes.add(f"class {self._random.randrange(100)}")
        elif self._random.random() < 0.5:
            classes.rename(self._random.choice(categories).id, f"class {self._random.randrange(100)}")
        else:
            source, target = self._random.sample(categories, 2)
            question = classes.merge(source.id, target.id)
            if question is not None:
                question.accept()

    def _undo_some(self) -> None:
        for _ in range(self._random.randrange(1, 8)):
            self._random.choice((self._bench.editing.undo, self._bench.editing.undo, self._bench.editing.redo))()

    def _choose_image(self) -> None:
        ids = self._bench.images.rows.ids
        if len(ids):
            self._bench.session.show_image(int(self._random.choice(ids)))

    def _close_dialogs(self) -> None:
        for dialog in self._bench.window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.reject()


def assert_sound(document: Document, category_ids: set[int]) -> None:
    """Everything in it could be exported."""
    for instance in document:
        assert instance.category_id in category_ids
        assert instance.polygons or instance.state is InstanceState.REJECTED
        for ring in (ring for polygon in instance.polygons for ring in polygon.rings):
            assert len(ring) >= 3
            assert np.isfinite(ring).all()
