"""The history panel: every step on the image with a picture of what it changed; a click goes to that moment.

A picture shows the changed part of the image, with the outlines before dashed and those after solid.
"""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright.words import count_of
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.history import Step
from maskwright_gui.panels.widgets import Inviting, named

PICTURE = QSize(64, 48)
_MARGIN = 0.25
"""Margin, as a share of the changed area's longer side."""
_LEAST_PX = 24.0
"""Smallest side of a picture in image pixels, so that a tiny object is seen in its surroundings."""
_MOST_OUTLINES = 60


def step_picture(change: Change, pyramid: ImagePyramid | None, style: CanvasStyle, *, ratio: float) -> QPixmap:
    """ratio: physical pixels per pixel of the picture."""
    picture = QPixmap(PICTURE * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(QColor(*style.background))
    area = _area(change)
    if area is None or pyramid is None:
        return picture
    painter = QPainter(picture)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    scale = min(PICTURE.width() / area.width(), PICTURE.height() / area.height())
    painter.translate(PICTURE.width() / 2, PICTURE.height() / 2)
    painter.scale(scale, scale)
    painter.translate(-area.center())
    _paint_pixels(painter, pyramid, area, scale * ratio)
    for before, after in [(before, after) for _, before, after in change][:_MOST_OUTLINES]:
        if before is not None and (after is None or before.polygons != after.polygons):
            _paint_outline(painter, before, style, Qt.PenStyle.DashLine)
        if after is not None:
            gone = after.state is InstanceState.REJECTED
            _paint_outline(painter, after, style, Qt.PenStyle.DotLine if gone else Qt.PenStyle.SolidLine)
    painter.end()
    return picture


def _area(change: Change) -> QRectF | None:
    """The part of the image to show, in image pixels."""
    boxes = [each.bounds_xyxy for _, before, after in change for each in (before, after) if each and each.polygons]
    if not boxes:
        return None
    lows, highs = [box[:2] for box in boxes], [box[2:] for box in boxes]
    x1, y1 = (min(values) for values in zip(*lows, strict=True))
    x2, y2 = (max(values) for values in zip(*highs, strict=True))
    side = max((x2 - x1) * (1 + 2 * _MARGIN), (y2 - y1) * (1 + 2 * _MARGIN) * PICTURE.width() / PICTURE.height())
    width = max(side, _LEAST_PX)
    height = width * PICTURE.height() / PICTURE.width()
    return QRectF((x1 + x2 - width) / 2, (y1 + y2 - height) / 2, width, height)


def _paint_pixels(painter: QPainter, pyramid: ImagePyramid, area: QRectF, scale: float) -> None:
    """Paint from the level closest to the picture's scale, so that a large image costs no more than a small one."""
    level = next((k for k in range(len(pyramid.levels) - 1, -1, -1) if _level_scale(pyramid, k) >= scale), 0)
    pixels: QImage = pyramid.levels[level]
    factor = pixels.width() / pyramid.size_wh[0]
    source = QRectF(area.topLeft() * factor, area.size() * factor)
    painter.drawImage(area, pixels, source)


def _level_scale(pyramid: ImagePyramid, level: int) -> float:
    return pyramid.levels[level].width() / pyramid.size_wh[0]


def _paint_outline(painter: QPainter, instance: Instance, style: CanvasStyle, line: Qt.PenStyle) -> None:
    path = QPainterPath()
    for ring in _rings(instance):
        path.addPolygon(ring)
        path.closeSubpath()
    for colour, width in ((QColor(0, 0, 0, 170), 2.5), (QColor(*style.colour(instance.category_id)), 1.2)):
        pen = QPen(colour, width, line)
        pen.setCosmetic(True)
        painter.strokePath(path, pen)


def _rings(instance: Instance) -> Iterable[list[QPointF]]:
    for polygon in instance.polygons:
        for ring in polygon.rings:
            yield [QPointF(x, y) for x, y in ring.tolist()]


_COUNT = Qt.ItemDataRole.UserRole
MOST_SHOWN = 100
"""Number of steps listed; earlier ones are in the list with times."""


class StepsPanel(QWidget):
    """The latest step is on top; undone steps are above the marked one, dimmed."""

    wanted = Signal(int)
    """Number of steps to be done, counted from the first."""
    all_requested = Signal()
    """Open the list with times, back to the first day."""
    today_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._list = named(QListWidget(self), "Steps on this image")
        self._list.setIconSize(PICTURE)
        self._list.setSpacing(1)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.itemClicked.connect(self._on_clicked)
        self._list.itemActivated.connect(self._on_clicked)
        self._stack = Inviting(
            self._list, "Your steps on this image are listed here. Click one to go back to it.", self
        )
        everything = named(QPushButton("Show times…", self), "All steps with times")
        everything.clicked.connect(self.all_requested)
        today = named(QPushButton("Today…", self), "What changed today")
        today.clicked.connect(self.today_requested)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 6, 6)
        row.addWidget(everything)
        row.addWidget(today)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._stack, 1)
        column.addLayout(row)

    def show_steps(self, done: Sequence[Step], undone: Sequence[Step], picture: Callable[[Step], QPixmap]) -> None:
        """done: oldest first. undone: the next one to redo is last."""
        self._list.clear()
        steps = [*done, *reversed(undone)]
        for count in range(len(steps), max(len(steps) - MOST_SHOWN, 0), -1):
            step = steps[count - 1]
            item = self._add(
                f"{step.label}\n{count_of(len(step.change), 'object')}", count, is_undone=count > len(done)
            )
            item.setIcon(QIcon(picture(step)))
        if len(steps) <= MOST_SHOWN:
            self._add("Original state", 0, is_undone=False)
        for row in range(self._list.count()):
            if self._list.item(row).data(_COUNT) == len(done):
                self._list.setCurrentRow(row)
        self._stack.show_content(bool(steps))

    @property
    def texts(self) -> list[str]:
        """The texts of the rows, from top to bottom."""
        return [self._list.item(row).text() for row in range(self._list.count())]

    def choose(self, row: int) -> None:
        """Choose a row as if it had been clicked."""
        self._on_clicked(self._list.item(row))

    def _add(self, text: str, count: int, *, is_undone: bool) -> QListWidgetItem:
        item = QListWidgetItem(text, self._list)
        item.setData(_COUNT, count)
        item.setSizeHint(QSize(0, PICTURE.height() + 6 if count else 28))
        if is_undone:
            item.setForeground(self.palette().placeholderText())
            item.setToolTip("Undone; click to redo")
        return item

    def _on_clicked(self, item: QListWidgetItem) -> None:
        self.wanted.emit(item.data(_COUNT))
