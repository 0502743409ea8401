"""Images that were moved are found again, or said to be missing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from maskwright.document.values import ImageState
from maskwright.project import Project, scan_folder
from maskwright_gui.app import Workbench
from maskwright_gui.messages import Message
from window_support import coco_with_a_dog, image_folder


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Path]:
    """A project of six images that lies outside their folder, which has been moved away."""
    images = image_folder(tmp_path / "before", 6)
    with Project.create(tmp_path / "set.maskwright", image_root=images) as project:
        project.images.add(scan_folder(images))
    shutil.move(images, tmp_path / "after")
    return project.path


def open_project(qtbot: QtBot, bench: Workbench, path: Path) -> None:
    with qtbot.waitSignals([bench.projects.opened, bench.projects.images_added], timeout=20_000):
        bench.projects.open_path(path)


def messages(bench: Workbench) -> dict[str, Message]:
    return {message.text: message for message in bench.window.toasts.messages}


def test_a_folder_that_is_gone_is_said_and_can_be_located(
    qtbot: QtBot, bench: Workbench, apart: Path, tmp_path: Path
) -> None:
    open_project(qtbot, bench, apart)
    qtbot.waitUntil(lambda: "The image folder is gone" in messages(bench), timeout=20_000)
    assert messages(bench)["The image folder is gone"].action_text == "Locate folder…"
    with qtbot.waitSignal(bench.relocating.located, timeout=20_000):
        bench.relocating.locate_in(tmp_path / "after")
    qtbot.waitUntil(lambda: bench.images.on_screen == 1, timeout=20_000)
    assert any(text.startswith("6 images") for text in messages(bench))
    assert bench.session.project.image_root == tmp_path / "after"


def test_a_wrong_folder_is_refused_and_nothing_changes(
    qtbot: QtBot, bench: Workbench, apart: Path, tmp_path: Path
) -> None:
    open_project(qtbot, bench, apart)
    other = image_folder(tmp_path / "other", 1, size_wh=(10, 10))
    (other / "000.png").rename(other / "something else.png")
    bench.relocating.locate_in(other)
    qtbot.waitUntil(lambda: "The search for the images failed" in messages(bench), timeout=20_000)
    assert "choose the folder that contains 000.png" in messages(bench)["The search for the images failed"].detail
    assert bench.session.project.image_root == tmp_path / "before"


def test_a_missing_image_is_found_in_another_folder(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    (folder / "moved").mkdir()
    (folder / "004.png").rename(folder / "moved" / "004.png")
    opened.session.show_image(5)
    qtbot.waitUntil(lambda: "The image is missing" in messages(opened), timeout=20_000)
    messages(opened)["The image is missing"].action()
    qtbot.waitUntil(lambda: opened.images.on_screen == 5, timeout=20_000)
    assert opened.session.project.stored.images.record(5).file_name == "moved/004.png"


def test_what_is_not_found_is_said_to_be_missing(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    (folder / "004.png").unlink()
    opened.relocating.look()
    qtbot.waitUntil(lambda: "Some images were not found" in messages(opened), timeout=20_000)
    assert messages(opened)["Some images were not found"].detail == "1 of 6 are still missing."


def test_a_moved_file_is_no_new_image(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    opened.classes.add("cell")
    opened.projects.close_project()
    (folder / "moved").mkdir()
    (folder / "004.png").rename(folder / "moved" / "004.png")
    open_project(qtbot, opened, folder)
    assert opened.images.rows.rowCount() == 6
    assert opened.session.project.stored.images.record(5).file_name == "moved/004.png"
    assert "1 moved image found again" in messages(opened)


def test_images_in_a_folder_elsewhere_are_used_only_when_the_user_says_so(
    qtbot: QtBot, bench: Workbench, tmp_path: Path
) -> None:
    images = image_folder(tmp_path / "elsewhere" / "images", 2)
    with Project.create(tmp_path / "got" / "set.maskwright", image_root=images) as project:
        project.images.add(scan_folder(images))
        project.set_setting("project.mark", "0" * 32)  # as it comes from another computer
    bench.projects.open_path(project.path)
    question = "This project's images are in another folder"
    qtbot.waitUntil(lambda: question in messages(bench), timeout=20_000)
    assert bench.session.project is None
    with qtbot.waitSignals([bench.projects.opened, bench.projects.images_added], timeout=20_000):
        messages(bench)[question].action()
    assert bench.session.project.image_root == images


def count_text(bench: Workbench) -> str:
    return bench.window.header._count.text()


def test_missing_images_are_counted_apart_from_the_done_ones(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    stored = opened.session.project.stored
    stored.images.set_state(2, ImageState.EMPTY)
    stored.images.set_state(3, ImageState.DONE)
    (folder / "001.png").unlink()
    path = opened.session.project.path
    opened.projects.close_project()

    open_project(qtbot, opened, path)

    qtbot.waitUntil(lambda: count_text(opened) == "1 of 5 done · 1 missing", timeout=20_000)
    assert opened.images.missing.open_count() == 4


def test_an_image_that_is_missing_is_no_failure_of_a_batch(qtbot: QtBot, opened: Workbench, folder: Path) -> None:
    (folder / "004.png").unlink()
    (folder / "005.png").write_bytes(b"not an image")

    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()

    qtbot.waitUntil(lambda: "4 images pre-labelled" in messages(opened))
    assert messages(opened)["4 images pre-labelled"].detail == "1 failed, 1 missing."
    shown = next(one for one in opened.model.panel.findChildren(QPushButton) if "failed" in one.accessibleName())
    qtbot.waitUntil(lambda: shown.text() == "1 failed, 1 missing…")
    qtbot.waitUntil(lambda: count_text(opened).endswith("of 5 done · 1 missing"))


def test_an_import_that_lists_missing_images_counts_them(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    file = coco_with_a_dog(tmp_path / "a.json", "000.png")
    content = json.loads(file.read_text())
    content["images"].append({"id": 2, "file_name": "gone.png", "width": 64, "height": 48})
    file.write_text(json.dumps(content))

    opened.exchange.import_file(file)

    qtbot.waitUntil(lambda: count_text(opened) == "1 of 6 done · 1 missing", timeout=20_000)
