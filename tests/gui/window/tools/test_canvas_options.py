from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from canvas_support import square
from maskwright.document.change import Change
from maskwright.project.store import Project
from maskwright_gui.app import Workbench
from maskwright_gui.canvas.pyramid import ImagePyramid
from maskwright_gui.dialogs.display import DisplayDialog


def test_switches_take_effect_and_are_remembered(bench: Workbench, settings: QSettings) -> None:
    actions, canvas = bench.window.actions_table, bench.window.canvas
    for id_ in ("toggle_snapping", "toggle_welding", "toggle_wheel", "toggle_crosshair", "toggle_minimap"):
        actions[id_].toggle()
    options = canvas.context.options
    assert not (options.snaps or options.joins or canvas.navigator.plain_wheel_zooms or canvas.minimap.is_wanted)
    assert canvas.renderer.style.shows_crosshair
    assert settings.value("canvas/toggle_snapping", type=bool) is False


def test_sliders_change_the_picture_while_they_move(bench: Workbench) -> None:
    bench.view.open_display()
    (dialog,) = bench.window.findChildren(DisplayDialog)
    dialog.brightness.setValue(30)
    dialog.gamma.setValue(50)
    assert bench.window.canvas.renderer.display_adjust.brightness == 0.3
    assert bench.window.canvas.renderer.display_adjust.gamma == 2.0
    dialog.reset()
    assert bench.window.canvas.renderer.display_adjust.is_neutral


def deep_ramp() -> ImagePyramid:
    return ImagePyramid.of_samples(np.arange(1000, 1000 + 64 * 48, dtype=np.uint16).reshape(48, 64))


def test_a_sixteen_bit_image_has_a_window_to_choose(bench: Workbench) -> None:
    canvas = bench.window.canvas
    bench.view.open_display()
    (dialog,) = bench.window.findChildren(DisplayDialog)
    assert not dialog.window_sliders.isVisible()

    canvas.renderer.set_image(deep_ramp())
    assert dialog.window_sliders.isVisible()
    assert dialog.window_sliders.automatic.isChecked()
    dialog.window_sliders.low_value.setValue(2000)

    assert not dialog.window_sliders.automatic.isChecked()
    assert canvas.renderer.display_adjust.windows["uint16"].low == 2000
    dialog.reset()
    assert not canvas.renderer.display_adjust.windows


def test_the_window_is_kept_with_the_project(bench: Workbench, tmp_path: Path) -> None:
    path = tmp_path / "p.maskwright"
    bench.session.open_project(Project.create(path, image_root=tmp_path))
    bench.view.open_display()
    (dialog,) = bench.window.findChildren(DisplayDialog)
    bench.window.canvas.renderer.set_image(deep_ramp())
    dialog.window_sliders.high_value.setValue(1500)
    dialog.close()
    bench.session.close_project()
    assert not bench.window.canvas.renderer.display_adjust.windows

    bench.session.open_project(Project.open(path))

    assert bench.window.canvas.renderer.display_adjust.windows["uint16"].high == 1500


def test_objects_are_out_of_sight_until_something_is_selected(qtbot: QtBot, opened: Workbench) -> None:
    canvas, action = opened.window.canvas, opened.window.actions_table["toggle_objects"]
    category = opened.classes.add("cell")
    made = square(opened.session.new_instance_id(), at=(10, 10), side=20, category_id=category.id)
    opened.session.edit(Change.create([made]), "Draw")
    canvas.renderer.finish()
    inside = QPoint(*map(round, canvas.navigator.viewport.to_screen(20, 20)))
    with_objects = canvas.grab().toImage().pixelColor(inside)
    QTest.keyClick(canvas, Qt.Key.Key_T)
    assert canvas.grab().toImage().pixelColor(inside) != with_objects
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=inside)
    assert action.isChecked()
    assert opened.session.selection == {made.id}


def test_the_fill_goes_round_and_is_remembered(bench: Workbench, settings: QSettings) -> None:
    canvas, seen = bench.window.canvas, []
    for _ in range(3):
        bench.view.cycle_fill()
        seen.append(canvas.renderer.style.fill_opacity)
    assert seen == [0.45, 0.0, 0.2]
    bench.view.cycle_fill()
    assert settings.value("canvas/fill") == "strong"
