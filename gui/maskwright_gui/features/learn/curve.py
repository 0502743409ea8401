"""The training loss as one painted line; a plotting library would take a second to load."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

_MOST_POINTS = 600
_MARGIN_PX = 6.0


class LossCurve(QWidget):
    """The loss over the completed share of the round, with 0 at the bottom."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: list[tuple[float, float]] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(90)

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """(share, loss), in order of arrival."""
        return tuple(self._points)

    def clear(self) -> None:
        """Remove all points."""
        self._points = []
        self.update()

    def add(self, share: float, error: float) -> None:
        """Add a point; share is 0..1. When there are many, every other point is dropped."""
        self._points.append((share, error))
        if len(self._points) > _MOST_POINTS:
            self._points = self._points[::2]
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, 130)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        place = QRectF(self.rect()).adjusted(_MARGIN_PX, _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.PlaceholderText), 1))
        painter.drawLine(place.bottomLeft(), place.bottomRight())
        painter.drawText(place, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight, "loss while learning")
        if len(self._points) > 1:
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 2))
            painter.drawPolyline(self._line(place))

    def _line(self, place: QRectF) -> QPolygonF:
        top = max(error for _, error in self._points) or 1.0
        return QPolygonF(
            [
                QPointF(place.left() + share * place.width(), place.bottom() - error / top * place.height())
                for share, error in self._points
            ]
        )
