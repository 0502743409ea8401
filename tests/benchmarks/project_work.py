"""What is done to small projects while files fail, programs end or the power goes.

Each function works on the project below a folder, says what it has been told is done, and goes on where it is told that
something failed. `project_checks.py` says what must be true afterwards.
"""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance
from maskwright.errors import MaskwrightError, ProjectError
from maskwright.formats.coco import export_coco
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project, scan_folder
from maskwright.project.backup import back_up, list_backups
from maskwright.project.import_values import ImportOptions
from maskwright.project.rescue import RescuedEdit, edit_to_json, rescue_file, write_rescue
from maskwright.project.restoring import restore
from maskwright.project.salvage import salvage
from maskwright.project.store import FILE_NAME, INSIDE_IMAGES
from project_builders import overwrite_steps, to_first_schema, write_image

Say = Callable[[str], object]
IMAGES = ("a.png", "b.png", "c.png")
BASE, LATER, IMPORTED, AFTERWARDS = range(1, 7), range(11, 15), range(101, 125), 900
"""Objects by the x of their corner, each only once in a project."""
DRAWN = range(31, 37)


def place_of(folder: Path) -> Path:
    return folder / "images" / INSIDE_IMAGES


def draw(project: Project, x: int, image_id: int = 1, class_id: int = 1) -> None:
    outline = Polygon.of([(x, 1), (x + 3, 1), (x + 3, 4)])
    id_ = project.instances.reserve_ids(1)[0]
    project.instances.apply(image_id, Change.create([Instance(id_, class_id, (outline,))]), label="Draw")


def try_twice(work: Callable[[], object]) -> bool:
    """As the window does: what could not be saved is tried again."""
    for _ in range(2):
        try:
            work()
        except MaskwrightError:
            continue
        return True
    return False


# what there is before


def prepare_images(folder: Path) -> None:
    for index, name in enumerate(IMAGES):
        write_image(folder / "images" / name, value=40 * index)


def prepare_project(folder: Path) -> None:
    prepare_images(folder)
    with Project.create(place_of(folder), image_root=folder / "images") as project:
        project.images.add(scan_folder(folder / "images"))
        project.ensure_categories([(1, "cell"), (2, "cat"), (3, "dog")])
        for x in BASE:
            draw(project, x, image_id=1 + x % 3, class_id=1 + x % 3)


def prepare_killed(folder: Path) -> None:
    """As a killed program leaves it, with a log beside the file."""
    prepare_project(folder)
    draw_and_end(folder)


def draw_and_end(folder: Path) -> None:
    place = place_of(folder)
    project = Project.open(place)
    for x in LATER:
        draw(project, x)
    kept = folder / "kept"
    shutil.copytree(place, kept)
    project.close()
    shutil.rmtree(place)
    kept.replace(place)


def prepare_copies(folder: Path) -> None:
    prepare_project(folder)
    place = place_of(folder)
    back_up(place / FILE_NAME, reason="daily").rename(place / "backups" / "2026-01-02T030405Z-daily.db")
    draw_and_end(folder)


def prepare_many_copies(folder: Path) -> None:
    prepare_copies(folder)
    (first,) = list_backups(place_of(folder) / FILE_NAME)
    for month in range(1, 7):
        shutil.copyfile(first, first.with_name(f"2025-0{month}-02T030405Z-daily.db"))


def prepare_old_schema(folder: Path) -> None:
    prepare_project(folder)
    to_first_schema(place_of(folder) / FILE_NAME)


def prepare_damaged(folder: Path) -> None:
    """The steps cannot be read, all else can."""
    prepare_project(folder)
    file = place_of(folder) / FILE_NAME
    overwrite_steps(file)
    shutil.copyfile(file, folder / "damaged.db")


def prepare_coco(folder: Path) -> None:
    annotations = [
        {"id": x, "image_id": 1 + x % 3, "category_id": 1, "segmentation": [[x, 1, x + 3, 1, x + 3, 4]], "area": 4.5,
         "bbox": [x, 1, 3, 3], "iscrowd": 0}
        for x in IMPORTED
    ]  # fmt: skip
    images = [{"id": 3 - at, "file_name": name, "width": 64, "height": 48} for at, name in enumerate(IMAGES)]
    data = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "bird"}]}
    (folder / "in.json").write_text(json.dumps(data))


def prepare_import(folder: Path) -> None:
    prepare_project(folder)
    prepare_coco(folder)


def prepare_fresh_import(folder: Path) -> None:
    prepare_images(folder)
    with Project.create(place_of(folder), image_root=folder / "images") as project:
        project.images.add(scan_folder(folder / "images"))
    prepare_coco(folder)


def prepare_moved(folder: Path) -> None:
    prepare_project(folder)
    (folder / "images" / "deeper").mkdir()
    for name in IMAGES:
        (folder / "images" / name).rename(folder / "images" / "deeper" / name)


def prepare_export(folder: Path) -> None:
    prepare_project(folder)
    (folder / "out.json").write_text('{"images": [], "annotations": [], "categories": []}')


def prepare_learning(folder: Path) -> None:
    """Three done images, and what a learning process leaves behind."""
    prepare_project(folder)
    with Project.open(place_of(folder)) as project:
        for id_ in (1, 2, 3):
            project.images.set_state(id_, ImageState.DONE)
    for suffix in (".xml", ".bin"):
        (folder / f"learned{suffix}").write_bytes(b"weights" * 1000)


# the work


def create(folder: Path, say: Say) -> None:
    try:
        project = Project.create(place_of(folder), image_root=folder / "images")
    except MaskwrightError:
        project = Project.create(place_of(folder), image_root=folder / "images")
    say("made")
    with project:
        project.images.add(scan_folder(folder / "images"))
        project.ensure_categories([(1, "cell")])
        draw(project, 31)
        say("drawn 31")


def open_(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        say("opened")
        with suppress(ProjectError):
            project.back_up_daily()
        project.images.add(scan_folder(folder / "images"))
        if try_twice(lambda: draw(project, 31)):
            say("drawn 31")


def edit(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        for x in DRAWN:
            if try_twice(lambda x=x: draw(project, x)):  # type: ignore[misc]
                say(f"drawn {x}")
        with suppress(MaskwrightError):
            project.images.set_state(1, ImageState.DONE)
            say("done")


def import_(folder: Path, say: Say, *, alone: bool = False) -> None:
    with Project.open(place_of(folder)) as project:
        if try_twice(lambda: project.imports.add_file(folder / "in.json", alone=alone, options=ImportOptions())):
            say("imported")
        if project.categories.listed() and try_twice(
            lambda: draw(project, 31, class_id=project.categories.listed()[0].id)
        ):
            say("drawn 31")


def import_alone(folder: Path, say: Say) -> None:
    import_(folder, say, alone=True)


def merge(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        project.merges.make(2, 1)
        say("merged")
        if try_twice(lambda: draw(project, 31)):
            say("drawn 31")
        project.merges.undo(project.merges.all()[-1].id)
        say("parted")
        project.merges.make(3, 1)
        say("merged again")


def batch(folder: Path, say: Say) -> None:
    from maskwright.inference.model import load_model
    from maskwright.inference.thresholds import Thresholds
    from maskwright.prelabel import run_batch

    with Project.open(place_of(folder)) as project:
        model = load_model(folder.parent / "tiny.xml", num_threads=1)

        def tell(progress: object) -> None:
            say(f"done {progress.image_id}")  # type: ignore[attr-defined]
            x = 30 + progress.image_id  # type: ignore[attr-defined]
            if try_twice(lambda: draw(project, x)):
                say(f"drawn {x}")

        run_batch(project, model, Thresholds(), on_progress=tell)


def back_up_(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        if project.back_up_daily() is not None:
            say("copied")
        if try_twice(lambda: draw(project, 31)):
            say("drawn 31")


def restore_(folder: Path, say: Say) -> None:
    file = place_of(folder) / FILE_NAME
    restore(file, list_backups(file)[-1])
    say("restored")


def salvage_(folder: Path, say: Say) -> None:
    salvage(place_of(folder) / FILE_NAME)
    say("salvaged")


def relocate(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        project.image_folder.relocate(project.image_folder.find_moved(project.image_folder.missing()))
        say("relocated")


def export(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        export_coco(project.source, folder / "out.json")
        say("exported")


def rescue(folder: Path, say: Say) -> None:
    """Edits that wait for their project are kept elsewhere, the longer the more."""
    with Project.open(place_of(folder), read_only=True) as project:
        path, mark = project.path, project.mark
    kept = []
    for x in DRAWN:
        outline = Polygon.of([(x, 1), (x + 3, 1), (x + 3, 4)])
        change = Change.create([Instance(x, 1, (outline,))])
        kept.append(edit_to_json(RescuedEdit(1, "Draw", "edit", change, None)))
        with suppress(ProjectError):
            write_rescue(rescue_file(path, mark), path, kept)
            say(f"kept {x}")


def set_aside(folder: Path, say: Say) -> None:
    with Project.open(place_of(folder)) as project:
        for x in DRAWN:
            outline = Polygon.of([(x, 1), (x + 3, 1), (x + 3, 4)])
            change = Change.create([Instance(x, 1, (outline,))])
            with suppress(ProjectError):
                project.set_aside.add(1, label="Draw", kind="edit", reason="of a test", change=change, state=None)
                say(f"aside {x}")


def learn_(folder: Path, say: Say) -> None:
    """A round from its snapshot to the installed model; the learning itself is done already."""
    from maskwright.learning import learn as learning
    from maskwright.learning.events import Finished
    from maskwright.learning.job import BEST_MODEL
    from maskwright.learning.process import LearningError

    def run(work: Path, **_: object) -> Finished:
        say("begun")
        try:
            for suffix in (".xml", ".bin"):
                shutil.copyfile(folder / f"learned{suffix}", (work / BEST_MODEL).with_suffix(suffix))
        except OSError as error:
            raise LearningError(f"the disk refused: {error}") from error  # as a process tells it
        return Finished(100, 60.0, 0.4, None, None, was_stopped=False)

    learning.run_process = run
    learning.require_learning = lambda: None
    with Project.open(place_of(folder)) as project:
        if try_twice(lambda: draw(project, 31)):
            say("drawn 31")
        try:
            outcome = learning.learn(project)
        except MaskwrightError as error:
            say(f"told: {error}")
            with suppress(MaskwrightError):
                outcome = learning.learn(project, resume=learning.interrupted_round(project) is not None)
                say(f"learned {outcome.record.number} {outcome.record.model}")
            return
        say(f"learned {outcome.record.number} {outcome.record.model}")
