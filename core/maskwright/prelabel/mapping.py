"""Which category of a project each class of a model becomes: stored with the project, otherwise guessed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskwright.document.values import Category
from maskwright.errors import ModelError
from maskwright.inference.labels import ModelCategory, coco_category
from maskwright.project import Project
from maskwright.project.learned_classes import learned_classes
from maskwright.project.merging import MAPPING_SETTING

IGNORED = None
_NUMBER = re.compile("-?[0-9]{1,18}")
"""A class mapped to this is left out."""
_SAME_THINGS = (
    # names for the same thing in COCO, Pascal VOC, Open Images and everyday use, normalised as by `_plain`
    ("airplane", "aeroplane", "plane"),
    ("bicycle", "bike"),
    ("cellphone", "mobilephone"),
    ("couch", "sofa"),
    ("donut", "doughnut"),
    ("hairdrier", "hairdryer"),
    ("motorcycle", "motorbike"),
    ("nucleu", "nuclei"),
    ("person", "people", "human"),
    ("pottedplant", "houseplant"),
    ("refrigerator", "fridge"),
    ("tv", "tvmonitor", "television"),
)
_COMMON_NAME = {name: names[0] for names in _SAME_THINGS for name in names}


def guess_mapping(labels: Iterable[ModelCategory], categories: Sequence[Category]) -> dict[int, int]:
    """{model's id: project's id} for classes with the same name, ignoring case, plural and separators.

    A synonym is used if the project does not have the name itself.
    """
    known = {_common(category.name): category.id for category in reversed(categories)}
    known |= {_plain(category.name): category.id for category in categories}
    guesses = {label.id: known.get(_plain(label.name), known.get(_common(label.name))) for label in labels}
    return {label_id: guess for label_id, guess in guesses.items() if guess is not None}


def _mappings(project: Project) -> dict[str, Any]:
    """{model hash: {the model's id: the project's}} as stored; the project may be a stranger's."""
    stored = project.setting(MAPPING_SETTING)
    return stored if isinstance(stored, dict) else {}


def stored_mapping(project: Project, model_hash: str) -> dict[int, int | None]:
    """The user's choices for this model; empty if there are none. IGNORED classes map to None."""
    stored = _mappings(project).get(model_hash)
    pairs = stored.items() if isinstance(stored, dict) else ()
    return {int(key): id_ for key, id_ in pairs if _NUMBER.fullmatch(key) and type(id_) in (int, type(None))}


def store_mapping(project: Project, model_hash: str, mapping: Mapping[int, int | None]) -> None:
    """Store the user's choices. Raises ProjectError if the project cannot be written."""
    stored = _mappings(project)
    project.set_setting(MAPPING_SETTING, stored | {model_hash: {str(key): value for key, value in mapping.items()}})


def project_categories(project: Project, labels: Iterable[ModelCategory], model_hash: str) -> dict[int, int]:
    """{model's id: project's id} for all classes except ignored ones and those that the user deleted.

    The user's choices come first, then the classes that a model learned in this project, then matching names; any other
    class gets a new category, which is listed once an object of it has been found.
    """
    labels = list(labels)
    categories, deleted = project.categories.listed(), project.categories.deleted()
    existing = {category.id for category in (*categories, *project.categories.offered())}
    decided = stored_mapping(project, model_hash)
    merged = [Category(id_, name) for name, id_ in project.merges.names().items()]
    mapping: dict[int, int | None] = dict.fromkeys(_of_one_name(labels, deleted), IGNORED)
    mapping |= {**guess_mapping(labels, merged), **guess_mapping(labels, categories)}
    mapping |= learned_classes(project, model_hash)
    mapping |= {key: value for key, value in decided.items() if value is None or value in existing}
    missing = [(label.id, label.name) for label in labels if label.id not in mapping]
    if missing:
        official = [label.id for label in labels if coco_category(label.id) == label]
        mapping |= project.categories.offer(missing, official_ids=official)
    return {label.id: known for label in labels if (known := mapping[label.id]) is not None}


def category_ids(wanted: Sequence[str], labels: Sequence[ModelCategory]) -> tuple[int, ...]:
    """The ids of categories given by name (ignoring case) or number.

    Raises ModelError naming the unknown ones and the alternatives.
    """
    by_name = {label.name.casefold(): label.id for label in labels} | {str(label.id): label.id for label in labels}
    unknown = [name for name in wanted if name.strip().casefold() not in by_name]
    if unknown:
        known = ", ".join(label.name for label in labels[:100])
        raise ModelError(f"the model has no class {', '.join(unknown)}", hint=f"known: {known}")
    return tuple(sorted({by_name[name.strip().casefold()] for name in wanted}))


def parse_mapping(text: str, project: Project, labels: Sequence[ModelCategory]) -> dict[int, int | None]:
    """ "person=human, car=" as {model's id: project's id, or None to ignore}; missing categories are created.

    Raises ModelError for a class that the model does not have.
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    sources = [category_ids([source], labels)[0] for source, _, _ in pairs]
    targets = [target.strip() for _, _, target in pairs]
    made = project.categories.ensure(enumerate(sorted({target for target in targets if target}), start=1))
    by_name = dict(zip(sorted({target for target in targets if target}), made.values(), strict=True))
    return {source: by_name.get(target) for source, target in zip(sources, targets, strict=True)}


def _of_one_name(labels: Iterable[ModelCategory], categories: Iterable[Category]) -> list[int]:
    names = {category.name.casefold() for category in categories}
    return [label.id for label in labels if label.name.strip().casefold() in names]


def _plain(name: str) -> str:
    plain = "".join(character for character in name.casefold() if character.isalnum())
    return plain.removesuffix("s") or plain


def _common(name: str) -> str:
    plain = _plain(name)
    return _COMMON_NAME.get(plain, plain)
