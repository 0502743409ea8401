"""How the canvas shows an image: zoom, labels, fill, brightness, and the user's switches.

The display windows of 16- and 32-bit images are stored in the project: its images come from one instrument.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import astuple, replace
from typing import Any

from maskwright.errors import ProjectError
from maskwright.windowing import DisplayWindow
from maskwright_gui.actions import Action, Menu, Under
from maskwright_gui.canvas.style import LabelMode
from maskwright_gui.dialogs.display import DisplayDialog
from maskwright_gui.feature import Context, Feature
from maskwright_gui.open_project import OpenProject

log = logging.getLogger(__name__)

WINDOWS_SETTING = "display.windows"

_FILL_KEY, _LABELS_KEY = "canvas/fill", "canvas/labels"
_FILLS = {"light": (0.2, 0.13), "strong": (0.45, 0.35), "none": (0.0, 0.0)}
"""Opacity of an object that the user decided on, and of a proposal."""


class ViewFeature(Feature):
    """How the canvas shows images and objects: zoom, labels, fills, grid, brightness."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._declare(*self._zooming(), *self._showing(), *self._switches())
        self._switch("toggle_snapping", self._set_snapping, starts=True)
        self._switch("toggle_welding", self._set_joining, starts=True)
        self._switch("toggle_wheel", self._set_wheel, starts=True)
        self._switch("toggle_follow", self._set_follow, starts=False)
        self._switch("toggle_crosshair", self._set_crosshair, starts=False)
        self._switch("toggle_minimap", self._canvas.minimap.set_wanted, starts=True)
        self._session.project_changed.connect(self._on_project)
        self._follow_keys(self._window.status.show_keys)
        self._make_objects_switch()
        self._set_fill(str(self._settings.value(_FILL_KEY, "light")))
        labels = LabelMode(str(self._settings.value(_LABELS_KEY, LabelMode.ALL)))
        self._canvas.set_style(replace(self._canvas.renderer.style, label_mode=labels))
        self._canvas.cursor_moved.connect(self._on_cursor_moved)
        self._canvas.cursor_left.connect(lambda: self._window.status.show_pointer(""))

    def _zooming(self) -> tuple[Action, ...]:
        return (
            Action(
                "fit",
                "Fit image",
                Menu.VIEW,
                0,
                self._canvas.navigator.zoom_to_fit,
                keys=("F",),
                presets={"labelme": ("Ctrl+F",), "CVAT": ("Shift+F",)},
                icon="corners-out",
                words="zoom whole window reset view",
                tool_bar=(3, "Fit"),
                canvas_menu=((Under.NOTHING, 1),),
            ),
            Action(
                "zoom_100",
                "100 %",
                Menu.VIEW,
                0,
                self._canvas.navigator.zoom_to_actual,
                keys=("Ctrl+0",),
                words="zoom actual original size",
                canvas_menu=((Under.NOTHING, 1),),
            ),
            Action(
                "zoom_in",
                "Zoom in",
                Menu.VIEW,
                0,
                self._canvas.navigator.zoom_in,
                keys=("Ctrl++", "Ctrl+="),
                repeats=True,
                words="magnify larger enlarge",
            ),
            Action(
                "zoom_out",
                "Zoom out",
                Menu.VIEW,
                0,
                self._canvas.navigator.zoom_out,
                keys=("Ctrl+-",),
                repeats=True,
                words="smaller shrink",
            ),
            Action(
                "zoom_selection",
                "Zoom to selection",
                Menu.VIEW,
                0,
                self._canvas.zoom_to_selection,
                keys=("Z",),
                presets={"ISAT": ("Shift+Z",)},
                canvas_menu=((Under.OBJECT, 2),),
            ),
        )

    def _showing(self) -> tuple[Action, ...]:
        return (
            Action(
                "toggle_objects",
                "Objects",
                Menu.VIEW,
                1,
                keys=("T",),
                is_checkable=True,
                words="hide show annotations overlay masks",
            ),
            Action(
                "cycle_labels",
                "Labels: all, selected, none",
                Menu.VIEW,
                1,
                self.cycle_labels,
                keys=("Shift+L",),
                icon="text-aa",
                words="names text tags",
            ),
            Action(
                "cycle_fill",
                "Fill: light, strong, none",
                Menu.VIEW,
                1,
                self.cycle_fill,
                keys=("Shift+F",),
                words="opacity transparency colour",
            ),
            Action(
                "display",
                "Brightness, contrast and range…",
                Menu.VIEW,
                1,
                self.open_display,
                words="gamma exposure darker lighter window level",
            ),
        )

    def _switches(self) -> tuple[Action, ...]:
        return (
            Action(
                "toggle_crosshair",
                "Crosshair",
                Menu.VIEW,
                1,
                keys=("Shift+C",),
                is_checkable=True,
                words="guides cursor",
            ),
            Action(
                "toggle_minimap",
                "Minimap",
                Menu.VIEW,
                1,
                keys=("Shift+N",),
                is_checkable=True,
                words="overview navigator",
            ),
            Action(
                "toggle_snapping",
                "Snap to neighbours and border",
                Menu.VIEW,
                1,
                keys=("Shift+S",),
                is_checkable=True,
                words="magnet align",
            ),
            Action(
                "toggle_welding",
                "Move shared vertices together",
                Menu.VIEW,
                1,
                keys=("Shift+W",),
                is_checkable=True,
                words="weld border topology neighbours",
            ),
            Action(
                "toggle_follow",
                "Zoom in on the next object",
                Menu.VIEW,
                1,
                is_checkable=True,
                words="fit to selection follow auto zoom",
            ),
            Action("toggle_wheel", "Wheel zooms without Ctrl", Menu.VIEW, 1, is_checkable=True, words="mouse scroll"),
        )

    def cycle_labels(self) -> None:
        """Switch from all labels to those of the selection, none, and all again."""
        modes = list(LabelMode)
        style = self._canvas.renderer.style
        following = modes[modes.index(style.label_mode) - 1]
        self._canvas.set_style(replace(style, label_mode=following))
        self._settings.setValue(_LABELS_KEY, str(following))

    def open_display(self) -> None:
        """Open the dialog for brightness, contrast and the window of deep images."""
        dialog = DisplayDialog(self._canvas.renderer.display_adjust, self._canvas.window())
        dialog.adjusted.connect(self._canvas.renderer.set_display_adjust)
        dialog.finished.connect(self._keep_windows)
        dialog.show_image(self._canvas.renderer.deep_image)
        self._canvas.renderer.image_changed.connect(dialog.show_image)
        dialog.show()

    def _on_project(self, project: OpenProject | None) -> None:
        windows = _windows_from_json(project.setting(WINDOWS_SETTING)) if project is not None else {}
        self._canvas.renderer.set_display_adjust(replace(self._canvas.renderer.display_adjust, windows=windows))

    def _keep_windows(self) -> None:
        project, windows = self._session.project, self._canvas.renderer.display_adjust.windows
        if project is None or project.is_read_only:
            return
        try:
            project.set_setting(WINDOWS_SETTING, {kind: astuple(window) for kind, window in windows.items()})
        except ProjectError as error:  # a display window that is lost is not worth a message
            log.warning("the display window is not kept: %s", error)

    def _switch(self, action_id: str, use: Callable[[bool], None], *, starts: bool) -> None:
        action, key = self._actions[action_id], f"canvas/{action_id}"

        def on_toggled(is_on: bool) -> None:
            self._settings.setValue(key, is_on)
            use(is_on)

        is_on = self._settings.value(key, starts, type=bool)
        action.setChecked(bool(is_on))
        use(bool(is_on))
        action.toggled.connect(on_toggled)

    def cycle_fill(self) -> None:
        """Switch from light fills to strong, none, and light again."""
        names = list(_FILLS)
        known = str(self._settings.value(_FILL_KEY, "light"))
        following = names[(names.index(known) + 1) % len(names) if known in names else 0]
        self._settings.setValue(_FILL_KEY, following)
        self._set_fill(following)

    def _set_fill(self, name: str) -> None:
        decided, proposed = _FILLS.get(name, _FILLS["light"])
        style = self._canvas.renderer.style
        self._canvas.set_style(replace(style, fill_opacity=decided, proposal_fill_opacity=proposed))

    def _make_objects_switch(self) -> None:
        """The switch that hides objects for a look at the bare image. It is not remembered, and goes on again when
        something is selected or drawn.
        """
        action = self._actions["toggle_objects"]
        action.setChecked(True)
        action.toggled.connect(self._canvas.show_objects)
        for asked in (self._canvas.selection_requested, self._canvas.change_requested):
            asked.connect(lambda *_: action.setChecked(True))

    def _set_snapping(self, is_on: bool) -> None:
        self._canvas.set_options(replace(self._canvas.context.options, snaps=is_on))

    def _set_joining(self, is_on: bool) -> None:
        self._canvas.set_options(replace(self._canvas.context.options, joins=is_on))

    def _set_wheel(self, is_on: bool) -> None:
        self._canvas.navigator.plain_wheel_zooms = is_on

    def _set_follow(self, is_on: bool) -> None:
        self._canvas.navigator.follows_closely = is_on

    def _set_crosshair(self, is_on: bool) -> None:
        self._canvas.set_style(replace(self._canvas.renderer.style, shows_crosshair=is_on))

    def _on_cursor_moved(self, x: float, y: float) -> None:
        value = self._canvas.renderer.value_at(x, y)
        if value is None:
            self._window.status.show_pointer("")
        else:
            values = " ".join(f"{channel:.5g}" if isinstance(channel, float) else str(channel) for channel in value)
            self._window.status.show_pointer(f"{int(x)}, {int(y)}  {values}".rstrip())


def _windows_from_json(stored: Any) -> Mapping[str, DisplayWindow]:
    """What `_keep_windows` wrote; empty for anything else."""
    try:
        return {str(kind): DisplayWindow(float(low), float(high)) for kind, (low, high) in stored.items()}
    except (AttributeError, TypeError, ValueError):
        return {}
