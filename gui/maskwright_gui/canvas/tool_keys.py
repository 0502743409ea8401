"""The keys that the canvas and its tools take before any action, and those that a person has put in their place.

Tools know each by a fixed name; here the key that was pressed becomes that name, and the name the key that is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtGui import QKeyEvent, QKeySequence

from maskwright_gui.canvas.events import key_of
from maskwright_gui.keymap import Keys
from maskwright_gui.tools.tool import KeyPress

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
    ToolKey("pointer_click", "Click where the pointer is", "Insert", "Ins"),
    ToolKey("pointer_hold", "Hold the pointer's button, or let it go", "Home", "Home"),
    ToolKey("next_vertex", "Walk to the next vertex", ".", "."),
    ToolKey("previous_vertex", "Walk to the vertex before", ",", ","),
    ToolKey("less", "Smaller brush, less detail, turn to the left", "[", "["),
    ToolKey("more", "Larger brush, more detail, turn to the right", "]", "]"),
)
TOOL_KEY_IDS = frozenset(known.id for known in TOOL_KEYS)


class ToolKeys:
    """Which keys are in force."""

    def __init__(self, keys: Mapping[str, Keys] | None = None) -> None:
        """`keys`: {id: keys}; an id that is missing has our own key, one with no keys none."""
        chosen = {known: (keys or {}).get(known.id, (known.key,)) for known in TOOL_KEYS}
        self._names = {key: known.name for known, own in chosen.items() for key in own}
        self._ours = frozenset(known.name for known in TOOL_KEYS)
        self.shown = {known.name: _shown(own[0]) if own else "(no key)" for known, own in chosen.items()}
        """{name: the key as a person reads it}"""

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
