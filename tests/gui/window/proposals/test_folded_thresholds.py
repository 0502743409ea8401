"""The strip below the canvas is one row until a user asks for more of it."""

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from maskwright.inference.thresholds import Thresholds
from maskwright_gui.app import Workbench
from maskwright_gui.panels.thresholds import ThresholdStrip


def is_unfolded(bench: Workbench) -> bool:
    return bench.thresholds.strip._sliders["nms_iou"].isVisible()


def test_it_is_folded_at_first_and_the_canvas_gets_the_room(opened: Workbench, qtbot: QtBot) -> None:
    opened.thresholds.row.need(True)
    QApplication.processEvents()
    assert not is_unfolded(opened)
    before = opened.window.canvas.height()
    opened.thresholds.strip._more.click()
    assert is_unfolded(opened)
    qtbot.waitUntil(lambda: opened.window.canvas.height() < before)
    opened.thresholds.strip._more.click()
    qtbot.waitUntil(lambda: opened.window.canvas.height() == before)


def test_it_stays_unfolded_for_the_next_start(opened: Workbench, settings: QSettings) -> None:
    opened.thresholds.strip._more.click()
    assert settings.value("thresholds/expert", type=bool)


def test_values_that_were_changed_show_while_they_are_folded_away(opened: Workbench) -> None:
    strip: ThresholdStrip = opened.thresholds.strip
    assert strip._more.text() == "More"
    strip.set_thresholds(Thresholds(0.5, 0.5, is_class_agnostic=True))
    assert strip._more.text() == "More •"


def test_a_running_batch_leaves_the_first_button_where_it_is(opened: Workbench) -> None:
    panel = opened.model.panel
    before = panel._run.geometry().topLeft()  # in a narrow panel it may give way to the right
    panel._batch.hide()
    panel._pause.show()
    panel._cancel.show()
    QApplication.processEvents()
    assert panel._run.isVisible()
    assert panel._run.geometry().topLeft() == before
