"""Which part of an image a widget shows: zoom at the pointer, pan with the middle button or Space, fit, 100 %."""

from PySide6.QtCore import QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from maskwright_gui.canvas.viewport import Box, Viewport, ViewportState

_ZOOM_STEP = 1.25
WHEEL_NOTCH = 120.0
"""Qt's angle delta for one notch of a wheel."""


class Navigator(QObject):
    """Holds the viewport of its parent, which passes it the events that no tool uses."""

    zoom_changed = Signal(float)
    """Screen pixels per image pixel."""
    viewport_changed = Signal()

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self.plain_wheel_zooms = True
        """Whether the wheel alone zooms; Ctrl and the wheel always do."""
        self.follows_closely = False
        """Whether `bring_into_view` also zooms."""
        self._viewport = Viewport()
        self._pan_from: QPointF | None = None
        self._space_held = False

    @property
    def viewport(self) -> Viewport:
        """What part of the image is on screen."""
        return self._viewport

    @property
    def zoom(self) -> float:
        """Screen pixels per image pixel."""
        return self._viewport.scale

    @property
    def is_panning(self) -> bool:
        """Whether the image is being dragged."""
        return self._pan_from is not None

    def show(self, viewport: Viewport) -> None:
        """Show another part of the image, or another zoom."""
        if viewport == self._viewport:
            return
        rescaled = viewport.scale != self._viewport.scale
        self._viewport = viewport
        self._widget.update()
        self.viewport_changed.emit()
        if rescaled:
            self.zoom_changed.emit(viewport.scale)

    def go_back_to(self, state: ViewportState) -> None:
        """Restore the zoom and position of an earlier visit, stored as `viewport.state`."""
        self.show(self._viewport.with_state(state))

    def zoom_in(self) -> None:
        """Zoom in by one step, at the centre."""
        self._zoom_at_centre(_ZOOM_STEP)

    def zoom_out(self) -> None:
        """Zoom out by one step, at the centre."""
        self._zoom_at_centre(1 / _ZOOM_STEP)

    def zoom_to_fit(self) -> None:
        """Show the whole image."""
        self.show(self._viewport.fitted())

    def zoom_to_actual(self) -> None:
        """Show one image pixel per screen pixel, with the same centre."""
        self._zoom_at_centre(1.0 / self._viewport.scale)

    def zoom_to_box(self, box: Box) -> None:
        """Centre an image area, xyxy, and zoom in on it."""
        self.show(self._viewport.zoomed_to(box))

    def bring_into_view(self, box: Box) -> None:
        """Bring an image area, xyxy, into view; nothing moves if it already is."""
        if self.follows_closely:
            self.zoom_to_box(box)
        else:
            self.show(self._viewport.showing(box))

    def centre_on(self, x: float, y: float) -> None:
        """Centre the view on an image point, at the current zoom."""
        self.show(self._viewport.centred((x, y), self._viewport.scale))

    def _zoom_at_centre(self, factor: float) -> None:
        self.show(self._viewport.zoomed(factor, (self._widget.width() / 2, self._widget.height() / 2)))

    # Events that the widget passes on

    def on_resize(self, size: QSize) -> None:
        """Follow the widget's new size."""
        self.show(self._viewport.with_screen((size.width(), size.height())))

    def on_wheel(self, event: QWheelEvent) -> None:
        """Zoom or pan, as the user has chosen."""
        modifiers, delta = event.modifiers(), event.angleDelta()
        is_ctrl = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        is_shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if (is_ctrl or (self.plain_wheel_zooms and not is_shift)) and delta.y():
            factor = _ZOOM_STEP ** (delta.y() / WHEEL_NOTCH)
            self.show(self._viewport.zoomed(factor, (event.position().x(), event.position().y())))
        elif is_shift:
            self.show(self._viewport.panned(delta.y() or delta.x(), 0.0))
        else:
            self.show(self._viewport.panned(delta.x(), delta.y()))
        event.accept()

    def on_press(self, event: QMouseEvent) -> None:
        """Begin to pan with the middle button, or with any while Space is held."""
        is_left = event.button() is Qt.MouseButton.LeftButton
        if event.button() is Qt.MouseButton.MiddleButton or (is_left and self._space_held):
            self._pan_from = event.position()
            self._widget.setCursor(Qt.CursorShape.ClosedHandCursor)
            event.accept()

    def on_move(self, event: QMouseEvent) -> None:
        """Pan with the pointer."""
        if self._pan_from is not None:
            moved = event.position() - self._pan_from
            self._pan_from = event.position()
            self.show(self._viewport.panned(moved.x(), moved.y()))
            event.accept()

    def on_release(self, event: QMouseEvent) -> None:
        """End panning."""
        if self._pan_from is not None:
            self._pan_from = None
            held, free = Qt.CursorShape.OpenHandCursor, Qt.CursorShape.ArrowCursor
            self._widget.setCursor(held if self._space_held else free)
            event.accept()

    def on_key(self, event: QKeyEvent) -> None:
        """Take Space for panning; ignore other keys, so that the window gets them."""
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                self._space_held = True
                self._widget.setCursor(Qt.CursorShape.OpenHandCursor)
            event.accept()
        else:
            event.ignore()

    def on_key_release(self, event: QKeyEvent) -> bool:
        """Whether the key was held for panning."""
        if event.key() != Qt.Key.Key_Space or event.isAutoRepeat():
            return False
        self._space_held = False
        self._widget.setCursor(Qt.CursorShape.ArrowCursor)
        return True
