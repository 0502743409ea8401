"""The history panel names the steps of the image, shows what each changed, and goes to any of them."""

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QTreeWidget
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.canvas.style import CanvasStyle
from maskwright_gui.features.history import TodayDialog
from maskwright_gui.panels.steps import PICTURE, step_picture
from project_builders import drawn, square


@pytest.fixture
def worked_on(opened: Workbench) -> Workbench:
    """Three objects, one step each, and the panel in view."""
    opened.classes.add("cell")
    for place in (2, 20, 40):
        id_ = opened.session.new_instance_id()
        opened.session.edit(Change.create([drawn(id_, square(place, 5))]), f"Draw at {place}")
    opened.window.actions_table["history"].trigger()
    opened.window.later.flush()
    return opened


def rows(bench: Workbench) -> list[str]:
    bench.window.later.flush()
    return [text.partition("\n")[0] for text in bench.history.panel.texts]


def test_the_panel_waits_until_it_is_asked_for(opened: Workbench) -> None:
    assert not opened.history.dock.isVisible()
    opened.window.actions_table["history"].trigger()
    assert opened.history.dock.isVisible()
    opened.window.actions_table["history"].trigger()
    assert not opened.history.dock.isVisible()


def test_a_click_goes_to_a_step_and_another_one_back(worked_on: Workbench) -> None:
    assert rows(worked_on) == ["Draw at 40", "Draw at 20", "Draw at 2", "Original state"]
    worked_on.history.panel.choose(2)
    assert len(worked_on.session.document) == 1
    assert rows(worked_on) == ["Draw at 40", "Draw at 20", "Draw at 2", "Original state"]
    worked_on.history.panel.choose(3)
    assert len(worked_on.session.document) == 0
    worked_on.history.panel.choose(0)
    assert len(worked_on.session.document) == 3


def test_a_new_step_takes_the_place_of_those_undone(worked_on: Workbench) -> None:
    worked_on.history.panel.choose(1)
    id_ = worked_on.session.new_instance_id()
    worked_on.session.edit(Change.create([drawn(id_, square(50, 30))]), "Another")
    assert rows(worked_on) == ["Another", "Draw at 20", "Draw at 2", "Original state"]


def test_another_image_has_another_history(worked_on: Workbench) -> None:
    worked_on.session.show_image(2)
    assert rows(worked_on) == ["Original state"]
    worked_on.session.show_image(1)
    assert len(rows(worked_on)) == 4


def test_steps_of_an_earlier_session_are_there(worked_on: Workbench, qtbot: QtBot) -> None:
    folder = worked_on.session.project.image_root
    worked_on.projects.close_project()
    with qtbot.waitSignal(worked_on.projects.opened):
        worked_on.projects.open_path(folder)
    qtbot.waitUntil(lambda: len(rows(worked_on)) == 4)
    worked_on.history.panel.choose(3)
    assert len(worked_on.session.document) == 0


def test_a_picture_shows_the_pixels_and_the_outline_of_what_changed(qtbot: QtBot) -> None:
    image = QImage(200, 100, QImage.Format.Format_RGB32)
    image.fill(QColor("#304050"))
    change = Change.create([drawn(1, square(150, 40, 20))])
    picture = step_picture(change, ImagePyramid.of(image), CanvasStyle(), ratio=1.0).toImage()
    assert picture.size() == PICTURE
    seen = {picture.pixelColor(x, y).name() for x in range(PICTURE.width()) for y in range(PICTURE.height())}
    assert "#304050" in seen
    assert len(seen) > 5  # an outline, smooth at its edges


def test_what_changed_today_counts_by_image_and_kind(worked_on: Workbench, qtbot: QtBot) -> None:
    worked_on.session.history.undo()
    worked_on.history.open_today()
    qtbot.waitUntil(lambda: bool(worked_on.window.findChildren(TodayDialog)))
    (dialog,) = worked_on.window.findChildren(TodayDialog)
    assert dialog.summary.startswith("4 steps on 1 image since midnight.")
    tree = dialog.findChild(QTreeWidget)
    assert tree.topLevelItem(0).text(1) == "4"
    assert tree.topLevelItem(0).childCount() == 4
