"""The window on the whole data set."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QTreeWidget
from pytestqt.qtbot import QtBot

from maskwright.document.values import Category
from maskwright_gui.app import Workbench
from maskwright_gui.commands.data_set import class_bars
from maskwright_gui.dialogs.data_set import DataSetWindow
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
