"""Qt's input as the plain values that tools understand.

Tools know each of their keys by a fixed name. A user may put others in their place: the key that was pressed becomes
that name, and the name the key that is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent

from maskwright_gui.canvas.viewport import Viewport
from maskwright_gui.keymap import Keys
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


MENU = "On the canvas"
"""Under which heading the keys dialog lists them."""


@dataclass(frozen=True, slots=True)
class ToolKey:
    id: str
    text: str
    name: str
    """As the tools know it."""
    key: str
    """Ours, as `keymap` writes keys. What is held with it counts as held with the mouse, so it has no modifiers."""


TOOL_KEYS = (
    ToolKey("pointer_click", "Click at the pointer", "Insert", "Ins"),
    ToolKey("pointer_hold", "Hold down or release the pointer's button", "Home", "Home"),
    ToolKey("next_vertex", "Go to the next vertex", ".", "."),
    ToolKey("previous_vertex", "Go to the previous vertex", ",", ","),
    ToolKey("less", "Smaller brush, less detail, turn left", "[", "["),
    ToolKey("more", "Larger brush, more detail, turn right", "]", "]"),
)
TOOL_KEY_IDS = frozenset(known.id for known in TOOL_KEYS)


class ToolKeys:
    """The current keys."""

    def __init__(self, keys: Mapping[str, Keys] | None = None) -> None:
        """`keys`: {id: keys}; an id that is missing has our own key, one with no keys none."""
        chosen = {known: (keys or {}).get(known.id, (known.key,)) for known in TOOL_KEYS}
        self._names = {key: known.name for known, own in chosen.items() for key in own}
        self._ours = frozenset(known.name for known in TOOL_KEYS)
        self.shown = {known.name: _shown(own[0]) if own else "(no key)" for known, own in chosen.items()}
        """{name: the key as a user reads it}"""

    def key_of(self, event: QKeyEvent) -> KeyPress:
        """The key as the tools know it; without a name where another key has taken its place."""
        key = key_of(event)
        name = self._names.get(QKeySequence(event.key()).toString(QKeySequence.SequenceFormat.PortableText))
        if name is None and key.name in self._ours:
            name = ""
        return key if name is None else replace(key, name=name)


def has_modifiers(key: str) -> bool:
    """Of a key such as "Ctrl+Shift+Z", where a plus sign at the end is the key itself."""
    return "+" in key[:-1]


def _shown(key: str) -> str:
    return "Insert" if key == "Ins" else QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
