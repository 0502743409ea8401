"""The layout of the window: which panels are shown, the theme, and how the keyboard focus moves between parts."""

import shiboken6
from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QPushButton,
    QScrollArea,
    QTabBar,
    QWidget,
)

from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.feature import Context, Feature
from maskwright_gui.main_window import MainWindow
from maskwright_gui.theme import Theme, ThemeName, apply_theme, resolve_theme, themed_icon

_KINDS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QScrollArea, QTabBar)
"""Text fields have an accent border, and the canvas paints its own ring."""
_WIDTH_PX = 2.0
_RADIUS_PX = 4.0


class FocusRing(QObject):
    """Marks the widget with the focus, unless a mouse button gave it the focus."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._frame: _Frame | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._frame is not None and shiboken6.isValid(self._frame):  # it is deleted with its control
            self._frame.hide()
            self._frame.deleteLater()
        is_by_keys = QApplication.mouseButtons() is Qt.MouseButton.NoButton
        self._frame = _Frame(now) if is_by_keys and isinstance(now, _KINDS) else None


class _Frame(QWidget):
    """An overlay of the control's size that is transparent to the mouse."""

    def __init__(self, control: QWidget) -> None:
        super().__init__(control)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(control.size())
        control.installEventFilter(self)
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lines = [(QPalette.ColorRole.Accent, _WIDTH_PX / 2)]
        if isinstance(self.parent(), QPushButton):  # a gap: the button itself may have the accent colour
            lines.insert(0, (QPalette.ColorRole.Window, 1.5 * _WIDTH_PX))
        for role, inset in lines:
            painter.setPen(QPen(self.palette().color(role), _WIDTH_PX))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), _RADIUS_PX, _RADIUS_PX)


class PanelFocus(QObject):
    """Moves the focus to the first control of each visible part, wrapping around."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def next(self) -> None:
        """Move the focus to the next panel."""
        self._go(1)

    def previous(self) -> None:
        """Move the focus to the previous panel."""
        self._go(-1)

    def _go(self, step: int) -> None:
        shown = [(part, control) for part in self._window.parts if (control := _first_control(part)) is not None]
        focused = self._window.focusWidget()
        here = [
            place
            for place, (part, _) in enumerate(shown)
            if focused and (part is focused or part.isAncestorOf(focused))
        ]
        if shown:
            start = here[-1] if here else (-1 if step > 0 else 0)
            shown[(start + step) % len(shown)][1].setFocus(Qt.FocusReason.TabFocusReason)


def _first_control(part: QWidget) -> QWidget | None:
    """The first control of a part to get the focus, lists before buttons; None if none is visible."""
    if part.focusPolicy() & Qt.FocusPolicy.TabFocus:
        return part if _takes_focus(part) else None
    controls = [control for control in part.findChildren(QWidget) if _takes_focus(control)]
    lists = (control for control in controls if control.focusPolicy() == Qt.FocusPolicy.WheelFocus)
    return next(lists, controls[0] if controls else None)


def _takes_focus(control: QWidget) -> bool:
    return bool(control.focusPolicy() & Qt.FocusPolicy.TabFocus) and control.isVisible() and control.isEnabled()


_TOOL_NAMES, _THEME = "window/tool_names", "window/theme"


class LayoutFeature(Feature):
    """Panels, theme, and moving between panels by keys."""

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
        """Restore the settings of the last session, once all panels and actions exist."""
        self._names_switch.setChecked(bool(self._settings.value(_TOOL_NAMES, True, type=bool)))
        self.use_theme(resolve_theme(ThemeName(str(self._settings.value(_THEME, ThemeName.SYSTEM)))))
        self._window.restore_layout(self._settings)

    @property
    def theme(self) -> Theme:
        """The current theme."""
        return self._window.theme

    def use_theme(self, theme: Theme) -> None:
        """Set the theme of the whole window."""
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, theme)
        self._window.set_theme(theme)
        self._actions["toggle_theme"].setIcon(themed_icon("sun" if theme.is_dark else "moon", theme))

    def toggle_theme(self) -> None:
        """Switch between light and dark."""
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
                submenu="Panels",
                words="full screen docks",
            ),
            Action(
                "toggle_tool_names",
                "Tool names on the toolbar",
                Menu.VIEW,
                1,
                needs=nothing,
                is_checkable=True,
                words="text labels toolbar buttons captions",
            ),
            Action(
                "next_panel",
                "Go to the next panel",
                Menu.VIEW,
                1,
                self._walk.next,
                keys=("F6",),
                needs=nothing,
                submenu="Panels",
            ),
            Action(
                "previous_panel",
                "Go to the previous panel",
                Menu.VIEW,
                1,
                self._walk.previous,
                keys=("Shift+F6",),
                needs=nothing,
                submenu="Panels",
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
                submenu="Panels",
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
