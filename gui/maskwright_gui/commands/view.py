"""The View and Help menus, the tools, and what the canvas reports about the pointer and the zoom."""

import json
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QPoint, QSettings, Signal
from PySide6.QtGui import QAction, QCursor, QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

from maskwright import __version__
from maskwright_gui.actions import Action
from maskwright_gui.canvas.style import LabelMode
from maskwright_gui.canvas.tool_keys import MENU, TOOL_KEYS, ToolKeys
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.dialogs.class_picker import ClassPicker
from maskwright_gui.dialogs.command_palette import CommandPalette
from maskwright_gui.dialogs.key_sheet import KeySheet
from maskwright_gui.dialogs.keys import KeysDialog
from maskwright_gui.icons import themed_icon
from maskwright_gui.keymap import DEFAULT_PRESET, PRESET_NAMES, Keymap, resolved
from maskwright_gui.main_window import MainWindow
from maskwright_gui.session import Session
from maskwright_gui.theme import Theme, ThemeName, apply_theme, resolve_theme

_TOOL_NAMES = "window/tool_names"


class ViewCommands(QObject):
    theme_changed = Signal(object)
    """Theme."""

    def __init__(
        self, window: MainWindow, session: Session, settings: QSettings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._window, self._session, self._settings = window, session, settings
        self._canvas: CanvasView = window.canvas
        self.theme: Theme = resolve_theme(ThemeName(str(settings.value("window/theme", ThemeName.SYSTEM))))
        labels = LabelMode(str(settings.value("canvas/labels", LabelMode.ALL)))
        self._canvas.set_style(replace(self._canvas.style_values, label_mode=labels))
        self._names_switch = window.actions_table["toggle_tool_names"]
        self._names_switch.toggled.connect(self._on_tool_names)
        self._canvas.cursor_moved.connect(self._on_cursor_moved)
        self._canvas.cursor_left.connect(lambda: window.status.show_pointer(""))

    def restore(self) -> None:
        """What was set the last time, when the tool bar has its buttons."""
        self._names_switch.setChecked(bool(self._settings.value(_TOOL_NAMES, False, type=bool)))
        self.use_theme(self.theme)
        self.restore_keys()

    def use_theme(self, theme: Theme) -> None:
        self.theme = theme
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, theme)
        self._window.set_theme(theme)
        self._window.actions_table["toggle_theme"].setIcon(themed_icon("sun" if theme.is_dark else "moon", theme))
        self.theme_changed.emit(theme)

    def toggle_theme(self) -> None:
        name = ThemeName.LIGHT if self.theme.is_dark else ThemeName.DARK
        self._settings.setValue("window/theme", str(name))
        self.use_theme(resolve_theme(name))

    def cycle_labels(self) -> None:
        """All, then the selected only, then none, and round."""
        modes = list(LabelMode)
        style = self._canvas.style_values
        following = modes[modes.index(style.label_mode) - 1]
        self._canvas.set_style(replace(style, label_mode=following))
        self._settings.setValue("canvas/labels", str(following))

    def open_palette(self) -> None:
        CommandPalette(self._known_actions(), self._window).pop_up()

    def open_key_sheet(self) -> None:
        table = self._window.actions_table
        rows = [(spec.menu, spec.text, table[spec.id].shortcuts()) for spec in table.specs.values()]
        KeySheet(rows, self._canvas.context.shown_keys, self._window).show()

    def open_keys(self) -> None:
        table = self._window.actions_table
        titles = {spec.id: (str(spec.menu), spec.text) for spec in table.specs.values()}
        titles |= {known.id: (MENU, known.text) for known in TOOL_KEYS}
        preset, own = self._stored_keys()
        dialog = KeysDialog(titles, self._default_keys(), table.presets, preset, own, self._window)
        dialog.accepted_keys.connect(self.use_keys)
        dialog.open()

    def use_keys(self, preset: str, own: Keymap) -> None:
        """Put a preset and a person's own keys in force and remember them."""
        self._settings.setValue("keys/preset", preset)
        self._settings.setValue("keys/own", json.dumps(dict(own)))
        self._put_in_force(preset, own)

    def restore_keys(self) -> None:
        self._put_in_force(*self._stored_keys())

    def _put_in_force(self, preset: str, own: Keymap) -> None:
        keys = resolved(self._default_keys(), self._window.actions_table.presets[preset], own)
        self._window.actions_table.use_keys(keys)
        self._canvas.set_tool_keys(ToolKeys(keys))

    def open_about(self) -> None:
        text = f"Maskwright {__version__}\n\nPre-label images, correct the polygons, leave with an exact COCO file."
        QMessageBox.about(self._window, "About Maskwright", text)

    def place_for_popup(self) -> QPoint:
        """Where a person looks: at the pointer, or at the canvas while the pointer is elsewhere. Global position."""
        at, canvas = QCursor.pos(), self._canvas
        return (
            at if canvas.rect().contains(canvas.mapFromGlobal(at)) else canvas.mapToGlobal(canvas.place_of_selection())
        )

    def open_class_picker(
        self,
        at: QPoint,
        on_chosen: Callable[[int], None],
        on_created: Callable[[str], object],
        *,
        prompt: str = "Class",
    ) -> None:
        """`at`: global screen position, moved so that the popup stays on the screen."""
        selected = self._session.selected_instances()
        current = selected[0].category_id if selected else self._session.current_category_id
        categories, keys = self._session.categories, self._session.class_keys
        picker = ClassPicker(categories, keys, current, at, self._window, prompt=prompt)
        screen = QGuiApplication.screenAt(at) or self._window.screen()
        area = screen.availableGeometry()
        picker.move(min(at.x(), area.right() - picker.width()), min(at.y(), area.bottom() - picker.height()))
        picker.chosen.connect(on_chosen)
        picker.created.connect(on_created)
        picker.pop_up()

    def _default_keys(self) -> Keymap:
        return {**self._window.actions_table.default_keys, **{known.id: (known.key,) for known in TOOL_KEYS}}

    def _stored_keys(self) -> tuple[str, Keymap]:
        """What was chosen last; our own keys where the settings hold something else."""
        preset = str(self._settings.value("keys/preset", DEFAULT_PRESET))
        try:
            own = {str(id_): tuple(map(str, keys)) for id_, keys in json.loads(self._own_keys_text()).items()}
        except (ValueError, AttributeError, TypeError):
            own = {}
        return (preset if preset in PRESET_NAMES else DEFAULT_PRESET), own

    def _own_keys_text(self) -> str:
        return str(self._settings.value("keys/own", "{}"))

    def _known_actions(self) -> list[tuple[Action, QAction]]:
        table = self._window.actions_table
        return [(spec, table[spec.id]) for spec in table.specs.values()]

    def _on_tool_names(self, is_on: bool) -> None:
        self._settings.setValue(_TOOL_NAMES, is_on)
        self._window.show_tool_names(is_on)

    def _on_cursor_moved(self, x: float, y: float) -> None:
        value = self._canvas.value_at(x, y)
        if value is None:
            self._window.status.show_pointer("")
        else:
            values = " ".join(f"{channel:.5g}" if isinstance(channel, float) else str(channel) for channel in value)
            self._window.status.show_pointer(f"{int(x)}, {int(y)}  {values}".rstrip())
