"""F6 and Shift+F6 walk through the parts of the window: on the canvas Tab means the next object, so it cannot leave."""

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from maskwright_gui.main_window import MainWindow


class PanelFocus(QObject):
    """Goes to the first control of each part that is on screen, round and round."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def next(self) -> None:
        self._go(1)

    def previous(self) -> None:
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
    """What takes the focus first in a part of the window, lists before buttons; None for one that is not to be seen."""
    if part.focusPolicy() & Qt.FocusPolicy.TabFocus:
        return part if _takes_focus(part) else None
    controls = [control for control in part.findChildren(QWidget) if _takes_focus(control)]
    lists = (control for control in controls if control.focusPolicy() == Qt.FocusPolicy.WheelFocus)
    return next(lists, controls[0] if controls else None)


def _takes_focus(control: QWidget) -> bool:
    return bool(control.focusPolicy() & Qt.FocusPolicy.TabFocus) and control.isVisible() and control.isEnabled()
