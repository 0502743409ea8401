"""On a screen of twice the density all lines are as wide to the eye."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from maskwright_gui.canvas.active import on_grid, paint_circle, paint_line
from maskwright_gui.canvas.previews import PreviewKind, PreviewOutline, paint_previews
from maskwright_gui.canvas.viewport import Viewport
from maskwright_gui.tools.overlay import OverlayCircle, OverlayLine, Stroke

SIDE = 40
VIEW = Viewport(image_wh=(SIDE, SIDE), screen_wh=(SIDE, SIDE))
ACROSS = np.array([(-10.0, 20.0), (50.0, 20.0)])


def line(painter: QPainter) -> None:
    paint_line(painter, VIEW, OverlayLine(ACROSS, Stroke.DRAFT), (80, 160, 240))


def circle(painter: QPainter) -> None:
    paint_circle(painter, VIEW, OverlayCircle(20, 20, 12, Stroke.BRUSH), (80, 160, 240))


def outline(painter: QPainter) -> None:
    around = np.array([(-10.0, 20.0), (50.0, 20.0), (50.0, 90.0), (-10.0, 90.0)])
    paint_previews(painter, VIEW, (PreviewOutline((around,), PreviewKind.REMOVED),), QRectF(0, 0, SIDE, SIDE))


def painted_share(ratio: int, paint) -> float:
    """How much of the picture is covered."""
    image = QImage(SIDE * ratio, SIDE * ratio, QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    paint(painter)
    painter.end()
    alpha = np.frombuffer(image.constBits(), np.uint8).reshape(SIDE * ratio, SIDE * ratio, 4)[..., 3]
    return float((alpha > 60).mean())


@pytest.mark.parametrize("paint", [line, circle, outline])
def test_lines_are_as_wide_on_a_dense_screen(qapp, paint) -> None:
    assert painted_share(2, paint) == pytest.approx(painted_share(1, paint), rel=0.2)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 3.0])
def test_handles_stay_within_half_a_device_pixel_of_their_vertices(ratio: float) -> None:
    places = np.random.default_rng(1).uniform(0, 500, (200, 2))
    snapped = on_grid(places, ratio)
    assert np.abs(snapped - places).max() * ratio <= 0.5
    edges = (snapped - 0.5) * ratio  # a pen of one screen pixel reaches half of one to either side
    assert np.allclose(edges, np.round(edges))
