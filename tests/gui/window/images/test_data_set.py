"""The window on the whole data set."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QListView, QPushButton, QTabWidget, QTreeWidget
from pytestqt.qtbot import QtBot

from maskwright.document.values import Category
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.data_set import DataSetWindow
from maskwright_gui.features.data_set import class_bars
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.class_bars import ClassBar, ClassBars, summary_text
from maskwright_gui.panels.image_model import THUMBNAIL_ROLE
from maskwright_gui.panels.measure_plots import MeasurePlots
from maskwright_gui.theme import DARK, LIGHT
from maskwright_gui.workers.thumbnails import OverlayReader


@pytest.fixture
def labelled(qtbot: QtBot, opened: Workbench) -> Workbench:
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()
    return opened


def open_window(bench: Workbench) -> DataSetWindow:
    window = bench.data_set.open()
    assert window is not None
    return window


def test_classes_are_counted_over_all_images(labelled: Workbench) -> None:
    bars = class_bars(labelled.session.project.stored)
    assert [(bar.instance_count, bar.image_count) for bar in bars] == [(6, 6), (6, 6)]


def test_grid_shows_what_the_list_shows(labelled: Workbench) -> None:
    labelled.images.panel.search("00")
    labelled.images.panel.search("003")
    assert open_window(labelled).rows.rowCount() == 1


def test_objects_are_drawn_into_the_pictures(labelled: Workbench) -> None:
    project = labelled.session.project
    record = project.stored.images.record(1)
    reader = OverlayReader(project.stored, (Category(1, "a", colour="#ff0000"), Category(2, "b", colour="#00ff00")))
    picture = reader(1, project.image_path(record), 64)
    left, right = picture.pixelColor(10, 24), picture.pixelColor(54, 24)
    assert left.red() > left.green()
    assert right.green() > right.red()


def test_choosing_an_image_opens_it(labelled: Workbench) -> None:
    open_window(labelled).image_chosen.emit(4)
    assert labelled.session.image.id == 4


def test_same_pictures_are_found(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for index in range(6):
        Image.fromarray(np.roll(noise, 9 * index, axis=1)[:: 1 if index % 2 else -1]).save(folder / f"{index:03d}.png")
    shutil.copy(folder / "001.png", folder / "004.png")
    window = open_window(opened)
    window.duplicates.look_requested.emit()
    tree = window.findChild(QTreeWidget)
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == 1, timeout=20_000)
    names = [tree.topLevelItem(0).child(row).text(0).split("\n")[0] for row in range(2)]
    assert names == ["001.png", "004.png"]


def test_looking_for_same_pictures_can_be_stopped(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def slow(*_args: object, **_options: object) -> NDArray[np.uint8]:
        gate.wait(20)
        return np.zeros((8, 8, 3), np.uint8)

    monkeypatch.setattr("maskwright.operations.duplicates.read_thumbnail", slow)
    window = open_window(opened)
    window.findChild(QTabWidget).setCurrentWidget(window.duplicates)
    look, stop = (button(window, text) for text in ("Find duplicates", "Stop"))
    qtbot.mouseClick(look, Qt.MouseButton.LeftButton)
    assert (look.isEnabled(), stop.isVisible()) == (False, True)
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(look.isEnabled, timeout=20_000)
    assert window.duplicates.tree.topLevelItemCount() == 0


def test_the_grid_follows_the_search_of_the_list(qtbot: QtBot, labelled: Workbench) -> None:
    window = open_window(labelled)
    labelled.images.panel.search("003")
    assert window.rows.rowCount() == 1
    field = window.findChild(QLineEdit)
    assert field.text() == "003"
    field.clear()
    qtbot.keyClicks(field, "00")
    qtbot.waitUntil(lambda: window.rows.rowCount() == labelled.images.rows.rowCount() == 6)


def test_captions_take_the_colours_of_the_theme(labelled: Workbench) -> None:
    window = open_window(labelled)
    grid = window.findChild(QListView)
    for theme in (DARK, LIGHT):
        labelled.layout.use_theme(theme)
        assert grid.itemDelegate().theme is theme


def test_a_picture_is_made_again_when_its_objects_change(qtbot: QtBot, labelled: Workbench) -> None:
    window = open_window(labelled)
    index = window.rows.index(0)
    qtbot.waitUntil(lambda: index.data(THUMBNAIL_ROLE) is not None, timeout=20_000)
    before = index.data(THUMBNAIL_ROLE)
    labelled.editing.select_all()
    labelled.editing.delete()
    qtbot.waitUntil(lambda: index.data(THUMBNAIL_ROLE) != before, timeout=20_000)


def test_closing_the_project_closes_the_window(labelled: Workbench) -> None:
    window = open_window(labelled)
    labelled.projects.close_project()
    assert not window.isVisible()


def test_sizes_and_scores_are_plotted_by_class(qtbot: QtBot, labelled: Workbench) -> None:
    plots = open_plots(qtbot, labelled)
    assert sum(plots.sizes.bars.heights) == 12
    assert [height for height in plots.scores.bars.heights if height] == [6, 6]
    plots.choose(labelled.session.classes.listed[0].id)
    assert sum(plots.scores.bars.heights) == 6
    assert plots.scores.bars.heights[18] == 6  # 0.90 to 0.95
    assert plots.summary.startswith("6 objects: 0 below 32 px, 6 to 96 px")


def test_a_score_bar_lists_its_images(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.session.show_image(3)
    labelled.editing.delete()
    plots = open_plots(qtbot, labelled)
    plots.choose(labelled.session.classes.listed[1].id)
    plots.scores.bar_clicked.emit(16)
    assert (
        labelled.images.panel.query.text == f'score>0.80 score<0.85 class:"{labelled.session.classes.listed[1].name}"'
    )
    assert labelled.images.rows.ids.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_class_bar_lists_the_images_of_the_class(qtbot: QtBot, labelled: Workbench) -> None:
    window = open_window(labelled)
    qtbot.waitUntil(lambda: window.findChild(ClassBars) is not None, timeout=20_000)
    window.findChild(ClassBars).chosen.emit("nothing of that name")
    assert labelled.images.rows.ids.tolist() == []


def test_a_class_is_chosen_by_keys(qtbot: QtBot, labelled: Workbench) -> None:
    window = open_window(labelled)
    qtbot.waitUntil(lambda: window.findChild(ClassBars) is not None, timeout=20_000)
    rows = window.findChild(ClassBars).rows
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(rows, key)
    name = labelled.session.classes.listed[1].name
    assert labelled.images.panel.query.text == f'class:"{name}"'
    assert window.findChild(QTabWidget).currentIndex() == 0


def test_classes_without_objects_are_named() -> None:
    bars = [ClassBar("a", (1, 2, 3), 1200, 30), ClassBar("b", (1, 2, 3), 0, 0)]
    assert summary_text(bars) == "1,200 objects of 1 class, not counting rejected proposals. No objects yet: b."


def test_a_score_bar_is_chosen_by_keys(qtbot: QtBot, labelled: Workbench) -> None:
    plots = open_plots(qtbot, labelled)
    chosen: list[int] = []
    plots.scores.bar_clicked.connect(chosen.append)
    plots.scores.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_End, Qt.Key.Key_Return):
        QTest.keyClick(plots.scores, key)
    assert (chosen[0] in (1, 2), chosen[1]) == (True, 19)


def test_plots_take_the_colours_of_the_theme(qtbot: QtBot, labelled: Workbench) -> None:
    plots = open_plots(qtbot, labelled)
    for theme in (DARK, LIGHT):
        labelled.layout.use_theme(theme)
        assert plots.sizes.background.name() == theme.panel


def test_the_window_starts_without_the_plotting_library() -> None:
    code = "import sys, maskwright_gui.app; sys.exit(bool({'pyqtgraph', 'sqlalchemy', 'openvino'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env=search_path(), check=False).returncode == 0


def open_plots(qtbot: QtBot, bench: Workbench) -> MeasurePlots:
    window = open_window(bench)
    window.findChild(QTabWidget).setCurrentIndex(2)
    qtbot.waitUntil(lambda: window.findChild(MeasurePlots) is not None, timeout=20_000)
    return window.findChild(MeasurePlots)


def button(window: DataSetWindow, text: str) -> QPushButton:
    return next(button for button in window.findChildren(QPushButton) if bare(button.text()) == text)


def search_path() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
