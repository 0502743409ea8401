from PySide6.QtCore import QSettings

from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.display import DisplayDialog


def test_switches_take_effect_and_are_remembered(bench: Workbench, settings: QSettings) -> None:
    actions, canvas = bench.window.actions_table, bench.window.canvas
    for id_ in ("toggle_snapping", "toggle_welding", "toggle_wheel", "toggle_crosshair", "toggle_minimap"):
        actions[id_].toggle()
    options = canvas.context.options
    assert not (options.snaps or options.welds or canvas.plain_wheel_zooms or canvas.minimap.is_wanted)
    assert canvas.style_values.shows_crosshair
    assert settings.value("canvas/toggle_snapping", type=bool) is False


def test_sliders_change_the_picture_while_they_move(bench: Workbench) -> None:
    bench.canvas_options.open_display()
    (dialog,) = bench.window.findChildren(DisplayDialog)
    dialog.brightness.setValue(30)
    dialog.gamma.setValue(50)
    assert bench.window.canvas.display_adjust.brightness == 0.3
    assert bench.window.canvas.display_adjust.gamma == 2.0
    dialog.reset()
    assert bench.window.canvas.display_adjust.is_neutral
