"""Held-out images with the objects that the new and the old model found: hits, misses and false ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from maskwright.errors import ImageError
from maskwright.learning.looks import HeldOutComparison, HeldOutImage, MatchKind
from maskwright.monitor import Monitor
from maskwright.words import shown
from maskwright_gui.panels.widgets import muted_label, named

SIDE_PX = 300
"""Longest side of a picture."""
_DETAIL = 2
"""Pixels read for each pixel on screen, so that dense screens are sharp."""
_LOOKS: dict[MatchKind, tuple[str, QColor, Qt.PenStyle]] = {
    "hit": ("found", QColor(64, 205, 120), Qt.PenStyle.SolidLine),
    "missed": ("missed", QColor(255, 190, 40), Qt.PenStyle.DashLine),
    "false": ("false", QColor(255, 90, 90), Qt.PenStyle.DotLine),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One held-out image, small enough for the panel."""

    pixels: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    new: HeldOutImage
    old: HeldOutImage | None


def shown_images(looks: HeldOutComparison, root: Path, monitor: Monitor) -> list[Shown]:
    """Read the images, those with most mistakes first; unreadable ones are left out."""
    from maskwright.images import read_image
    from maskwright.inference.frame import resized

    old = {look.file_name: look for look in looks.old}
    found = []
    for look in sorted(looks.new, key=lambda one: -one.count("missed") - one.count("false")):
        monitor.check()
        try:
            pixels = read_image(root / look.file_name).bgr_u8
        except ImageError:
            continue
        factor = min(1.0, _DETAIL * SIDE_PX / max(pixels.shape[:2]))
        size_wh = max(round(pixels.shape[1] * factor), 1), max(round(pixels.shape[0] * factor), 1)
        small = np.ascontiguousarray(resized(pixels, size_wh)[..., ::-1])
        found.append(Shown(small, look, old.get(look.file_name)))
    return found


class HeldOutPicture(QWidget):
    """An image and the outlines on it."""

    def __init__(self, pixels: NDArray[np.uint8], look: HeldOutImage, parent: QWidget) -> None:
        super().__init__(parent)
        self._pixels, self._look = pixels, look
        height, width = pixels.shape[:2]
        self._image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._drawn = QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{shown(look.file_name)}: {counts_text(look)}")
        self.setToolTip(self.accessibleName())

    def sizeHint(self) -> QSize:
        factor = SIDE_PX / max(self._look.width, self._look.height)
        return QSize(max(round(self._look.width * factor), 1), max(round(self._look.height * factor), 1))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._drawn.isNull() or self._drawn.devicePixelRatio() != self.devicePixelRatio():
            self._drawn = self._made()
        QPainter(self).drawPixmap(0, 0, self._drawn)

    def _made(self) -> QPixmap:
        """Painted once: thousands of outlines take too long to repaint while the panel scrolls."""
        ratio = self.devicePixelRatio()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        painter = QPainter(drawn)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QRectF(self.rect()), self._image)
        across, down = self.width() / self._look.width, self.height() / self._look.height
        for item in self._look.objects:
            _, colour, style = _LOOKS[item.kind]
            for ring in item.rings:
                outline = QPolygonF([QPointF(x * across, y * down) for x, y in ring])
                # readable on any photograph: a dark stroke under the coloured one
                painter.setPen(QPen(QColor(0, 0, 0, 150), 3.5))
                painter.drawPolygon(outline)
                painter.setPen(QPen(colour, 2, style))
                painter.drawPolygon(outline)
        painter.end()
        return drawn


class Legend(QWidget):
    """Explains the three kinds of outlines."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for kind in _LOOKS:
            row.addWidget(_Stroke(kind, self))
            row.addWidget(muted_label(_LOOKS[kind][0], self))
        row.addStretch(1)


class HeldOutPictures(QScrollArea):
    """One row per image: the new model and, if it was evaluated there, the old one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "Held-out images with what each model found")
        self.setWidgetResizable(True)
        self.setMinimumHeight(120)
        self.show_images((), "", "")

    def show_images(self, images: Sequence[Shown], new_name: str, old_name: str) -> None:
        """Show the images; hidden if there are none."""
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(Legend(content))
        grid = QGridLayout()
        grid.setSpacing(8)
        column.addLayout(grid)
        column.addStretch(1)
        sides = [new_name, old_name] if any(image.old is not None for image in images) else [new_name]
        for place, name in enumerate(sides):
            grid.addWidget(muted_label(name, content), 0, place)
        for row, image in enumerate(images):
            for place, look in enumerate((image.new, image.old)[: len(sides)]):
                if look is not None:
                    cell = _cell(image.pixels, look, content)
                    grid.addWidget(cell, row + 1, place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(len(sides), 1)
        self.setWidget(content)
        self.setVisible(bool(images))


def counts_text(look: HeldOutImage) -> str:
    """ "7 found, 1 missed, 2 false"."""
    return ", ".join(f"{look.count(kind)} {_LOOKS[kind][0]}" for kind in _LOOKS)


def _cell(pixels: NDArray[np.uint8], look: HeldOutImage, parent: QWidget) -> QWidget:
    cell = QWidget(parent)
    column = QVBoxLayout(cell)
    column.setContentsMargins(0, 0, 0, 4)
    column.setSpacing(4)
    column.addWidget(HeldOutPicture(pixels, look, cell))
    column.addWidget(muted_label(counts_text(look), cell))
    return cell


class _Stroke(QWidget):
    """A short line in the style of an outline."""

    def __init__(self, kind: MatchKind, parent: QWidget) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setFixedSize(36, 14)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        _, colour, style = _LOOKS[self._kind]
        middle = self.height() / 2
        for pen in (QPen(QColor(0, 0, 0, 150), 3.5), QPen(colour, 2, style)):
            painter.setPen(pen)
            painter.drawLine(QPointF(2, middle), QPointF(self.width() - 2, middle))
