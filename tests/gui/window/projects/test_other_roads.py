"""What changes a project beside the window's own edits: no edit lands on the wrong object or blocks the others."""

import json
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.values import ImageState
from maskwright.project import Project
from maskwright_gui.app import Workbench
from maskwright_gui.session import Session
from maskwright_gui.workers.storing import PendingEdit
from project_builders import drawn, square

WAIT_MS = 20_000
RING = [5, 5, 25, 5, 25, 25]


def coco_file(folder: Path, ids: range, *, image_ids: list[int] | None = None) -> Path:
    """One annotation for each id on the images 000.png, 001.png, ... in turn."""
    image_ids = image_ids if image_ids is not None else [1, 2, 3]
    images = [{"id": id_, "file_name": f"{i:03d}.png", "width": 64, "height": 48} for i, id_ in enumerate(image_ids)]
    annotations = [
        {"id": id_, "image_id": image_ids[i % len(images)], "category_id": 1, "segmentation": [RING]}
        | {"area": 200.0, "bbox": [5, 5, 20, 20], "iscrowd": 0}
        for i, id_ in enumerate(ids)
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "thing"}]}
    (folder / "in.json").write_text(json.dumps(content))
    return folder / "in.json"


def take_in(qtbot: QtBot, bench: Workbench, file: Path) -> None:
    with qtbot.waitSignal(bench.exchange.imported, timeout=WAIT_MS):
        bench.exchange.import_file(file)


def draw(bench: Workbench) -> int:
    session = bench.session
    id_ = session.new_instance_id()
    assert session.edit(edits.create(id_, session.classes.current_id, [square(30, 10)]), "Draw")
    return id_


def stored(bench: Workbench) -> dict[str, set[tuple[float, ...]]]:
    """{file name: boxes of the objects}."""
    assert bench.session.save()
    project = bench.session.project
    assert project is not None
    return {
        record.file_name: {instance.bounds_xyxy for instance in project.stored.instances.of(record.id)}
        for record in project.stored.images.all()
    }


IMPORTED, DRAWN = (5, 5, 25, 25), (30, 10, 40, 20)


@pytest.mark.parametrize(
    ("ids", "image_ids"),
    [(range(1, 7), [1, 2, 3]), (range(1, 7), [3, 1, 2]), (range(1001, 1007), [1, 2, 3]), (range(250, 256), [9, 2, 1])],
    ids=["ids of the window's block", "images in another order", "ids above it", "both"],
)
def test_an_object_drawn_after_an_import_is_one_more_on_its_image(
    qtbot: QtBot, opened: Workbench, tmp_path: Path, ids: range, image_ids: list[int]
) -> None:
    opened.session.new_instance_id()  # the window has a block of ids at hand
    take_in(qtbot, opened, coco_file(tmp_path, ids, image_ids=image_ids))
    on = opened.session.image.file_name
    draw(opened)
    found = stored(opened)
    assert [found[name] for name in ("000.png", "001.png", "002.png")] == [
        {IMPORTED, DRAWN} if name == on else {IMPORTED} for name in ("000.png", "001.png", "002.png")
    ]
    assert len(opened.session.project.stored.instances.ids()) == 7
    assert opened.session.project.stored.set_aside.all() == []


def test_steps_from_before_an_import_are_undone_after_it(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    opened.classes.add("mine")
    draw(opened)
    take_in(qtbot, opened, coco_file(tmp_path, range(1, 4)))
    assert len(opened.session.document) == 2
    assert opened.session.history.undo() == "Draw"
    assert stored(opened)[opened.session.image.file_name] == {IMPORTED}
    assert opened.session.history.redo() == "Draw"
    assert stored(opened)[opened.session.image.file_name] == {IMPORTED, DRAWN}


def test_a_gesture_begun_before_an_import_ends_on_the_image_it_began_on(
    qtbot: QtBot, opened: Workbench, tmp_path: Path
) -> None:
    opened.classes.add("mine")
    session = opened.session
    change = edits.create(session.new_instance_id(), session.classes.current_id, [square(30, 10)])
    take_in(qtbot, opened, coco_file(tmp_path, range(1, 7), image_ids=[3, 1, 2]))
    on = session.image.file_name
    assert session.edit(change, "Draw")
    assert stored(opened)[on] == {IMPORTED, DRAWN}


def test_an_import_shows_the_state_it_gave_to_the_image_on_screen(
    qtbot: QtBot, opened: Workbench, tmp_path: Path
) -> None:
    assert opened.session.image.state is ImageState.UNSEEN
    take_in(qtbot, opened, coco_file(tmp_path, range(1, 7)))
    assert opened.session.image.state is ImageState.DONE
    assert opened.session.image.instance_count == 2


def test_an_import_that_runs_is_not_cut_off_by_the_next_task(qtbot: QtBot, opened: Workbench, tmp_path: Path) -> None:
    opened.exchange.import_file(coco_file(tmp_path, range(1, 7)))
    with qtbot.waitSignal(opened.exchange.imported, timeout=WAIT_MS):
        opened.exchange.check()
    assert len(opened.session.document) == 2


def unfit(image_id: int) -> PendingEdit:
    """An object of a class that there never was."""
    return PendingEdit(image_id, Change.create([drawn(900_000, category_id=77)]), "Draw polygon")


def test_an_edit_that_can_never_be_saved_is_set_aside_and_those_behind_it_go_on(
    qtbot: QtBot, opened: Workbench
) -> None:
    opened.classes.add("cell")
    with qtbot.waitSignal(opened.session.put_aside, timeout=WAIT_MS):
        opened.session._link.writer.write(unfit(1))
        draw(opened)
    assert stored(opened)["000.png"] == {DRAWN}
    (kept,) = opened.session.project.stored.set_aside.all()
    assert (kept.file_name, kept.label) == ("000.png", "Draw polygon")
    assert kept.change == unfit(1).change
    assert not any(word in kept.reason for word in ("sql", "SQL", "FOREIGN", "constraint", "Error"))


def test_a_rescued_edit_that_does_not_fit_does_not_hold_up_the_start(qtbot: QtBot, opened: Workbench) -> None:
    opened.session.put_in([unfit(1), unfit(4)])
    assert opened.session.save()
    assert len(opened.session.project.stored.set_aside.all()) == 2


def test_an_edit_that_is_set_aside_leaves_the_screen_as_the_project_is(qtbot: QtBot, opened: Workbench) -> None:
    opened.session.edit(Change.create([drawn(900_000, category_id=77)]), "Draw polygon")
    qtbot.waitUntil(lambda: not len(opened.session.document), timeout=WAIT_MS)
    assert opened.session.history.undo_label is None


def test_what_was_set_aside_is_listed_tried_again_and_saved_to_a_file(
    qtbot: QtBot, opened: Workbench, tmp_path: Path
) -> None:
    with qtbot.waitSignal(opened.session.put_aside, timeout=WAIT_MS):
        opened.session._link.writer.write(unfit(1))
    dialog = opened.aside.open()
    (kept,) = dialog.selected
    opened.aside.save([kept], tmp_path / "kept.json")
    (written,) = json.loads((tmp_path / "kept.json").read_text())["annotations"]
    assert (written["category_id"], written["bbox"]) == (77, [0, 0, 10, 10])
    opened.session.project.stored.categories.add("late", id=77)
    dialog.retry_requested.emit(dialog.selected)
    qtbot.waitUntil(lambda: not dialog.selected, timeout=WAIT_MS)
    assert stored(opened)["000.png"] == {(0, 0, 10, 10)}
    assert opened.session.project.stored.set_aside.all() == []


def test_what_was_set_aside_is_told_of_at_the_next_opening(qtbot: QtBot, opened: Workbench) -> None:
    with qtbot.waitSignal(opened.session.put_aside, timeout=WAIT_MS):
        opened.session._link.writer.write(unfit(1))
    path = opened.session.project.path
    with qtbot.waitSignal(opened.projects.opened, timeout=WAIT_MS):
        opened.projects.open_path(path)
    assert "1 edit is set aside" in [message.text for message in opened.window.toasts.messages]


@pytest.fixture
def busy_merge(qtbot: QtBot, opened: Workbench) -> Any:
    """An object of a class that was merged into another, the document as it was before that is taken back."""
    opened.classes.add("car")
    draw(opened)
    opened.classes.add("vehicle")
    car, vehicle = (category.id for category in opened.session.classes.listed)
    opened.session.save()
    merge = opened.session.project.stored.merges.make(car, vehicle)
    opened.session.reload_classes()
    return merge, car, vehicle


def test_a_step_made_while_a_merge_is_taken_back_keeps_the_class_that_comes_back(
    qtbot: QtBot, opened: Workbench, busy_merge: Any
) -> None:
    merge, car, _ = busy_merge
    (before,) = opened.session.document
    project = opened.session.project
    project.stored.merges.undo(merge.id)  # as the task does, while the window still shows the merged class
    opened.session.edit(edits.set_polygons(opened.session.document, {before.id: (square(1, 1),)}), "Move")
    assert opened.session.save()
    (after,) = project.stored.instances.of(opened.session.image.id)
    assert (after.category_id, after.polygons) == (car, (square(1, 1),))


def test_space_counts_after_undo_on_an_image_that_was_empty(opened: Workbench) -> None:
    opened.classes.add("cell")
    image_id = opened.session.image.id
    opened.images.done()
    opened.session.show_image(image_id)
    assert opened.session.image.state is ImageState.EMPTY
    draw(opened)
    assert opened.session.image.state is ImageState.IN_PROGRESS
    opened.session.history.undo()
    opened.images.done()
    assert opened.session.save()
    assert opened.session.project.stored.images.record(image_id).state is ImageState.EMPTY


def test_a_reading_window_shows_what_another_program_has_written(qtbot: QtBot, opened: Workbench) -> None:
    opened.classes.add("cell")
    writer = opened.session.project
    reading = Session(opened.session)
    reading.open_project(Project.open(writer.path, read_only=True))
    with qtbot.waitSignal(reading.neighbour_read, timeout=WAIT_MS):
        reading.read_ahead([2])
    (id_,) = writer.stored.instances.reserve_ids(1)
    writer.stored.instances.apply(2, Change.create([drawn(id_)]), label="Draw")
    reading.show_image(2)
    assert len(reading.document) == 1
    reading.close_project()
