"""The list of models names what is there and what can be had, and a press on the latter leads to it."""

from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.models import ModelsDialog
from maskwright_gui.panels.model import BUNDLED


def rows(bench: Workbench) -> list[str]:
    box = bench.model.panel._model
    return [box.itemText(row) for row in range(box.count()) if box.itemText(row)]


def look_at_list(bench: Workbench) -> None:
    bench.model.panel._model.first_opened.emit()


def test_it_names_what_can_be_had_with_size_and_licence(opened: Workbench) -> None:
    look_at_list(opened)
    assert rows(opened)[0] == "Nuclei (bundled)"
    assert any(row.startswith("Get “YOLACT") and "MIT" in row and "MB" in row for row in rows(opened))
    assert rows(opened)[-1] == "Open a model file…"


def test_choosing_one_that_is_not_there_opens_the_catalogue_and_changes_nothing(opened: Workbench) -> None:
    look_at_list(opened)
    box = opened.model.panel._model
    place = next(row for row in range(box.count()) if box.itemText(row).startswith("Get “"))
    box.setCurrentIndex(place)
    box.activated.emit(place)
    assert opened.window.findChildren(ModelsDialog)
    assert opened.model.choice.source == BUNDLED
    assert box.currentText() == "Nuclei (bundled)"
