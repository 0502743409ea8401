"""Help: the search for actions, the key sheet, changing keys."""

import json

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMessageBox

from maskwright import __version__
from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.canvas.events import MENU, TOOL_KEYS, ToolKeys
from maskwright_gui.dialogs.key_sheet import KeySheet
from maskwright_gui.dialogs.keys import KeysDialog
from maskwright_gui.dialogs.quick import CommandPalette
from maskwright_gui.feature import Context, Feature
from maskwright_gui.keymap import DEFAULT_PRESET, PRESET_NAMES, Keymap, resolved


class HelpFeature(Feature):
    """Search for actions, key sheet, changing keys, About."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._declare(
            Action(
                "palette",
                "Search actions",
                Menu.HELP,
                0,
                self.open_palette,
                keys=("Ctrl+K",),
                icon="magnifying-glass",
                needs=nothing,
            ),
            Action(
                "keys",
                "Change keyboard shortcuts…",
                Menu.HELP,
                0,
                self.open_keys,
                needs=nothing,
                words="keys hotkeys bindings preset labelme cvat isat",
            ),
            Action(
                "key_sheet",
                "Keyboard shortcuts",
                Menu.HELP,
                0,
                self.open_key_sheet,
                keys=("F1",),
                icon="keyboard",
                needs=nothing,
                words="hotkeys help cheat sheet",
            ),
            Action(
                "about",
                "About Maskwright",
                Menu.HELP,
                1,
                self.open_about,
                icon="info",
                needs=nothing,
                words="version licence",
            ),
        )
        self._window.header.add_button(self._actions["palette"], has_text=True)

    def open_palette(self) -> None:
        """Find any action by typing."""
        CommandPalette(self._known_actions(), self._window).pop_up()

    def open_key_sheet(self) -> None:
        """Show all keys."""
        rows = [(spec.menu, spec.text, self._actions[spec.id].shortcuts()) for spec in self._actions.specs.values()]
        KeySheet(rows, self._canvas.shown_keys, self._window).show()

    def open_keys(self) -> None:
        """Change keys, or choose a preset."""
        titles = {spec.id: (str(spec.menu), spec.text) for spec in self._actions.specs.values()}
        titles |= {known.id: (MENU, known.text) for known in TOOL_KEYS}
        preset, own = self._stored_keys()
        dialog = KeysDialog(titles, self._default_keys(), self._actions.presets, preset, own, self._window)
        dialog.accepted_keys.connect(self.use_keys)
        dialog.open()

    def use_keys(self, preset: str, own: Keymap) -> None:
        """Apply and remember a preset and the user's own keys."""
        self._settings.setValue("keys/preset", preset)
        self._settings.setValue("keys/own", json.dumps(dict(own)))
        self._put_in_force(preset, own)

    def restore_keys(self) -> None:
        """Apply the keys chosen in an earlier session."""
        self._put_in_force(*self._stored_keys())

    def open_about(self) -> None:
        """Show the version and the purpose of the program."""
        text = f"Maskwright {__version__}\n\nPre-label images, correct the polygons, export an exact COCO file."
        QMessageBox.about(self._window, "About Maskwright", text)

    def _put_in_force(self, preset: str, own: Keymap) -> None:
        keys = resolved(self._default_keys(), self._actions.presets[preset], own)
        self._actions.use_keys(keys)
        self._canvas.set_keys(ToolKeys(keys), self._actions.shown_keys)

    def _default_keys(self) -> Keymap:
        return {**self._actions.default_keys, **{known.id: (known.key,) for known in TOOL_KEYS}}

    def _stored_keys(self) -> tuple[str, Keymap]:
        """The keys chosen last; the defaults if the settings cannot be read."""
        preset = str(self._settings.value("keys/preset", DEFAULT_PRESET))
        try:
            own = {str(id_): tuple(map(str, keys)) for id_, keys in json.loads(self._own_keys_text()).items()}
        except (ValueError, AttributeError, TypeError):
            own = {}
        return (preset if preset in PRESET_NAMES else DEFAULT_PRESET), own

    def _own_keys_text(self) -> str:
        return str(self._settings.value("keys/own", "{}"))

    def _known_actions(self) -> list[tuple[Action, QAction]]:
        return [(spec, self._actions[spec.id]) for spec in self._actions.specs.values()]
