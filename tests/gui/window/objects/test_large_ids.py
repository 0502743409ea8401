"""Ids that a file brings and that are beyond what Qt calls an int: nothing of the work stops at them."""

import json
from pathlib import Path

from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project
from maskwright_gui.app import Workbench
from project_builders import write_image

IMAGE, OBJECT, CLASS = 3_000_000_000, 5_000_000_000, 4_000_000_000
TRIANGLE = Polygon.of([(5, 5), (25, 5), (5, 25)])


def test_edits_are_saved_on_an_image_with_a_large_id(qtbot: QtBot, bench: Workbench, tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "a.png")
    ring = [1, 1, 9, 1, 9, 9]
    content = {
        "images": [{"id": IMAGE, "file_name": "a.png", "width": 64, "height": 48}],
        "annotations": [{"id": OBJECT, "image_id": IMAGE, "category_id": CLASS, "segmentation": [ring], "area": 32,
                         "bbox": [1, 1, 8, 8], "iscrowd": 0}],
        "categories": [{"id": CLASS, "name": "cell"}],
    }  # fmt: skip
    (tmp_path / "in.json").write_text(json.dumps(content))
    with Project.create(tmp_path / "s.maskwright", image_root=tmp_path / "images") as project:
        project.imports.add_coco(tmp_path / "in.json")
        assert project.images.ids().tolist() == [IMAGE]
    with qtbot.waitSignal(bench.projects.opened):
        bench.projects.open_path(tmp_path / "s.maskwright")
    session = bench.session
    qtbot.waitUntil(lambda: bench.images.on_screen == IMAGE)
    with qtbot.waitSignal(session.record_changed):
        session.edit(edits.create(session.new_instance_id(), CLASS, [TRIANGLE]), "Draw")
    assert session.save()
    session.edit(edits.delete(session.document, [OBJECT]), "Delete")
    assert session.save()
    with Project.open(tmp_path / "s.maskwright", read_only=True) as saved:
        assert [each.category_id for each in saved.instances.of(IMAGE)] == [CLASS]
    bench.images.done()
    assert session.save()
