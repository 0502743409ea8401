"""The window fits a small screen: panels give way to the canvas and come back."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from canvas_support import square
from maskwright.document.change import Change
from maskwright.document.values import InstanceState
from maskwright_gui.app import Workbench
from maskwright_gui.main_window import DEFAULT_SIZE


def shown(bench: Workbench) -> set[str]:
    return {title for title, dock in bench.window.docks.items() if not dock.isHidden()}


def test_the_window_becomes_as_small_as_800_by_500(opened: Workbench) -> None:
    opened.window.resize(800, 500)
    assert (opened.window.width(), opened.window.height()) == (800, 500)
    assert opened.window.canvas.width() > 400


def test_panels_come_back_with_the_room(opened: Workbench) -> None:
    window = opened.window
    before = [(dock.width(), dock.height()) for dock in window.docks.values()]
    window.resize(800, 500)
    assert shown(opened) == {"Objects", "Classes", "Model"}
    assert set(window.tabifiedDockWidgets(window.docks["Objects"])) == {window.docks["Classes"], window.docks["Model"]}
    window.resize(DEFAULT_SIZE)
    assert window.tabifiedDockWidgets(window.docks["Objects"]) == []
    after = [(dock.width(), dock.height()) for dock in window.docks.values()]
    widths, heights = np.abs(np.subtract(after, before)).max(0)
    assert widths <= 8
    assert heights <= DEFAULT_SIZE.height() // 10  # objects and classes part what the model leaves them anew


@pytest.mark.parametrize(
    ("size_wh", "labelme"),
    [((1024, 700), 0.515), ((1280, 720), 0.578), ((1280, 800), 0.591), ((1400, 900), 0.625), ((2560, 1440), 0.775)],
    ids=str,
)
def test_at_first_the_canvas_has_a_larger_share_of_the_window_than_in_labelme(
    opened: Workbench, size_wh: tuple[int, int], labelme: float
) -> None:
    """labelme 6.3.1 on the same folder and font: size of its central widget after the first start."""
    opened.window.resize(*size_wh)
    QApplication.processEvents()
    canvas = opened.window.canvas
    assert canvas.width() * canvas.height() / (size_wh[0] * size_wh[1]) >= labelme
    assert opened.window.tools.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    assert shown(opened) >= {"Images", "Objects", "Classes", "Model"}


@pytest.mark.parametrize(
    ("size_wh", "labelme"),
    [((1024, 700), 0.515), ((1280, 800), 0.591), ((1400, 900), 0.625), ((2560, 1440), 0.775)],
    ids=str,
)
def test_also_with_the_sliders_of_a_model_the_canvas_has_the_larger_share(
    opened: Workbench, size_wh: tuple[int, int], labelme: float
) -> None:
    opened.window.resize(*size_wh)
    opened.thresholds.row.need(True)
    QApplication.processEvents()
    canvas = opened.window.canvas
    assert canvas.width() * canvas.height() / (size_wh[0] * size_wh[1]) >= labelme


def test_the_sliders_come_with_the_first_proposal_and_stay(opened: Workbench) -> None:
    strip = opened.thresholds.strip
    assert not strip.isVisible()
    session = opened.session
    opened.classes.add("cell")
    id_ = session.new_instance_id()
    session.edit(Change.create([square(id_, state=InstanceState.PROPOSED, score=0.8)]), "Propose")
    assert strip.isVisible()
    opened.window.actions_table["undo"].trigger()
    assert strip.isVisible()


def test_the_panel_of_the_model_is_whole_where_the_sliders_are_there_too(opened: Workbench) -> None:
    opened.window.resize(1024, 700)
    opened.thresholds.row.need(True)
    QApplication.processEvents()
    assert opened.model.panel.visibleRegion().boundingRect().height() >= opened.model.panel.sizeHint().height()


def test_all_tools_are_in_sight_with_their_names_at_1024_by_700(opened: Workbench) -> None:
    opened.window.resize(1024, 700)
    QApplication.processEvents()
    tools = opened.window.tools
    assert all(tools.widgetForAction(action).isVisible() for action in tools.actions() if action.isVisible())


def test_a_narrow_window_is_not_what_the_next_start_finds(opened: Workbench) -> None:
    window = opened.window
    window.resize(800, 500)
    window.save_layout(opened.settings)
    window.resize(DEFAULT_SIZE)
    window.restoreState(opened.settings.value("window/state"), 1)
    assert "Images" in shown(opened)


def test_the_search_brings_the_list_of_images_back(opened: Workbench) -> None:
    opened.window.resize(800, 500)
    opened.window.actions_table["find_image"].trigger()
    assert "Images" in shown(opened)
    assert opened.images.panel.isAncestorOf(opened.window.focusWidget())


def test_a_long_hint_does_not_hold_the_window_open(opened: Workbench) -> None:
    opened.window.resize(800, 500)
    opened.window.status.show_hint("long " * 100)
    assert opened.window.minimumSizeHint().width() < 800
