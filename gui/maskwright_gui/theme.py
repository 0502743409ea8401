"""The light and the dark theme: colours, the style sheet built from them, and icons coloured to match.

All icons are from one set (Phosphor, through qtawesome).
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import qtawesome
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPalette, QPixmap
from PySide6.QtWidgets import QApplication

from maskwright.document.palette import Rgb
from maskwright_gui.plain_style import PlainStyle
from maskwright_resources import resource_path


class ThemeName(StrEnum):
    """The value stored in the settings."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as `#rrggbb`; text on `window`, `panel` and `raised` has a contrast of 4.5:1, `muted` too."""

    name: ThemeName
    window: str
    panel: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    selection: str
    disabled: str
    danger: str
    warning: str
    canvas: str = "#2b2c2e"
    """Neutral dark grey in both themes: an image is judged against its surround."""

    @property
    def is_dark(self) -> bool:
        """Whether text is lighter than its background."""
        return self.name is ThemeName.DARK


LIGHT = Theme(
    name=ThemeName.LIGHT,
    window="#eceef0",
    panel="#f8f9fa",
    raised="#ffffff",
    border="#cdd1d6",
    text="#1d2125",
    muted="#5a626b",
    accent="#1766b8",
    on_accent="#ffffff",
    selection="#d3e4f6",
    disabled="#a0a6ad",
    danger="#b3261e",
    warning="#8a5a00",
)

DARK = Theme(
    name=ThemeName.DARK,
    window="#1c1d1f",
    panel="#232427",
    raised="#2e3034",
    border="#3d4046",
    text="#e4e6e8",
    muted="#a2a8b0",
    accent="#66b0ff",
    on_accent="#0d1b2a",
    selection="#213b58",
    disabled="#6b7179",
    danger="#ff8a80",
    warning="#f0b95a",
)


_HAS_STYLE = "maskwright.has_style"


def resolve_theme(name: ThemeName) -> Theme:
    """The theme to show; SYSTEM follows the desktop's colour scheme."""
    if name is ThemeName.SYSTEM:
        scheme = QApplication.styleHints().colorScheme()
        return DARK if scheme == Qt.ColorScheme.Dark else LIGHT
    return DARK if name is ThemeName.DARK else LIGHT


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Use Fusion on every platform, so that the window looks and measures the same everywhere."""
    if not application.property(_HAS_STYLE):  # only once: a new style visits every widget
        application.setStyle(PlainStyle())
        application.setProperty(_HAS_STYLE, True)
    application.setPalette(_palette(theme))
    application.setStyleSheet(_style_sheet(theme))


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.panel,
        role.Base: theme.raised,
        role.AlternateBase: theme.panel,
        role.Button: theme.raised,
        role.ToolTipBase: theme.raised,
        role.WindowText: theme.text,
        role.Text: theme.text,
        role.ButtonText: theme.text,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Accent: theme.accent,
        role.Link: theme.accent,
    }
    palette = QPalette()
    for where, colour in colours.items():
        palette.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(theme.disabled))
    return palette


def _style_sheet(t: Theme) -> str:
    tick = resource_path("icons", f"tick-{t.name}.svg").as_posix()
    return f"""
    QMainWindow, QDialog {{ background: {t.panel}; }}
    QMainWindow::separator {{ background: {t.window}; width: 4px; height: 4px; }}
    QMainWindow::separator:hover {{ background: {t.accent}; }}
    QWidget#header {{ background: {t.window}; border-bottom: 1px solid {t.border}; }}
    QMenuBar {{ background: transparent; }}
    QMenuBar::item {{ padding: 4px 8px; background: transparent; border-radius: 4px; }}
    QMenuBar::item:selected {{ background: {t.selection}; color: {t.text}; }}
    QMenu {{ background: {t.raised}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.selection}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QMenu::icon {{ padding-left: 8px; }}
    QDockWidget {{ color: {t.muted}; font-weight: 600; }}
    QDockWidget::title {{ background: {t.panel}; padding: 3px 8px; border-bottom: 1px solid {t.border}; }}
    QToolBar {{ background: {t.panel}; border: 0; spacing: 0; padding: 2px 1px; }}
    QToolBar#thresholds {{ border-top: 1px solid {t.border}; padding: 0; }}
    QToolBar::separator {{ background: {t.border}; height: 1px; width: 1px; margin: 2px 4px; }}
    QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 4px; }}
    QToolBar QToolButton {{ padding: 3px 1px; }}
    QWidget#header QToolButton, QStatusBar QToolButton {{ padding: 1px 4px; }}
    QToolButton#qt_toolbar_ext_button {{ padding: 0; }}
    QToolButton:hover {{ background: {t.selection}; }}
    QToolButton:checked {{ background: {t.selection}; border-color: {t.accent}; }}
    QToolButton:focus {{ border-color: {t.accent}; }}
    QPushButton {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 4px; padding: 5px 12px; }}
    QDockWidget QPushButton {{ padding: 5px 8px; }}
    QDockWidget QPushButton[tight="true"] {{ padding: 5px 2px; }}
    QPushButton[low="true"] {{ padding: 1px 8px; }}
    QPushButton:hover {{ background: {t.selection}; }}
    QPushButton:focus {{ border-color: {t.accent}; }}
    QPushButton:disabled {{ color: {t.muted}; background: {t.panel}; }}
    QPushButton[primary="true"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
    QPushButton[primary="true"]:disabled {{ background: {t.border}; color: {t.muted}; border-color: {t.border}; }}
    QLineEdit {{
        background: {t.raised}; border: 1px solid {t.border}; border-radius: 4px; padding: 4px 6px;
        selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QLineEdit:focus {{ border-color: {t.accent}; }}
    QAbstractItemView QLineEdit {{ padding: 0 2px; border-radius: 2px; }}
    QListView, QTreeView, QTableView {{
        background: {t.panel}; border: 0; outline: 0; selection-background-color: {t.selection};
        selection-color: {t.text};
    }}
    QTreeView::item, QTableView::item {{ padding: 2px 4px; border: 0; }}
    QListWidget::item {{ border: 0; }}
    QTreeView::item:selected, QTableView::item:selected, QListView::item:selected {{
        background: {t.selection}; color: {t.text};
    }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {t.muted}; border-radius: 3px; margin: 2px; }}
    QScrollBar::handle:vertical {{ min-height: 24px; }}
    QScrollBar::handle:horizontal {{ min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {t.accent}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QTabWidget::pane {{ background: {t.panel}; border: 1px solid {t.border}; }}
    QHeaderView::section {{
        background: {t.panel}; color: {t.muted}; border: 0; border-bottom: 1px solid {t.border}; padding: 4px;
    }}
    QPushButton, QCheckBox {{ outline: 0; }}
    QCheckBox {{ padding: 3px 4px; }}
    QCheckBox::indicator, QListWidget::indicator {{
        width: 14px; height: 14px; border: 1px solid {t.muted}; border-radius: 3px; background: {t.raised};
    }}
    QCheckBox::indicator:checked, QListWidget::indicator:checked {{
        background: {t.accent}; border-color: {t.accent}; image: url({tick});
    }}
    QCheckBox::indicator:focus {{ border-color: {t.accent}; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
    QDialog[popup="true"] {{ border: 1px solid {t.border}; background: {t.raised}; }}
    QProgressBar {{ background: {t.border}; border: 0; border-radius: 3px; max-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QStatusBar {{ background: {t.window}; border-top: 1px solid {t.border}; }}
    QStatusBar::item {{ border: 0; }}
    QLabel[muted="true"] {{ color: {t.muted}; }}
    QLabel[placeholder="true"] {{ padding: 8px 16px; }}
    QToolButton#warning {{ color: {t.warning}; border-color: {t.warning}; padding: 2px 8px; font-weight: 600; }}
    QLabel[title="true"] {{ font-size: 15pt; font-weight: 600; }}
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
    QFrame#toolOptions {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 6px; }}
    QFrame#startCard {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 10px; }}
    QFrame#startCard QPushButton {{ background: {t.panel}; }}
    QFrame#startCard QPushButton[primary="true"] {{ background: {t.accent}; }}
    QLabel[strong="true"] {{ font-weight: 600; }}
    QFrame#toast {{ background: {t.raised}; border: 1px solid {t.border}; border-radius: 6px; }}
    QLabel[tone="error"] {{ color: {t.danger}; }}
    QFrame#toast[tone="warning"] {{ border-left: 4px solid {t.warning}; }}
    QFrame#toast[tone="error"] {{ border-left: 4px solid {t.danger}; }}
    QFrame#toast[tone="info"] {{ border-left: 4px solid {t.accent}; }}
    QWidget#emptyState {{ background: {t.canvas}; }}
    QWidget#emptyState QLabel {{ color: #e4e6e8; }}
    QWidget#emptyState QLabel[muted="true"] {{ color: #b4b9bf; }}
    QPushButton[recent="true"] {{ background: transparent; border-color: transparent; color: #9cc7f5; }}
    QPushButton[recent="true"]:hover {{ background: #3d4046; }}
    QPushButton[recent="true"]:focus {{ border-color: #9cc7f5; }}
    """


_SWATCH_PX = 12


@lru_cache(maxsize=512)
def themed_icon(name: str, theme: Theme) -> QIcon:
    """The Phosphor icon `name` (without prefix) in the theme's text colour; in the accent colour when switched on."""
    icon: QIcon = qtawesome.icon(
        f"ph.{name}", color=theme.text, color_disabled=theme.disabled, color_on=theme.accent, scale_factor=1.1
    )
    return icon


def swatch(colour: Rgb) -> QIcon:
    """A square in a class's colour, the same in a selected row: the style would tint it."""
    pixmap = QPixmap(_SWATCH_PX, _SWATCH_PX)
    pixmap.fill(QColor(*colour))
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
