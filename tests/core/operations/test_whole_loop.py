"""What a user can ask of the window, a script can ask of the operations: the whole loop without Qt."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

import tiny_models
from maskwright.document import edits
from maskwright.formats.coco import CocoExportOptions
from maskwright.inference.model import load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.monitor import OperationCancelledError, SilentMonitor
from maskwright.operations.comparing import compare_with_file
from maskwright.operations.exchange import import_annotations
from maskwright.operations.exporting import ExportRequest, check_project, export
from maskwright.operations.opening import Opening, add_rest, open_project
from maskwright.operations.relocating import Located, find_moved, locate_in
from maskwright.prelabel import run_batch
from maskwright.project.store import Project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "photos" / name), np.zeros((20, 40, 3), np.uint8))
    return tmp_path / "photos"


@pytest.fixture
def project(folder: Path) -> Iterator[Project]:
    opening: Opening = add_rest(open_project(folder))
    yield opening.project
    opening.project.close()


def accepted(project: Project, model: Path) -> int:
    """Pre-labels, accepts what is proposed; how many objects that were."""
    run_batch(project, load_model(model, precision="f32"), Thresholds())
    count = 0
    for image in list(project.images.all()):
        document = project.instances.document(image.id)
        change = edits.accept(document, [each.id for each in document])
        project.instances.apply(image.id, change, label="Accept")
        count += len(change)
    return count


def test_from_a_folder_to_a_file_and_back(project: Project, tmp_path: Path) -> None:
    count = accepted(project, tiny_models.yolact(tmp_path / "tiny.xml"))
    assert count == 4
    assert check_project(project, CocoExportOptions()) == ()
    written = export(project, ExportRequest(tmp_path / "out.json", CocoExportOptions()))
    assert (written.is_written, written.image_count, written.instance_count) == (True, 2, count)
    imported = import_annotations(project, tmp_path / "out.json")
    assert (imported.result.added_count, imported.notes) == (0, ())


def test_another_model_is_compared(project: Project, tmp_path: Path) -> None:
    assert compare_with_file(project, tiny_models.yolact(tmp_path / "tiny.xml")) == 2


def test_images_that_were_moved_are_found(project: Project, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "a.png").rename(folder / "sub" / "a.png")
    assert find_moved(project) == Located(present=2, moved=1, missing=0)


def test_images_are_looked_for_in_another_folder(project: Project, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for path in folder.glob("*.png"):
        path.rename(tmp_path / "elsewhere" / path.name)
    assert locate_in(project, tmp_path / "elsewhere") == Located(present=2, moved=0, missing=0)
    assert project.image_root == tmp_path / "elsewhere"


def test_classes_are_merged_and_parted(project: Project, tmp_path: Path) -> None:
    accepted(project, tiny_models.yolact(tmp_path / "tiny.xml"))
    first, second = project.categories.listed()[:2]
    merge = project.merges.make(first.id, second.id)
    assert project.categories.use(second.id).instances == 4
    project.merges.undo(merge.id)
    assert project.categories.use(second.id).instances == 2


class Impatient(SilentMonitor):
    """Cancels at once."""

    def report(self, done: int, total: int | None, text: str = "") -> None:
        raise OperationCancelledError


def test_what_is_cancelled_leaves_everything_as_it_was(project: Project, tmp_path: Path) -> None:
    accepted(project, tiny_models.yolact(tmp_path / "tiny.xml"))
    with pytest.raises(OperationCancelledError):
        export(project, ExportRequest(tmp_path / "out.json", CocoExportOptions()), Impatient())
    assert not (tmp_path / "out.json").exists()
