"""The window fits a small screen: panels give way to the canvas and come back."""

import numpy as np

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
    assert np.abs(np.subtract(after, before)).max() <= 8  # the rows of the strip settle between the two


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
