"""Icons of one set (Phosphor, through qtawesome), coloured for the current theme."""

from functools import lru_cache

import qtawesome
from PySide6.QtGui import QColor, QIcon, QPixmap

from maskwright.document.palette import Rgb
from maskwright_gui.theme import Theme

_SWATCH_PX = 12


@lru_cache(maxsize=512)
def themed_icon(name: str, theme: Theme) -> QIcon:
    """The Phosphor icon `name` (without prefix) in the theme's text colour, the accent where it is switched on."""
    icon: QIcon = qtawesome.icon(
        f"ph.{name}", color=theme.text, color_disabled=theme.disabled, color_on=theme.accent, scale_factor=1.1
    )
    return icon


def swatch(colour: Rgb) -> QIcon:
    """A square of a class's colour, the same in a selected row: the style would mix it with that row's own."""
    pixmap = QPixmap(_SWATCH_PX, _SWATCH_PX)
    pixmap.fill(QColor(*colour))
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
