"""Switches of the canvas that a person sets once and finds again: snapping, welding, wheel, crosshair, minimap."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, QSettings

from maskwright_gui.actions import Actions
from maskwright_gui.canvas.view import CanvasView
from maskwright_gui.dialogs.display import DisplayDialog


class CanvasOptions(QObject):
    def __init__(self, canvas: CanvasView, actions: Actions, settings: QSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._actions, self._settings = canvas, actions, settings
        self._switch("toggle_snapping", self._set_snapping, starts=True)
        self._switch("toggle_welding", self._set_welding, starts=True)
        self._switch("toggle_wheel", self._set_wheel, starts=True)
        self._switch("toggle_crosshair", self._set_crosshair, starts=False)
        self._switch("toggle_minimap", canvas.minimap.set_wanted, starts=True)

    def open_display(self) -> None:
        dialog = DisplayDialog(self._canvas.display_adjust, self._canvas.window())
        dialog.adjusted.connect(self._canvas.set_display_adjust)
        dialog.show()

    def _switch(self, action_id: str, use: Callable[[bool], None], *, starts: bool) -> None:
        action, key = self._actions[action_id], f"canvas/{action_id}"

        def on_toggled(is_on: bool) -> None:
            self._settings.setValue(key, is_on)
            use(is_on)

        is_on = self._settings.value(key, starts, type=bool)
        action.setChecked(bool(is_on))
        use(bool(is_on))
        action.toggled.connect(on_toggled)

    def _set_snapping(self, is_on: bool) -> None:
        self._canvas.set_options(replace(self._canvas.context.options, snaps=is_on))

    def _set_welding(self, is_on: bool) -> None:
        self._canvas.set_options(replace(self._canvas.context.options, welds=is_on))

    def _set_wheel(self, is_on: bool) -> None:
        self._canvas.plain_wheel_zooms = is_on

    def _set_crosshair(self, is_on: bool) -> None:
        self._canvas.set_style(replace(self._canvas.style_values, shows_crosshair=is_on))
