"""Annotations leave the project checked, and come into it whole."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from pycocotools.coco import COCO
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLabel, QLineEdit, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.document.values import ImageState
from maskwright.formats.coco import CocoExportOptions
from maskwright.geometry.polygon import Polygon
from maskwright.operations.exporting import ExportOutcome, ExportRequest
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.export import ExportDialog
from maskwright_gui.dialogs.findings import FindingsDialog
from maskwright_gui.dialogs.import_preview import ImportPreviewDialog
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.image_model import MISSING_ROLE, THUMBNAIL_ROLE
from project_builders import write_image
from window_support import image_folder

BOW_TIE = Polygon.of([(5, 5), (25, 25), (25, 5), (5, 25)])
SPECK = Polygon.of([(5.1, 5.1), (5.2, 5.1), (5.2, 5.2)])
TRIANGLE = Polygon.of([(5, 5), (25, 5), (5, 25)])


@pytest.fixture
def project(opened: Workbench) -> Workbench:
    opened.classes.add("cell")
    return opened


def draw(bench: Workbench, polygon: Polygon) -> int:
    id_ = bench.session.new_instance_id()
    bench.session.edit(edits.create(id_, bench.session.classes.current_id, [polygon]), "Draw")
    bench.session.save()
    return id_


def export(qtbot: QtBot, bench: Workbench, request: ExportRequest) -> ExportOutcome:
    with qtbot.waitSignal(bench.exchange.exported, timeout=30_000) as blocker:
        bench.exchange.export(request)
    return blocker.args[0]


def test_exported_file_is_read_again_and_loads_elsewhere(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    draw(project, TRIANGLE)
    outcome = export(qtbot, project, ExportRequest(tmp_path / "out.json", CocoExportOptions()))
    assert "pixel for pixel" in outcome.verified
    assert outcome.findings == ()
    assert len(COCO(str(tmp_path / "out.json")).getAnnIds()) == 1


def test_object_without_a_pixel_holds_the_export(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    speck = draw(project, SPECK)
    request = ExportRequest(tmp_path / "out.json", CocoExportOptions())
    outcome = export(qtbot, project, request)
    assert not outcome.is_written
    assert not request.path.exists()
    assert speck in {finding.instance_id for finding in outcome.findings if finding.is_error}
    assert project.window.toasts.messages[-1].text == "Nothing was exported yet"


def test_export_can_be_forced_from_the_findings(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    draw(project, SPECK)
    outcome = export(qtbot, project, ExportRequest(tmp_path / "out.json", CocoExportOptions()))
    dialog = project.exchange.show_findings(outcome.findings, outcome.request)
    with qtbot.waitSignal(project.exchange.exported, timeout=30_000):
        dialog.force_requested.emit()
    assert (tmp_path / "out.json").exists()


def test_finding_leads_to_its_object(project: Workbench) -> None:
    tie = draw(project, BOW_TIE)
    project.images.next_image()
    project.exchange.show_findings([]).place_chosen.emit(1, tie)
    assert project.session.image.id == 1
    assert project.session.selection == {tie}


def test_mending_is_one_step_on_each_image(qtbot: QtBot, project: Workbench) -> None:
    draw(project, BOW_TIE)
    project.session.show_image(2)
    draw(project, BOW_TIE)
    project.exchange.mend([1, 2])
    project.session.save()
    shapes = [project.session.project.stored.instances.of(id_)[0].polygons for id_ in (1, 2)]
    assert (BOW_TIE,) not in shapes
    project.editing.undo()
    project.session.save()
    assert project.session.project.stored.instances.of(2)[0].polygons == (BOW_TIE,)


def test_check_lists_what_it_found(qtbot: QtBot, project: Workbench) -> None:
    draw(project, BOW_TIE)
    project.exchange.check()
    qtbot.waitUntil(lambda: bool(project.window.findChildren(FindingsDialog)), timeout=20_000)


def test_what_was_exported_comes_in_elsewhere(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    draw(project, TRIANGLE)
    export(qtbot, project, ExportRequest(tmp_path / "out.json", CocoExportOptions()))
    other = image_folder(tmp_path / "other", 6)
    with qtbot.waitSignals([project.projects.opened, project.projects.images_added], timeout=20_000):
        project.projects.open_path(other)
    with qtbot.waitSignal(project.exchange.imported, timeout=20_000):
        project.exchange.import_file(tmp_path / "out.json")
    assert [i.polygons for i in project.session.document] == [(TRIANGLE,)]
    assert [c.name for c in project.session.classes.listed] == ["cell"]


def test_damaged_file_changes_nothing_and_says_why(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({"images": 3}))
    with qtbot.waitSignal(project.exchange.told, timeout=20_000):
        project.exchange.import_file(tmp_path / "bad.json")
    message = project.window.toasts.messages[-1]
    assert message.text == "Nothing was imported"
    assert "bad.json" in message.detail


def test_dialog_offers_a_place_of_the_formats_kind(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(tmp_path, "set", {ImageState.DONE: 3})
    qtbot.addWidget(dialog)
    assert dialog.request.path == tmp_path / "set.coco.json"
    box = next(box for box in dialog.findChildren(QComboBox) if box.accessibleName() == "Format and reader")
    box.setCurrentIndex(next(row for row in range(box.count()) if box.itemData(row)[1] == "yolo"))
    assert dialog.request.path == tmp_path / "set-yolo"
    assert (dialog.request.profile, dialog.request.format_name) == ("ultralytics", "yolo")


def test_parts_go_into_a_folder(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    for image_id in (1, 2, 3, 4):
        project.session.show_image(image_id)
        draw(project, TRIANGLE)
    request = ExportRequest(tmp_path / "parts", CocoExportOptions(), shares="train=50,val=50")
    export(qtbot, project, request)
    assert {path.name for path in (tmp_path / "parts").glob("*.json")} == {"train.json", "val.json"}


def test_dialog_asks_whether_all_classes_are_listed(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(tmp_path, "set", {ImageState.DONE: 3})
    qtbot.addWidget(dialog)
    assert dialog.request.options.classes == "all"
    next(box for box in dialog.findChildren(QCheckBox) if bare(box.text()).startswith("Only classes")).click()
    assert dialog.request.options.classes == "used"


def test_dialog_deals_rare_classes_out_where_there_are_parts(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = ExportDialog(tmp_path, "set", {ImageState.DONE: 3})
    qtbot.addWidget(dialog)
    (box,) = (each for each in dialog.findChildren(QCheckBox) if bare(each.text()).startswith("Spread rare classes"))
    (parts,) = (each for each in dialog.findChildren(QLineEdit) if each.accessibleName() == "Parts")
    assert not box.isEnabled()
    parts.setText("train=80,val=20")
    box.click()
    assert dialog.request.by_class


def replace_question(bench: Workbench) -> QMessageBox | None:
    return next((box for box in bench.window.findChildren(QMessageBox) if box.isVisible()), None)


def test_nothing_is_written_over_without_asking(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    draw(project, TRIANGLE)
    request = ExportRequest(tmp_path / "out.json", CocoExportOptions())
    request.path.write_text("mine")

    assert not export(qtbot, project, request).is_written
    box = replace_question(project)
    assert box is not None and "a file of 4 bytes" in box.informativeText()
    assert request.path.read_text() == "mine"

    with qtbot.waitSignal(project.exchange.exported, timeout=30_000):
        next(button for button in box.buttons() if bare(button.text()) == "Replace").click()
    assert len(COCO(str(request.path)).getAnnIds()) == 1


def test_an_own_export_is_asked_about_once_unless_it_was_changed(
    qtbot: QtBot, project: Workbench, tmp_path: Path
) -> None:
    draw(project, TRIANGLE)
    request = ExportRequest(tmp_path / "out.json", CocoExportOptions())
    assert export(qtbot, project, request).is_written
    again = export(qtbot, project, request)
    assert (again.is_written, again.is_own) == (False, True)
    assert export(qtbot, project, replace(request, may_replace=True)).is_written

    assert export(qtbot, project, request).is_written, "said once"
    request.path.write_text("changed by somebody")
    changed = export(qtbot, project, request)
    assert (changed.is_written, changed.is_own) == (False, False)


def test_an_own_export_of_more_is_asked_about_again(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    draw(project, TRIANGLE)
    few = ExportRequest(tmp_path / "out.json", CocoExportOptions())
    everything = replace(few, options=CocoExportOptions(include_proposals=True, include_unreviewed=True))
    assert export(qtbot, project, everything).is_written
    assert export(qtbot, project, replace(everything, may_replace=True)).is_written
    assert export(qtbot, project, everything).is_written, "said once"

    asked = export(qtbot, project, few)
    assert (asked.is_written, asked.is_own) == (False, True)
    assert len(COCO(str(few.path)).getImgIds()) > 1


def coco_file(folder: Path, *names: str) -> Path:
    images = [{"id": i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(names, 1)]
    ring = [1, 1, 11, 1, 11, 11, 1, 11]
    annotations = [
        {"id": i, "image_id": i, "category_id": 5, "segmentation": [ring], "area": 100, "bbox": [1, 1, 10, 10],
         "iscrowd": 0}
        for i in range(1, len(names) + 1)
    ]  # fmt: skip
    path = folder / "theirs.json"
    content = {"images": images, "annotations": annotations, "categories": [{"id": 5, "name": "dog"}]}
    path.write_text(json.dumps(content))
    return path


def preview(qtbot: QtBot, bench: Workbench, path: Path) -> ImportPreviewDialog:
    bench.exchange.look_into(path)
    qtbot.waitUntil(lambda: bool(bench.window.findChildren(ImportPreviewDialog)), timeout=20_000)
    return bench.window.findChildren(ImportPreviewDialog)[-1]


def texts(dialog: QWidget) -> str:
    return "\n".join(label.text() for label in dialog.findChildren(QLabel))


def choice(dialog: QWidget, name: str) -> QComboBox:
    return next(box for box in dialog.findChildren(QComboBox) if box.accessibleName() == name)


def press_import(qtbot: QtBot, bench: Workbench, dialog: QWidget) -> None:
    with qtbot.waitSignal(bench.exchange.imported, timeout=20_000):
        next(button for button in dialog.findChildren(QPushButton) if bare(button.text()) == "Import").click()


def test_importing_a_file_again_says_that_nothing_is_new(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    path, told = coco_file(tmp_path, "000.png"), []
    press_import(qtbot, project, preview(qtbot, project, path))
    project.exchange.told.connect(told.append)

    press_import(qtbot, project, preview(qtbot, project, path))

    assert ": 0 new, 1 already there (" in told[-1].text + told[-1].detail


def test_an_import_says_first_what_it_would_bring(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "gone.png"))
    assert "1 of 2 images found in the image folder" in texts(dialog)
    assert "1 missing" in texts(dialog)
    assert len(project.session.document) == 0

    choice(dialog, "Project class for dog").setCurrentText("cell")
    press_import(qtbot, project, dialog)

    assert [category.name for category in project.session.classes.listed] == ["cell"]
    assert len(project.session.document) == 1


def test_images_that_are_missing_can_be_left_out(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    before = len(project.images.rows.ids)
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "gone.png"))
    switch = next(box for box in dialog.findChildren(QCheckBox) if "1 missing image" in bare(box.text()))
    assert not switch.isChecked()
    switch.click()
    press_import(qtbot, project, dialog)
    assert len(project.images.rows.ids) == before
    assert len(project.session.document) == 1


def test_where_no_image_is_missing_nothing_is_offered(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "001.png"))
    assert not any("missing" in bare(box.text()) for box in dialog.findChildren(QCheckBox) if box.isVisibleTo(dialog))


def test_a_missing_image_is_assigned_to_the_file_that_it_must_be(
    qtbot: QtBot, project: Workbench, tmp_path: Path
) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "001.jpg"))
    assert "1 of 2 images found in the image folder, 1 more under another name" in texts(dialog)
    assert choice(dialog, "File for 001.jpg").currentText() == "001.png"
    press_import(qtbot, project, dialog)
    assert [len(project.session.document_of(id_)) for id_ in (1, 2)] == [1, 1]


def test_a_missing_image_becomes_the_file_that_the_user_chooses(
    qtbot: QtBot, project: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project.session.project.image_root
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "gone.png"))
    box = choice(dialog, "File for gone.png")
    assert box.currentText() == "List as missing"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(root / "002.png"), ""))
    box.setCurrentText("Choose a file…")
    qtbot.waitUntil(lambda: box.currentText() == "002.png", timeout=20_000)
    press_import(qtbot, project, dialog)
    assert len(project.session.document_of(3)) == 1


def test_a_file_that_cannot_be_the_image_is_refused_in_the_dialog(
    qtbot: QtBot, project: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "gone.png"))
    box = choice(dialog, "File for gone.png")
    foreign = write_image(tmp_path / "elsewhere" / "gone.png")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(foreign), ""))
    box.setCurrentText("Choose a file…")
    qtbot.waitUntil(lambda: "it is not in the project's image folder" in texts(dialog), timeout=20_000)
    assert box.currentText() == "List as missing"


def test_one_file_is_not_taken_for_two_images(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "001.jpg", "001.bmp"))
    boxes = [choice(dialog, f"File for 001.{ending}") for ending in ("jpg", "bmp")]
    assert {box.currentText() for box in boxes} == {"List as missing"}
    button = next(button for button in dialog.findChildren(QPushButton) if bare(button.text()) == "Import")
    for box in boxes:
        box.setCurrentText("001.png")
    assert not button.isEnabled()
    assert "001.png is chosen for more than one image" in texts(dialog)
    boxes[0].setCurrentIndex(1)
    assert button.isEnabled()


def test_a_file_about_other_images_cannot_be_imported(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "x.png", "y.png"))

    button = next(button for button in dialog.findChildren(QPushButton) if bare(button.text()) == "Import")
    assert "0 of 2 images" in texts(dialog)
    assert not button.isEnabled()


def test_images_of_another_size_are_named_before_the_import(qtbot: QtBot, project: Workbench, tmp_path: Path) -> None:
    path = coco_file(tmp_path, "000.png", "001.png")
    path.write_text(path.read_text().replace('"width": 64', '"width": 65', 1))

    dialog = preview(qtbot, project, path)

    assert "objects on 1 image whose size in the file differs (000.png)" in texts(dialog)
    assert "1 new" in texts(dialog)


def test_an_image_whose_file_is_not_there_is_called_missing_and_not_done(
    qtbot: QtBot, project: Workbench, tmp_path: Path
) -> None:
    dialog = preview(qtbot, project, coco_file(tmp_path, "000.png", "gone.png"))
    press_import(qtbot, project, dialog)
    rows = project.images.rows
    gone, here = (rows.index(rows.ids.tolist().index(id_)) for id_ in (rows.ids.max(), rows.ids.min()))

    def is_missing() -> bool:
        gone.data(THUMBNAIL_ROLE)
        return bool(gone.data(MISSING_ROLE))

    qtbot.waitUntil(is_missing, timeout=20_000)
    assert gone.data(Qt.ItemDataRole.AccessibleTextRole).endswith("missing")
    assert not here.data(MISSING_ROLE)


@pytest.mark.parametrize("kind", ["yolo", "voc", "labelme"])
def test_a_folder_of_annotations_is_imported_from_the_menu(
    qtbot: QtBot, project: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    draw(project, TRIANGLE)
    export(qtbot, project, ExportRequest(tmp_path / kind, CocoExportOptions(), format_name=kind))
    project.editing.undo()
    project.session.save()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: str(tmp_path / kind))

    project.window.actions_table["import_folder"].trigger()
    qtbot.waitUntil(lambda: bool(project.window.findChildren(ImportPreviewDialog)), timeout=20_000)
    (dialog,) = project.window.findChildren(ImportPreviewDialog)
    with qtbot.waitSignal(project.exchange.imported, timeout=20_000):
        next(button for button in dialog.findChildren(QPushButton) if bare(button.text()) == "Import").click()

    assert len(project.session.document) == 1
