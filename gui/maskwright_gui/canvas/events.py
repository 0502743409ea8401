"""Translates Qt input into the plain values that tools understand.

Tools know each of their keys by a fixed name. Where the user has reassigned a key, the pressed key is translated to
that name, and the name to the key shown in hints.
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
    """The modifiers held during an event."""
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
    """The mouse event as tools see it."""
    x, y = viewport.to_image(place.x(), place.y())
    held = _BUTTONS.get(button, Button.NONE)
    return Pointer(x, y, modifiers_of(modifiers), held, viewport.scale, is_double)


def pointer_of(event: QMouseEvent, viewport: Viewport, *, is_double: bool = False) -> Pointer:
    """The same, with the button pressed or released; during a move, the left button if it is held."""
    place, button = event.position(), _held_button(event)
    return pointer_at(place, viewport, event.modifiers(), button=button, is_double=is_double)


def key_of(event: QKeyEvent) -> KeyPress:
    """The key by name; a character in upper case."""
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
"""The heading for these keys in the keys dialog."""


@dataclass(frozen=True, slots=True)
class ToolKey:
    """A key that a tool understands, which the user may replace."""

    id: str
    text: str
    name: str
    """The name that tools use."""
    key: str
    """The default key, written as in `keymap`. It has no modifiers: those held with it count as held with the mouse."""


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
    """The current keys of the tools."""

    def __init__(self, keys: Mapping[str, Keys] | None = None) -> None:
        """keys: {id: keys}; a missing id has the default key, an empty tuple no key."""
        chosen = {known: (keys or {}).get(known.id, (known.key,)) for known in TOOL_KEYS}
        self._names = {key: known.name for known, own in chosen.items() for key in own}
        self._ours = frozenset(known.name for known in TOOL_KEYS)
        self.shown = {known.name: _shown(own[0]) if own else "(no key)" for known, own in chosen.items()}
        """{name: the key as shown to the user}"""

    def key_of(self, event: QKeyEvent) -> KeyPress:
        """The key as tools know it; nameless if another key has replaced it."""
        key = key_of(event)
        name = self._names.get(QKeySequence(event.key()).toString(QKeySequence.SequenceFormat.PortableText))
        if name is None and key.name in self._ours:
            name = ""
        return key if name is None else replace(key, name=name)


def has_modifiers(key: str) -> bool:
    """Whether a key such as "Ctrl+Shift+Z" has modifiers; a final plus sign is the key itself."""
    return "+" in key[:-1]


def _shown(key: str) -> str:
    return "Insert" if key == "Ins" else QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
