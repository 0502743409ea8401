"""What must be true of a project after the work of `project_work.py` was cut short."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import project_work as work
from project_work import AFTERWARDS, BASE, DRAWN, IMAGES, IMPORTED, LATER, Say, draw, place_of

from maskwright.document.values import ImageState
from maskwright.project import Project, find_project, scan_folder
from maskwright.project.backup import is_sound, list_backups
from maskwright.project.rescue import find_rescues
from maskwright.project.restoring import complete_restore
from maskwright.project.salvage import salvage
from maskwright.project.store import FILE_NAME


@dataclass(frozen=True, slots=True)
class Operation:
    prepare: Callable[[Path], None]
    work: Callable[[Path, Say], None]
    check: Callable[[Path, list[str]], list[str]]
    """What is wrong with the project, given what was said: texts that begin with "lost" or "unusable"."""
    needs_model: bool = False


def content(project: Project) -> dict[int, tuple[str, str]]:
    """{x: (image, class)} of all objects that count."""
    names = {each.id: each.name for each in project.categories.listed()}
    return {
        int(instance.bounds_xyxy[0]): (record.file_name.rpartition("/")[2], names[instance.category_id])
        for record in project.images.all()
        for instance in project.instances.of(record.id)
        if instance.state.is_exported
    }


def seen(
    folder: Path, wanted: set[int], either: set[int] = frozenset()
) -> tuple[dict[int, tuple[str, str]], list[str]]:  # type: ignore[assignment]
    """The content of the project as the next program finds it, which must be `wanted` and may have some of `either`."""
    place = place_of(folder)
    if find_project(place) is None:
        return {}, ["unusable: there is no project any more"]
    wrong = []
    with Project.open(place, trusts_images=True) as project:
        if project.is_read_only:
            return {}, [f"unusable: {project.read_only_reason}"]
        found = content(project)
        if missing := wanted - found.keys():
            wrong.append(f"lost: objects {sorted(missing)}")
        if extra := found.keys() - wanted - either:
            wrong.append(f"lost: objects {sorted(extra)} that nobody made")
        if project.set_aside.all() and "aside" not in str(folder):
            wrong.append("lost: an edit was set aside")
        draw(project, AFTERWARDS)
    with Project.open(place, read_only=True, trusts_images=True) as project:
        if content(project).keys() != found.keys() | {AFTERWARDS}:
            wrong.append("unusable: what is drawn afterwards is not kept")
    if not is_sound(place / FILE_NAME):
        wrong.append("unusable: the file is damaged")
    wrong += [
        f"unusable: the copy {copy.name} is damaged" for copy in list_backups(place / FILE_NAME) if not is_sound(copy)
    ]
    wrong += [
        f"unusable: {left.name} is left" for name in ("*.new*", "*.restor*", "*.salvag*") for left in place.glob(name)
    ]
    return found, wrong


def xs(said: list[str], what: str = "drawn") -> set[int]:
    return {int(line.split()[1]) for line in said if line.startswith(what)}


# afterwards


def check_created(folder: Path, said: list[str]) -> list[str]:
    place = place_of(folder)
    if find_project(place) is None:
        if "made" in said:
            return ["lost: the project"]
        Project.create(place, image_root=folder / "images").close()
    with Project.open(place) as project:
        project.images.add(scan_folder(folder / "images"))
        project.ensure_categories([(1, "cell")])
        if project.images.ids().size != len(IMAGES):
            return ["lost: images"]
    return seen(folder, xs(said), {31})[1]


def check_edits(folder: Path, said: list[str], base: set[int] | None = None) -> list[str]:
    wanted = set(base if base is not None else BASE) | xs(said)
    wrong = seen(folder, wanted, set(DRAWN))[1]
    if "done" in said:
        with Project.open(place_of(folder), read_only=True) as project:
            if project.images.record(1).state is not ImageState.DONE:
                wrong.append(f"lost: the state of an image, which is {project.images.record(1).state}")
    return wrong


def check_killed(folder: Path, said: list[str]) -> list[str]:
    return check_edits(folder, said, {*BASE, *LATER})


def check_imported(folder: Path, said: list[str], base: set[int] | None = None) -> list[str]:
    wanted = set(base if base is not None else BASE) | xs(said)
    if "imported" in said:
        wanted |= set(IMPORTED)
    with Project.open(place_of(folder), trusts_images=True) as project:
        project.ensure_categories([(1, "cell")])
    found, wrong = seen(folder, wanted, {*IMPORTED, 31})
    if 0 < len(found.keys() & set(IMPORTED)) < len(IMPORTED):
        wrong.append("lost: a part of an import")
    on = {x: found[x][0] for x in IMPORTED if x in found}
    if any(name != IMAGES[2 - x % 3] for x, name in on.items()):
        wrong.append("lost: imported objects are on another image")
    return wrong


def check_fresh_import(folder: Path, said: list[str]) -> list[str]:
    return check_imported(folder, said, set())


def check_merged(folder: Path, said: list[str]) -> list[str]:
    found, wrong = seen(folder, set(BASE) | xs(said), {31})
    classes = {x: found[x][1] for x in BASE if x in found}
    names = ("cell", "cat", "dog")
    as_before = {x: names[x % 3] for x in BASE}
    first = {x: {"cat": "cell"}.get(name, name) for x, name in as_before.items()}
    second = {x: {"dog": "cell"}.get(name, name) for x, name in as_before.items()}
    steps = [as_before, first, as_before, second]
    done = sum(line in said for line in ("merged", "parted", "merged again"))
    if classes not in steps[done : done + 2]:
        wrong.append(f"lost: classes {classes} after {done} of 3 steps")
    return wrong


def check_batch(folder: Path, said: list[str]) -> list[str]:
    wrong = check_edits(folder, [line for line in said if not line.startswith("done")])
    with Project.open(place_of(folder), trusts_images=True) as project:
        run = project.runs.last()
        pending = set(project.runs.pending_images(run.id).tolist()) if run is not None else set()
        if again := xs(said, "done") & pending:
            wrong.append(f"lost: the batch on images {again}")
    return wrong


def check_batch_repeatable(folder: Path, said: list[str]) -> list[str]:
    """After a power loss: what a batch did may be done again, what a user did may not."""
    return check_batch(folder, [line for line in said if not line.startswith("done")])


def check_copied(folder: Path, said: list[str]) -> list[str]:
    copies = list_backups(place_of(folder) / FILE_NAME)
    wrong = check_killed(folder, said)
    if "copied" in said and not any(copy.name > "2026-02" for copy in copies):
        wrong.append("lost: the copy of today")
    if not copies:
        wrong.append("lost: the copies of earlier days")
    return wrong


def check_restored(folder: Path, said: list[str]) -> list[str]:
    found, wrong = seen(folder, set(BASE), set(LATER))
    is_later = set(LATER) <= found.keys()
    if 0 < len(found.keys() & set(LATER)) < len(LATER) or (is_later and "restored" in said):
        wrong.append(f"lost: neither of the two states: {sorted(found)}")
    if not is_later:
        kept = [each for each in list_backups(place_of(folder) / FILE_NAME) if "before-restore" in each.name]
        if not any(set(LATER) <= objects_in(each) for each in kept):
            wrong.append("lost: what was there before is not kept")
    return wrong


def check_salvaged(folder: Path, said: list[str]) -> list[str]:
    """Taken out, or as damaged as before, so that it can be tried again."""
    file, damaged = place_of(folder) / FILE_NAME, (folder / "damaged.db").read_bytes()
    complete_restore(file)  # as whoever opens it next
    is_taken_out = file.read_bytes() != damaged and is_sound(file)
    if not is_taken_out and "salvaged" in said:
        return ["lost: what was taken out"]
    if not is_taken_out:
        salvage(file)
    wrong = [text for text in seen(folder, set(BASE))[1] if "before-restore" not in text]
    if not any(copy.read_bytes() == damaged for copy in list_backups(file)):
        wrong.append("lost: the damaged file")
    return wrong


def objects_in(copy: Path) -> set[int]:
    beside = place_of(copy.parent) / FILE_NAME
    beside.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal"):
        if copy.with_name(copy.name + suffix).exists():
            shutil.copyfile(copy.with_name(copy.name + suffix), beside.with_name(beside.name + suffix))
    with Project.open(beside.parent, trusts_images=True) as project:
        return set(content(project))


def check_relocated(folder: Path, said: list[str]) -> list[str]:
    with Project.open(place_of(folder), read_only=True) as project:
        depths = {record.file_name.count("/") for record in project.images.all()}
    wrong = seen(folder, set(BASE))[1]
    if len(depths) != 1 or (depths == {0} and "relocated" in said):
        wrong.append("lost: only some images have their new place")
    return wrong


def check_exported(folder: Path, said: list[str]) -> list[str]:
    count = len(json.loads((folder / "out.json").read_bytes())["annotations"])
    wrong = seen(folder, set(BASE))[1]
    if count not in (0, len(BASE)) or (not count and "exported" in said):
        wrong.append(f"lost: {count} annotations in the exported file")
    return wrong


def check_rescued(folder: Path, said: list[str]) -> list[str]:
    with Project.open(place_of(folder), read_only=True) as project:
        rescues = find_rescues(project.path, project.mark)
    found = {id_ for rescue in rescues for edit in rescue.edits for id_, _, _ in edit.change or ()}
    missing = xs(said, "kept") - found
    return seen(folder, set(BASE))[1] + ([f"lost: rescued edits {missing}"] if missing else [])


def check_aside(folder: Path, said: list[str]) -> list[str]:
    with Project.open(place_of(folder)) as project:
        found = {id_ for edit in project.set_aside.all() for id_, _, _ in edit.change or ()}
        project.set_aside.forget([edit.id for edit in project.set_aside.all()])
    missing = xs(said, "aside") - found
    return seen(folder, set(BASE))[1] + ([f"lost: edits set aside {missing}"] if missing else [])


def check_upgraded(folder: Path, said: list[str]) -> list[str]:
    wrong = check_edits(folder, said)
    with closing(sqlite3.connect(list_backups(place_of(folder) / FILE_NAME)[0])) as copy:
        if copy.execute("SELECT count(*) FROM instances").fetchone()[0] < len(BASE):
            wrong.append("lost: objects in the copy of the old schema")
    return wrong


def check_learned(folder: Path, said: list[str]) -> list[str]:
    """No object is lost, a round that was told is there, and one that was cut short is gone on with, or begun anew."""
    from maskwright.inference.installed import installed_model, models_folder
    from maskwright.learning.rounds import read_rounds

    wrong = seen(folder, set(BASE) | xs(said), {31})[1]
    told = [line.split()[1:] for line in said if line.startswith("learned")]
    for _ in range(1 if told else 2):
        records = {str(record.number): record for record in read_rounds(place_of(folder))}
        for number, name in told:
            model = installed_model(name)
            if number not in records or model is None or model.content_hash != records[number].model_hash:
                wrong.append(f"lost: round {number}")
            elif model.path.read_bytes() != (folder / "learned.xml").read_bytes():
                wrong.append(f"unusable: the model of round {number}")
        if not told:
            said_now: list[str] = []
            work.learn_(folder, said_now.append)
            told = [line.split()[1:] for line in said_now if line.startswith("learned")]
            # What a killed program left behind goes with the next round.
            lefts = [left for place in (models_folder(), place_of(folder) / "learning") for left in place.glob(".*.*")]
            wrong += [f"unusable: {left.name} is left in {left.parent.name}" for left in lefts]
    return wrong


OPERATIONS = {
    "create": Operation(work.prepare_images, work.create, check_created),
    "open": Operation(work.prepare_killed, work.open_, check_killed),
    "edit": Operation(work.prepare_project, work.edit, check_edits),
    "import": Operation(work.prepare_import, work.import_, check_imported),
    "import new": Operation(work.prepare_fresh_import, work.import_alone, check_fresh_import),
    "merge": Operation(work.prepare_project, work.merge, check_merged),
    "batch": Operation(work.prepare_project, work.batch, check_batch, needs_model=True),
    "back up": Operation(work.prepare_many_copies, work.back_up_, check_copied),
    "restore": Operation(work.prepare_copies, work.restore_, check_restored),
    "salvage": Operation(work.prepare_damaged, work.salvage_, check_salvaged),
    "relocate": Operation(work.prepare_moved, work.relocate, check_relocated),
    "upgrade": Operation(work.prepare_old_schema, work.open_, check_upgraded),
    "export": Operation(work.prepare_export, work.export, check_exported),
    "rescue": Operation(work.prepare_project, work.rescue, check_rescued),
    "learn": Operation(work.prepare_learning, work.learn_, check_learned),
    "set aside": Operation(work.prepare_project, work.set_aside, check_aside),
}

CHECKS_AFTER_POWER_LOSS = {"batch": check_batch_repeatable}
"""What a model did may be done again."""
