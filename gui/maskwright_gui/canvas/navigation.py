"""A widget that shows part of an image: zoom at the pointer, pan with the middle button or Space, fit, 100 %."""

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from maskwright_gui.canvas.viewport import Box, Viewport, ViewportState

_ZOOM_STEP = 1.25
_WHEEL_NOTCH = 120.0


class NavigableView(QWidget):
    """Holds the viewport. A subclass paints, and passes on the events that it does not use itself."""

    zoom_changed = Signal(float)
    """Screen pixels per image pixel."""
    viewport_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plain_wheel_zooms = True
        """Whether the wheel alone zooms; Ctrl and the wheel always do."""
        self.follows_closely = False
        """Whether what comes into view is zoomed to as well."""
        self._viewport = Viewport()
        self._pan_from: QPointF | None = None
        self._space_held = False

    @property
    def viewport(self) -> Viewport:
        """What of the image is on screen."""
        return self._viewport

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        return self._viewport.scale

    @property
    def is_panning(self) -> bool:
        """Whether the image is being dragged."""
        return self._pan_from is not None

    def viewport_state(self) -> ViewportState:
        """To come back to; see `ViewportState`."""
        return self._viewport.state

    def set_viewport_state(self, state: ViewportState) -> None:
        """Zoom and place of an earlier visit."""
        self._set_viewport(self._viewport.with_state(state))

    def zoom_in(self) -> None:
        """By one step, at the middle."""
        self._zoom_at_centre(_ZOOM_STEP)

    def zoom_out(self) -> None:
        """By one step, at the middle."""
        self._zoom_at_centre(1 / _ZOOM_STEP)

    def zoom_to_fit(self) -> None:
        """The whole image."""
        self._set_viewport(self._viewport.fitted())

    def zoom_to_actual(self) -> None:
        """One image pixel per screen pixel; the centre stays."""
        self._zoom_at_centre(1.0 / self._viewport.scale)

    def zoom_to_box(self, box: Box) -> None:
        """An image area, xyxy, centred and large."""
        self._set_viewport(self._viewport.zoomed_to(box))

    def bring_into_view(self, box: Box) -> None:
        """An image area, xyxy; nothing moves where it is in view."""
        if self.follows_closely:
            self.zoom_to_box(box)
        else:
            self._set_viewport(self._viewport.showing(box))

    def centre_on(self, x: float, y: float) -> None:
        """An image point in the middle, at the zoom as it is."""
        self._set_viewport(self._viewport.centred((x, y), self._viewport.scale))

    def _zoom_at_centre(self, factor: float) -> None:
        self._set_viewport(self._viewport.zoomed(factor, (self.width() / 2, self.height() / 2)))

    def _set_viewport(self, viewport: Viewport) -> None:
        if viewport == self._viewport:
            return
        rescaled = viewport.scale != self._viewport.scale
        self._viewport = viewport
        self.update()
        self.viewport_changed.emit()
        if rescaled:
            self.zoom_changed.emit(viewport.scale)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._set_viewport(self._viewport.with_screen((event.size().width(), event.size().height())))
        self.viewport_changed.emit()
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        modifiers, delta = event.modifiers(), event.angleDelta()
        is_ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        is_shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if (is_ctrl or (self.plain_wheel_zooms and not is_shift)) and delta.y():
            factor = _ZOOM_STEP ** (delta.y() / _WHEEL_NOTCH)
            self._set_viewport(self._viewport.zoomed(factor, (event.position().x(), event.position().y())))
        elif is_shift:
            self._set_viewport(self._viewport.panned(delta.y() or delta.x(), 0.0))
        else:
            self._set_viewport(self._viewport.panned(delta.x(), delta.y()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        is_left = event.button() is Qt.MouseButton.LeftButton
        if event.button() is Qt.MouseButton.MiddleButton or (is_left and self._space_held):
            self._pan_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            moved = event.position() - self._pan_from
            self._pan_from = event.position()
            self._set_viewport(self._viewport.panned(moved.x(), moved.y()))
            event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            self._pan_from = None
            self.setCursor(Qt.CursorShape.OpenHandCursor if self._space_held else Qt.CursorShape.ArrowCursor)
            event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._space_held = True
                self.setCursor(Qt.CursorShape.OpenHandCursor)
            event.accept()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space_held = False
            self.setCursor(Qt.CursorShape.ArrowCursor)
        else:
            super().keyReleaseEvent(event)
