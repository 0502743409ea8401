"""Icons of one set (Phosphor, through qtawesome), coloured for the current theme."""

from functools import lru_cache

import qtawesome
from PySide6.QtGui import QIcon

from maskwright_gui.theme import Theme


@lru_cache(maxsize=512)
def themed_icon(name: str, theme: Theme) -> QIcon:
    """The Phosphor icon `name` (without prefix) in the theme's text colour, the accent where it is switched on."""
    icon: QIcon = qtawesome.icon(
        f"ph.{name}", color=theme.text, color_disabled=theme.disabled, color_on=theme.accent, scale_factor=1.1
    )
    return icon
