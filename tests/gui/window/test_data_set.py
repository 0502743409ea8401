"""The window on the whole data set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QTabWidget, QTreeWidget
from pytestqt.qtbot import QtBot

from maskwright.document.values import Category
from maskwright_gui.app import Workbench
from maskwright_gui.commands.data_set import class_bars
from maskwright_gui.dialogs.data_set import DataSetWindow
from maskwright_gui.panels.class_bars import ClassBars
from maskwright_gui.panels.measure_plots import MeasurePlots
from maskwright_gui.theme import DARK, LIGHT
from maskwright_gui.workers.overlays import OverlayReader


@pytest.fixture
def labelled(qtbot: QtBot, opened: Workbench) -> Workbench:
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()
    return opened


def open_window(bench: Workbench) -> DataSetWindow:
    window = bench.data_set.open(bench.view.theme)
    assert window is not None
    return window


def test_classes_are_counted_over_all_images(labelled: Workbench) -> None:
    bars = class_bars(labelled.session.project)
    assert [(bar.instance_count, bar.image_count) for bar in bars] == [(6, 6), (6, 6)]


def test_grid_shows_what_the_list_shows(labelled: Workbench) -> None:
    labelled.window.images.search("00")
    labelled.window.images.search("003")
    assert open_window(labelled).rows.rowCount() == 1


def test_objects_are_drawn_into_the_pictures(labelled: Workbench) -> None:
    project = labelled.session.project
    record = project.image(1)
    reader = OverlayReader(project, (Category(1, "a", colour="#ff0000"), Category(2, "b", colour="#00ff00")))
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
    window.duplicates_requested.emit()
    tree = window.findChild(QTreeWidget)
    qtbot.waitUntil(lambda: tree.topLevelItemCount() == 1, timeout=20_000)
    names = [tree.topLevelItem(0).child(row).text(0) for row in range(2)]
    assert names == ["001.png", "004.png"]


def test_closing_the_project_closes_the_window(labelled: Workbench) -> None:
    window = open_window(labelled)
    labelled.projects.close_project()
    assert not window.isVisible()


def test_sizes_and_scores_are_plotted_by_class(qtbot: QtBot, labelled: Workbench) -> None:
    plots = open_plots(qtbot, labelled)
    assert sum(plots.sizes.bars.heights) == 12
    assert [height for height in plots.scores.bars.heights if height] == [6, 6]
    plots.choose(labelled.session.categories[0].id)
    assert sum(plots.scores.bars.heights) == 6
    assert plots.scores.bars.heights[18] == 6  # 0.90 to 0.95
    assert plots.summary.startswith("6 objects: 0 below 32 px, 6 to 96 px")


def test_a_score_bar_lists_its_images(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.session.show_image(3)
    labelled.edits.delete()
    plots = open_plots(qtbot, labelled)
    plots.choose(labelled.session.categories[1].id)
    plots.scores.bar_clicked.emit(16)
    assert labelled.window.images.query.text == f'score>0.80 score<0.85 class:"{labelled.session.categories[1].name}"'
    assert labelled.rows.ids.tolist() == [1, 2, 3, 4, 5, 6]


def test_a_class_bar_lists_the_images_of_the_class(qtbot: QtBot, labelled: Workbench) -> None:
    window = open_window(labelled)
    qtbot.waitUntil(lambda: window.findChild(ClassBars) is not None, timeout=20_000)
    window.findChild(ClassBars).chosen.emit("nothing of that name")
    assert labelled.rows.ids.tolist() == []


def test_plots_take_the_colours_of_the_theme(qtbot: QtBot, labelled: Workbench) -> None:
    plots = open_plots(qtbot, labelled)
    for theme in (DARK, LIGHT):
        labelled.view.use_theme(theme)
        assert plots.sizes.background.name() == theme.panel


def test_the_window_starts_without_the_plotting_library() -> None:
    code = "import sys, maskwright_gui.app; sys.exit(bool({'pyqtgraph', 'sqlalchemy', 'openvino'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], env=search_path(), check=False).returncode == 0


def open_plots(qtbot: QtBot, bench: Workbench) -> MeasurePlots:
    window = open_window(bench)
    window.findChild(QTabWidget).setCurrentIndex(2)
    qtbot.waitUntil(lambda: window.findChild(MeasurePlots) is not None, timeout=20_000)
    return window.findChild(MeasurePlots)


def search_path() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
