"""Qt's input as the plain values that tools understand."""

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent

from maskwright_gui.canvas.viewport import Viewport
from maskwright_gui.tools.tool import Button, Cursor, KeyPress, Modifiers, Pointer

_BUTTONS = {Qt.MouseButton.LeftButton: Button.LEFT, Qt.MouseButton.RightButton: Button.RIGHT}
_NAMES = {
    Qt.Key.Key_Return: "Enter",
    Qt.Key.Key_Enter: "Enter",
    Qt.Key.Key_Escape: "Escape",
    Qt.Key.Key_Backspace: "Backspace",
    Qt.Key.Key_Delete: "Delete",
    Qt.Key.Key_Tab: "Tab",
    Qt.Key.Key_Backtab: "Tab",
    Qt.Key.Key_Left: "Left",
    Qt.Key.Key_Right: "Right",
    Qt.Key.Key_Up: "Up",
    Qt.Key.Key_Down: "Down",
    Qt.Key.Key_Space: "Space",
    Qt.Key.Key_Insert: "Insert",
    Qt.Key.Key_Home: "Home",
}
_CURSORS = {
    Cursor.ARROW: Qt.CursorShape.ArrowCursor,
    Cursor.CROSS: Qt.CursorShape.CrossCursor,
    Cursor.MOVE: Qt.CursorShape.SizeAllCursor,
    Cursor.GRAB: Qt.CursorShape.OpenHandCursor,
    Cursor.HIDDEN: Qt.CursorShape.BlankCursor,
}


def modifiers_of(state: Qt.KeyboardModifier) -> Modifiers:
    """The keys held at an event."""
    return Modifiers(
        shift=bool(state & Qt.KeyboardModifier.ShiftModifier),
        ctrl=bool(state & Qt.KeyboardModifier.ControlModifier),
        alt=bool(state & Qt.KeyboardModifier.AltModifier),
    )


def pointer_at(
    place: QPointF,
    viewport: Viewport,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    *,
    button: Qt.MouseButton = Qt.MouseButton.NoButton,
    is_double: bool = False,
) -> Pointer:
    """What a tool is told of a mouse event."""
    x, y = viewport.to_image(place.x(), place.y())
    held = _BUTTONS.get(button, Button.NONE)
    return Pointer(x, y, modifiers_of(modifiers), held, viewport.scale, is_double)


def pointer_of(event: QMouseEvent, viewport: Viewport, *, is_double: bool = False) -> Pointer:
    """The same, with the button pressed or released; on a move the left one if it is held."""
    place, button = event.position(), _held_button(event)
    return pointer_at(place, viewport, event.modifiers(), button=button, is_double=is_double)


def key_of(event: QKeyEvent) -> KeyPress:
    """The key by name; for a character its upper case."""
    name = _NAMES.get(Qt.Key(event.key()))
    if name is None:
        code = event.key()
        name = chr(code) if 0x20 < code < 0x7F else event.text().upper()
    modifiers = modifiers_of(event.modifiers())
    if event.key() == Qt.Key.Key_Backtab:
        modifiers = Modifiers(True, modifiers.ctrl, modifiers.alt)
    return KeyPress(name, modifiers)


def cursor_shape(cursor: Cursor) -> Qt.CursorShape:
    """Qt's shape for a tool's cursor."""
    return _CURSORS[cursor]


def _held_button(event: QMouseEvent) -> Qt.MouseButton:
    if event.type() != QEvent.Type.MouseMove:
        return event.button()
    is_left = event.buttons() & Qt.MouseButton.LeftButton
    return Qt.MouseButton.LeftButton if is_left else Qt.MouseButton.NoButton
