"""How states look: a word, a colour and a shape for each, so that colour is never the only sign."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from maskwright.document.values import ImageRecord, ImageStanding, ImageState, InstanceState

_IMAGE_TEXT = {
    ImageState.UNSEEN: "not seen",
    ImageState.PRELABELLED: "pre-labelled",
    ImageState.IN_PROGRESS: "in progress",
    ImageState.DONE: "done",
    ImageState.EMPTY: "verified empty",
}
_IMAGE_COLOUR = {
    ImageState.UNSEEN: "#8a9199",
    ImageState.PRELABELLED: "#3d8bd9",
    ImageState.IN_PROGRESS: "#d18a1b",
    ImageState.DONE: "#2f9e57",
    ImageState.EMPTY: "#2f9e57",
}
_INSTANCE_TEXT = {
    InstanceState.PROPOSED: "proposal",
    InstanceState.ACCEPTED: "accepted",
    InstanceState.EDITED: "edited",
    InstanceState.DRAWN: "drawn",
    InstanceState.REJECTED: "rejected",
}

MISSING_COLOUR = QColor("#d9534f")
"""Of what stands for an image whose file is not there."""


def state_text(state: ImageState) -> str:
    """The state as a word."""
    return _IMAGE_TEXT[state]


def record_text(record: ImageRecord) -> str:
    """The state as a word, or that the image is out of the set."""
    return state_text(record.state) if record.standing is ImageStanding.LISTED else record.standing.value


def state_colour(state: ImageState) -> QColor:
    """The colour of its mark."""
    return QColor(_IMAGE_COLOUR[state])


def origin_text(state: InstanceState) -> str:
    """The objects panel's word for the origin of an object."""
    return _INSTANCE_TEXT[state]


def paint_state_mark(painter: QPainter, centre: QPointF, state: ImageState, *, radius: float = 5.0) -> None:
    """Unseen: ring; pre-labelled: ring with a point; in progress: half; done: disc with a tick; empty: slashed ring."""
    colour = state_colour(state)
    box = QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.5))
    painter.setBrush(colour if state is ImageState.DONE else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(box)
    painter.setBrush(colour)
    match state:
        case ImageState.PRELABELLED:
            painter.drawEllipse(centre, radius / 3, radius / 3)
        case ImageState.IN_PROGRESS:
            painter.drawPie(box, 90 * 16, -180 * 16)
        case ImageState.DONE:
            _paint_tick(painter, centre, radius)
        case ImageState.EMPTY:
            painter.drawLine(
                box.bottomLeft() * 0.85 + box.topRight() * 0.15, box.bottomLeft() * 0.15 + box.topRight() * 0.85
            )
        case ImageState.UNSEEN:
            pass
    painter.restore()


def paint_record_mark(painter: QPainter, centre: QPointF, record: ImageRecord) -> None:
    """Paint the state mark; for an image out of the set, a cross."""
    if record.standing is ImageStanding.LISTED:
        paint_state_mark(painter, centre, record.state)
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(state_colour(ImageState.UNSEEN), 1.5))
    for corner in (QPointF(4, 4), QPointF(4, -4)):
        painter.drawLine(centre - corner, centre + corner)
    painter.restore()


def paint_missing_mark(painter: QPainter, centre: QPointF) -> None:
    """An exclamation mark in a ring, whatever the state: there is nothing to look at."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(MISSING_COLOUR, 1.5))
    painter.drawEllipse(centre, 5.0, 5.0)
    painter.drawLine(centre - QPointF(0, 2.6), centre + QPointF(0, 0.6))
    painter.drawPoint(centre + QPointF(0, 2.7))
    painter.restore()


def _paint_tick(painter: QPainter, centre: QPointF, radius: float) -> None:
    painter.setPen(QPen(QColor("white"), 1.5))
    corner = centre + QPointF(-0.1, 0.4) * radius
    painter.drawPolyline([centre + QPointF(-0.5, 0.0) * radius, corner, centre + QPointF(0.5, -0.4) * radius])
