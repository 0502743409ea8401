"""Colour is never the only sign: classes of one colour are told apart by their labels, states by light and line."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from canvas_support import document_of, square
from maskwright.document.values import InstanceState
from maskwright_gui.canvas.style import CanvasStyle, LabelMode
from maskwright_gui.canvas.view import CanvasView

SAME = {1: (90, 160, 230), 2: (90, 160, 230)}


@pytest.fixture
def view(qtbot) -> CanvasView:
    """Two objects of two classes that have one colour, at two screen pixels per image pixel."""
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(432, 332)
    image = QImage(200, 150, QImage.Format.Format_RGB32)
    image.fill(0xFF808080)
    view.renderer.set_image(image)
    view.set_style(CanvasStyle(label_mode=LabelMode.NONE, colours=SAME, names={1: "bus", 2: "boat"}))
    view.set_document(document_of(square(1, at=(20, 40), side=60), square(2, at=(110, 40), side=60, category_id=2)))
    view.selection_requested.connect(view.set_selection)
    view.show()
    qtbot.waitExposed(view)
    return view


def light(view: CanvasView) -> NDArray[np.int64]:
    """(H, W) what is left of the picture without colour."""
    view.renderer.finish()
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].astype(np.int64)


def test_classes_of_one_colour_have_different_labels(view: CanvasView) -> None:
    view.set_style(CanvasStyle(label_mode=LabelMode.ALL, colours=SAME, names={1: "bus", 2: "boat"}))
    picture = light(view)
    bus, boat = picture[60:96, 50:130], picture[60:96, 230:310]
    assert (np.abs(bus - boat) > 80).sum() > 30


@pytest.mark.parametrize("how", ["hovered", "selected"])
def test_hovered_and_selected_are_seen_without_colour(view: CanvasView, how: str) -> None:
    before = light(view)
    QTest.mouseMove(view, QPoint(*map(round, view.navigator.viewport.to_screen(50, 70))))
    if how == "selected":
        view.set_selection(frozenset({1}))
    changed = np.abs(light(view) - before) > 40
    assert changed.sum() > 400
    assert not changed[:, 236:].any()


def test_a_proposal_is_dashed(view: CanvasView) -> None:
    x, y = map(round, view.navigator.viewport.to_screen(50, 40))
    along = (slice(y - 2, y + 3), slice(x - 40, x + 40))
    drawn = light(view)[along]
    view.set_document(document_of(square(1, at=(20, 40), side=60, state=InstanceState.PROPOSED)))
    proposed = light(view)[along]
    assert np.ptp(drawn, axis=1).max() < 10
    assert np.ptp(proposed, axis=1).max() > 30
