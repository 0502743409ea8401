"""What the benchmarks of the canvas show: wobbly discs on a large picture, and a widget that paints all of them."""

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QWidget

from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright_gui.canvas.active import polygon_f
from maskwright_gui.canvas.viewport import Viewport

SIZE = (1280, 800)
IMAGE_WH = (4000, 3000)


def scene(instance_count: int, vertices: int = 60, image_wh: tuple[int, int] = IMAGE_WH) -> Document:
    """Wobbly discs on a jittered grid; a third of them proposals, eight classes."""
    rng = np.random.default_rng(1)
    columns = int(np.ceil(np.sqrt(instance_count * image_wh[0] / image_wh[1])))
    pitch = image_wh[0] / columns
    angles = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    instances = []
    for number in range(instance_count):
        centre = (np.array(divmod(number, columns)[::-1]) + 0.5 + rng.uniform(-0.2, 0.2, 2)) * pitch
        radii = pitch * 0.45 * (1 + 0.2 * np.sin(3 * angles + number) + 0.05 * rng.standard_normal(vertices))
        ring = centre + np.column_stack((np.cos(angles) * radii, np.sin(angles) * radii))
        ring = np.clip(ring, 0, image_wh)
        state = InstanceState.PROPOSED if number % 3 == 0 else InstanceState.ACCEPTED
        instances.append(Instance(number + 1, number % 8 + 1, (Polygon.of(ring),), state, score=0.8))
    return Document.of(1, image_wh, instances)


def photograph(image_wh: tuple[int, int] = IMAGE_WH) -> QImage:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (image_wh[1] // 8, image_wh[0] // 8, 4), dtype=np.uint8)
    small = QImage(noise.data, noise.shape[1], noise.shape[0], QImage.Format.Format_RGB32)
    return small.scaled(*image_wh, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)


class NaiveView(QWidget):
    """Builds and strokes a path per visible instance on each paint, nothing kept."""

    def __init__(self, image: QImage, document: Document) -> None:
        super().__init__()
        self.setMouseTracking(True)
        self._image, self._document = image, document
        self.viewport = Viewport(document.size_wh, SIZE).fitted()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        view, (width, height) = self.viewport, self._document.size_wh
        painter.translate(view.offset_x, view.offset_y)
        painter.scale(view.scale, view.scale)
        painter.drawImage(QRectF(0, 0, width, height), self._image)
        x1, y1, x2, y2 = view.visible_box
        for instance in self._document:
            left, top, right, bottom = instance.bounds_xyxy
            if left > x2 or right < x1 or top > y2 or bottom < y1:
                continue
            path = QPainterPath()
            path.addPolygon(polygon_f(instance.polygons[0].exterior))
            path.closeSubpath()
            pen = QPen(QColor(80, 180, 230), 2)
            pen.setCosmetic(True)
            painter.fillPath(path, QBrush(QColor(80, 180, 230, 50)))
            painter.strokePath(path, pen)
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        factor = 1.25 ** (event.angleDelta().y() / 120)
        self.viewport = self.viewport.zoomed(factor, (event.position().x(), event.position().y()))
        self.update()
