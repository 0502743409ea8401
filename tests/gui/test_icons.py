from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon
from pytestqt.qtbot import QtBot

from maskwright_gui.theme import swatch


def test_a_swatch_has_the_colour_of_its_class_in_a_selected_row_too(qtbot: QtBot) -> None:
    icon = swatch((20, 190, 140))
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
        assert icon.pixmap(QSize(12, 12), mode).toImage().pixelColor(6, 6) == QColor(20, 190, 140)
