"""The input of a round: all it needs from the project, in files of its own, so that the project may keep
changing."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import orjson

from maskwright.errors import MaskwrightError
from maskwright.formats.atomic import atomic_writer, write_error
from maskwright.inference.files import file_hash
from maskwright.inference.installed import installed_model, model_path
from maskwright.learning.job import LearningJob
from maskwright.learning.plan import LearningPlan, LearnOptions
from maskwright.learning.rounds import RoundRecord, write_record
from maskwright.learning.selection import classes_exclude, example_of, truth_of
from maskwright.prelabel.mapping import stored_mapping
from maskwright.project import Project
from maskwright.project.learned_classes import todays_classes
from maskwright.project.model_choice import known_model
from maskwright.project.rows import now

DRAFT_NAME = "round.json"
_TRUTH_NAME = "held_out.json"
_TAUGHT_NAME = "taught.json"
_MOST_TAUGHT = 100
"""Limit for training images: enough for a score threshold."""


@dataclass(frozen=True, slots=True)
class _OldModel:
    """The model that the new one is compared with."""

    name: str
    path: Path
    judged_on: tuple[int, ...]
    is_own: bool
    classes: tuple[tuple[int, int], ...]


def take_snapshot(project: Project, plan: LearningPlan, options: LearnOptions, folder: Path) -> None:
    """Write the job, the held-out truth and a draft of the round's record to `folder`, replacing its content.

    Raises FormatError if the disk is full or the folder cannot be written.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise write_error(error, folder) from error
    old = _old_model(project, plan)
    whole = tuple(image for image in plan.training if image.is_whole)[:_MOST_TAUGHT]
    for name, images in ((_TRUTH_NAME, plan.held_out), (_TAUGHT_NAME, whole)):
        if images:
            with atomic_writer(folder / name) as file:
                file.write(orjson.dumps(truth_of(images, plan.categories)))
    write_record(folder / DRAFT_NAME, _draft(plan, options, old))
    # Last, because a folder with a job is a round that can be continued.
    _job(project, plan, options, old).write(folder)


def _job(project: Project, plan: LearningPlan, options: LearnOptions, old: _OldModel | None) -> LearningJob:
    positions = {category.id: index for index, category in enumerate(plan.categories)}
    return LearningJob(
        examples=tuple(example_of(image, str(project.image_path(image.record)), positions) for image in plan.training),
        category_names=tuple(category.name for category in plan.categories),
        category_ids=tuple(category.id for category in plan.categories),
        recipe=plan.recipe,
        name=plan.name,
        base=plan.base,
        classes_exclude=classes_exclude((*plan.training, *plan.held_out)),
        truth=_TRUTH_NAME if plan.held_out else None,
        taught=_TAUGHT_NAME if any(image.is_whole for image in plan.training) else None,
        image_root=str(project.image_root),
        old_model=str(old.path) if old is not None else None,
        old_judged_on=old.judged_on if old is not None else (),
        old_is_own=old is not None and old.is_own,
        old_classes=old.classes if old is not None else (),
        minutes=options.minutes,
        steps=options.steps,
        counts_cpu=options.counts_cpu,
        seed=options.seed,
        threads=options.threads,
        memory_gb=options.memory_gb,
        device=options.device,
    )


def _old_model(project: Project, plan: LearningPlan) -> _OldModel | None:
    """The project's latest round, else the model that its proposals come from."""
    held_out = [image.record.id for image in plan.held_out]
    if plan.old is not None:
        present = installed_model(plan.old.model)
        if present is not None and present.path.is_file():
            seen = set(plan.old.training)
            unseen = tuple(id_ for id_ in held_out if id_ not in seen)
            return _OldModel(plan.old.model, present.path, unseen, is_own=True, classes=_own_classes(project, plan))
    chosen = known_model(project)
    if chosen is None:
        return None
    try:
        path = model_path(chosen)
    except MaskwrightError:
        return None
    if not path.is_file():
        return None
    decided = stored_mapping(project, file_hash(path))
    classes = tuple((own, ours) for own, ours in decided.items() if ours is not None)
    return _OldModel(Path(chosen).stem, path, tuple(held_out), is_own=False, classes=classes)


def _own_classes(project: Project, plan: LearningPlan) -> tuple[tuple[int, int], ...]:
    """Class ids of the latest round's model and the project's."""
    ids = plan.old.category_ids if plan.old is not None else ()
    known = todays_classes(project, ids or [category.id for category in plan.categories])
    return tuple((id_, now) for id_, now in known.items() if now is not None)


def _draft(plan: LearningPlan, options: LearnOptions, old: _OldModel | None) -> RoundRecord:
    """What is known of a round before it has started."""
    return RoundRecord(
        number=plan.number,
        model=plan.name,
        model_hash="",
        is_installed=False,
        reason="",
        base=plan.base,
        classes=tuple(category.name for category in plan.categories),
        category_ids=tuple(category.id for category in plan.categories),
        training=tuple(image.record.id for image in plan.training),
        held_out=tuple(image.record.id for image in plan.held_out),
        objects=plan.object_count,
        seconds=0.0,
        steps=0,
        at=now(),
        old_model=old.name if old is not None else None,
        old_is_own=old is None or old.is_own,
        minutes=options.minutes if options.steps is None else None,
    )
