"""Outlines over the picture that are not in the document."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QImage, QPainter
from pytestqt.qtbot import QtBot

from maskwright_gui.canvas.previews import PreviewKind, PreviewOutline, label_area, paint_previews
from maskwright_gui.canvas.viewport import Viewport

VIEW = Viewport((200, 100), (200, 100))


def outline(x: float, y: float, kind: PreviewKind = PreviewKind.MISSED, label: str = "") -> PreviewOutline:
    return PreviewOutline((np.array([(x, y), (x + 20, y), (x + 20, y + 20), (x, y + 20)], np.float64),), kind, label)


def painted(*outlines: PreviewOutline) -> QImage:
    image = QImage(200, 100, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    paint_previews(painter, VIEW, outlines, QRectF(0, 0, 200, 100))
    painter.end()
    return image


def test_what_is_added_and_what_is_removed_look_different(qtbot: QtBot) -> None:
    added, removed = (painted(outline(50, 50, kind)) for kind in (PreviewKind.ADDED, PreviewKind.REMOVED))
    assert added.pixelColor(60, 50).green() > added.pixelColor(60, 50).red()
    row = [removed.pixelColor(x, 50) for x in range(50, 70)]
    assert any(colour.red() > colour.green() for colour in row)
    assert len({colour.name() for colour in row}) > 1  # dashed


def test_lines_are_two_pixels_wide(qtbot: QtBot) -> None:
    added = painted(outline(50, 50, PreviewKind.ADDED))
    plain = painted()
    columns = [y for y in range(40, 60) if added.pixelColor(60, y) != plain.pixelColor(60, y)]
    rows = [x for x in range(40, 60) if added.pixelColor(x, 60) != plain.pixelColor(x, 60)]
    assert (columns, rows) == ([49, 50], [49, 50])


@pytest.mark.parametrize("y", [2, 50, 78], ids=["top", "middle", "bottom"])
def test_labels_of_one_place_stand_apart_and_on_screen(qtbot: QtBot, y: float) -> None:
    metrics = QFontMetricsF(QGuiApplication.font())
    first = label_area(outline(50, y, label="one"), VIEW, metrics, [])
    second = label_area(outline(50, y, label="two"), VIEW, metrics, [first])
    assert not second.intersects(first)
    assert QRectF(0, 0, 200, 100).contains(second)


def test_an_outline_out_of_view_shows_no_label(qtbot: QtBot) -> None:
    assert painted(outline(500, 500, label="far away")) == painted()
