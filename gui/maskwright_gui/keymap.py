"""Keys of all actions: the defaults, presets known from other tools, and the user's own. No Qt.

A preset names only what differs from the defaults. A key that a preset or the user gives to one action is taken from
the action that had it before.
"""

import re
from collections.abc import Callable, Mapping

Keys = tuple[str, ...]
WithKeys = Callable[[str], str]
"""Makes a text that mentions keys, as `with_keys` does, with the current ones."""
Keymap = Mapping[str, Keys]
"""{action id: keys such as "Ctrl+Shift+D"}"""

DEFAULT_PRESET = "Maskwright"
_ORDER = ("Ctrl", "Alt", "Shift", "Meta")
_NAMES = {"del": "Del", "delete": "Del", "esc": "Esc", "escape": "Esc", "pgdown": "PgDown", "pgup": "PgUp"}

PRESET_NAMES = ("labelme", "CVAT", "ISAT")
"""Programs whose keys an action may declare.

labelme 7.1: "Default shortcuts" of its configuration. CVAT: "Shortcuts" of its manual; its step keys and track actions
have no counterpart here. ISAT 1.5: its Ctrl+A, Ctrl+Q and Ctrl+E are left out: here and nearly everywhere they select
all, quit and edit.
"""


_NAMED = re.compile(r"\{(.+?)\}")


def with_keys(text: str, shown: Mapping[str, str]) -> str:
    """`text` with "{accept}" replaced by the key of the action `accept`, and "{[}" by the key that tools call "[".

    shown: {id or name: the key as shown to the user}; unknown names stay as they are.
    """
    return _NAMED.sub(lambda found: shown.get(found[1], found[0]), text)


def canonical(key: str) -> str:
    """One spelling per key: "shift + CTRL+z" becomes "Ctrl+Shift+Z"."""
    text = key.strip()
    # a final plus sign is the key itself
    *modifiers, last = [part.strip() for part in (text[:-1].split("+") if text.endswith("+") else text.split("+"))]
    last = "+" if text.endswith("+") else last
    known = {modifier.capitalize() for modifier in modifiers if modifier}
    name = _NAMES.get(last.lower(), last.upper() if len(last) == 1 else last[:1].upper() + last[1:])
    return "+".join([*(modifier for modifier in _ORDER if modifier in known), name])


def resolved(defaults: Keymap, preset: Keymap | None = None, own: Keymap | None = None) -> dict[str, Keys]:
    """The current keys: the defaults, then the preset's, then the user's, each taking keys away from those before.

    Ids that `defaults` does not know are left out.
    """
    keys = {id_: tuple(map(canonical, known)) for id_, known in defaults.items()}
    for layer in (preset or {}, own or {}):
        chosen = {id_: tuple(map(canonical, layer[id_])) for id_ in layer if id_ in keys}
        claimed = {key for known in chosen.values() for key in known}
        keys = {id_: chosen.get(id_, tuple(key for key in known if key not in claimed)) for id_, known in keys.items()}
    return keys


def claimed_by(keys: Keymap, key: str, *, but: str = "") -> str | None:
    """The action that already has the key, if it is not `but`."""
    wanted = canonical(key)
    return next((id_ for id_, known in keys.items() if id_ != but and wanted in map(canonical, known)), None)
