"""The parts of the window: which are shown, in which theme, and how the focus goes from one to the next."""

from PySide6.QtWidgets import QApplication

from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.layout.walk import PanelFocus
from maskwright_gui.focus_ring import FocusRing
from maskwright_gui.icons import themed_icon
from maskwright_gui.theme import Theme, ThemeName, apply_theme, resolve_theme

_TOOL_NAMES, _THEME = "window/tool_names", "window/theme"


class LayoutFeature(Feature):
    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._walk = PanelFocus(self._window)
        FocusRing(self._window)
        self._declare(*self._panels(), *self._appearance(), self._quit())
        self._window.header.add_button(self._actions["toggle_theme"])
        self._declare(
            Action(
                "menu_bar",
                "Go to the menus",
                Menu.VIEW,
                1,
                self._window.header.enter_menus,
                keys=("F10",),
                needs=nothing,
                words="keyboard alt mnemonics",
            )
        )
        self._names_switch = self._actions["toggle_tool_names"]
        self._names_switch.toggled.connect(self._on_tool_names)

    def restore(self) -> None:
        """What was set the last time; once all panels and actions are there."""
        self._names_switch.setChecked(bool(self._settings.value(_TOOL_NAMES, False, type=bool)))
        self.use_theme(resolve_theme(ThemeName(str(self._settings.value(_THEME, ThemeName.SYSTEM)))))
        self._window.restore_layout(self._settings)

    @property
    def theme(self) -> Theme:
        return self._window.theme

    def use_theme(self, theme: Theme) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, theme)
        self._window.set_theme(theme)
        self._actions["toggle_theme"].setIcon(themed_icon("sun" if theme.is_dark else "moon", theme))

    def toggle_theme(self) -> None:
        name = ThemeName.LIGHT if self.theme.is_dark else ThemeName.DARK
        self._settings.setValue(_THEME, str(name))
        self.use_theme(resolve_theme(name))

    def _panels(self) -> tuple[Action, ...]:
        return (
            Action(
                "toggle_chrome",
                "Hide or show all panels",
                Menu.VIEW,
                1,
                self._window.toggle_chrome,
                keys=("F11",),
                icon="frame-corners",
                needs=nothing,
                words="full screen docks",
            ),
            Action(
                "toggle_tool_names",
                "Names beside the tools",
                Menu.VIEW,
                1,
                needs=nothing,
                is_checkable=True,
                words="text labels toolbar buttons captions",
            ),
            Action("next_panel", "Go to the next panel", Menu.VIEW, 1, self._walk.next, keys=("F6",), needs=nothing),
            Action(
                "previous_panel",
                "Go to the previous panel",
                Menu.VIEW,
                1,
                self._walk.previous,
                keys=("Shift+F6",),
                needs=nothing,
            ),
        )

    def _appearance(self) -> tuple[Action, ...]:
        return (
            Action(
                "toggle_theme",
                "Light or dark theme",
                Menu.VIEW,
                1,
                self.toggle_theme,
                keys=("Ctrl+Shift+L",),
                icon="moon",
                needs=nothing,
                words="mode night appearance colours",
            ),
            Action(
                "reset_layout",
                "Restore the panels",
                Menu.VIEW,
                1,
                self._window.reset_layout,
                needs=nothing,
                words="default docks windows",
            ),
        )

    def _quit(self) -> Action:
        return Action(
            "quit", "Quit", Menu.FILE, 3, self._window.close, keys=("Ctrl+Q",), needs=nothing, words="exit close"
        )

    def _on_tool_names(self, is_on: bool) -> None:
        self._settings.setValue(_TOOL_NAMES, is_on)
        self._window.show_tool_names(is_on)
