"""Getting about in the real window: zoom, place and pixel values, image by image."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from maskwright.images import read_image
from maskwright.project import Project
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.viewport import ViewportState
from maskwright_gui.features.images.pixels import VIEWPORTS_SETTING, read_viewports, store_viewports

Key = Qt.Key


def show(qtbot: QtBot, bench: Workbench, row: int) -> None:
    bench.session.show_image(int(bench.images.rows.ids[row]))
    qtbot.waitUntil(lambda: bench.images.on_screen == int(bench.images.rows.ids[row]), timeout=20_000)


def test_each_image_is_found_again_where_it_was_left(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    show(qtbot, opened, 0)
    canvas.navigator.zoom_to_box((5, 5, 15, 15))
    left = canvas.navigator.viewport.state
    show(qtbot, opened, 1)
    assert canvas.navigator.viewport.is_fit

    show(qtbot, opened, 0)

    assert canvas.navigator.viewport.state == left


def test_the_place_in_an_image_survives_a_restart(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    show(qtbot, opened, 1)
    opened.window.canvas.navigator.zoom_to_box((5, 5, 15, 15))
    left = opened.window.canvas.navigator.viewport.state
    show(qtbot, opened, 0)
    opened.session.close_project()

    with qtbot.waitSignal(opened.projects.opened, timeout=20_000):
        opened.projects.open_path(folder)
    show(qtbot, opened, 1)
    assert opened.window.canvas.navigator.viewport.state == left
    show(qtbot, opened, 0)
    assert opened.window.canvas.navigator.viewport.is_fit


def test_only_the_latest_views_are_kept(tmp_path: Path) -> None:
    state = ViewportState(1.0, 2.0, 3.0, is_fit=False)
    with Project.create(tmp_path / "a.maskwright", image_root=tmp_path) as project:
        store_viewports(project, dict.fromkeys(range(1, 402), state) | {500: ViewportState(1, 2, 3, is_fit=True)})
        kept = read_viewports(project)
        assert list(kept) == list(range(102, 402))
        assert kept[401] == state
        project.set_setting(VIEWPORTS_SETTING, {"1": "nonsense"})
        assert read_viewports(project) == {}


def test_fit_and_actual_size_by_key(qtbot: QtBot, opened: Workbench) -> None:
    canvas = opened.window.canvas
    qtbot.keyClick(canvas, Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert canvas.navigator.zoom == 1.0
    qtbot.keyClick(canvas, Key.Key_F)
    assert canvas.navigator.viewport.is_fit


def test_pages_of_a_tiff_are_rows_of_the_list(qtbot: QtBot, bench: Workbench, tmp_path: Path) -> None:
    planes = np.stack([np.full((30, 40), value, np.uint16) for value in (100, 200, 300)])
    planes[:, 0, 0] = 5000
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="minisblack")
    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        bench.projects.open_path(tmp_path)

    show(qtbot, bench, 2)

    assert bench.images.rows.rowCount() == 3
    assert not any("missing" in message.text for message in bench.window.toasts.messages)
    assert bench.window.canvas.renderer.value_at(7, 7) == (300,)


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_canvas_and_model_see_the_same_pixels(
    qtbot: QtBot, bench: Workbench, tmp_path: Path, orientation: int, mode: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.effect_noise((60, 40), 80).convert("RGB").convert(mode)
    path = tmp_path / "größe.jpg"
    picture.save(path, exif=exif.tobytes())
    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        bench.projects.open_path(tmp_path)

    show(qtbot, bench, 0)

    seen = read_image(path).bgr_u8
    height, width = seen.shape[:2]
    assert bench.window.canvas.navigator.viewport.image_wh == (width, height)
    for x, y in ((0, 0), (width - 1, 3), (5, height - 1)):
        assert bench.window.canvas.renderer.value_at(x, y) == tuple(seen[y, x, ::-1].tolist())
