"""The digits 1-9 go to the classes that a user wants, and stay there."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from maskwright_gui.app import Workbench

NAMES = tuple(f"class {letter}" for letter in "abcdefghijkl")


def give_key(bench: Workbench, row: int, digit: int) -> None:
    """By the context menu of the panel."""
    panel = bench.classes.panel
    menu = panel.make_menu(panel._tree.topLevelItem(row))
    keys = next(child for child in menu.findChildren(QMenu) if child.title() == "Key")
    keys.actions()[digit - 1].trigger()


def digits(bench: Workbench) -> list[str]:
    tree = bench.classes.panel._tree
    return [tree.topLevelItem(row).text(0) for row in range(tree.topLevelItemCount())]


def with_classes(bench: Workbench) -> Workbench:
    for name in NAMES:
        bench.classes.add(name)
    return bench


def test_a_class_beyond_the_ninth_can_have_a_digit(opened: Workbench) -> None:
    bench = with_classes(opened)
    give_key(bench, 10, 2)
    assert digits(bench) == ["1", "", "3", "4", "5", "6", "7", "8", "9", "", "2", ""]
    bench.session.classes.set_current(bench.session.classes.listed[0].id)
    QTest.keyClick(bench.window.canvas, Qt.Key.Key_2)
    assert bench.session.classes.current_id == bench.session.classes.listed[10].id


def test_the_digits_stay_with_the_project(opened: Workbench, qtbot) -> None:
    bench = with_classes(opened)
    give_key(bench, 10, 2)
    folder = bench.session.project.image_root
    bench.projects.close_project()
    with qtbot.waitSignal(bench.projects.opened):
        bench.projects.open_path(folder)
    assert digits(bench)[10] == "2"
