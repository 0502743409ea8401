"""What a round would learn from, what prevents it, and whether more images are worth it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright.inference.files import file_hash
from maskwright.inference.installed import is_plain, model_path
from maskwright.learning.gate import images_until_next_round
from maskwright.learning.holdout import LEAST_IMAGES, Split, split_images
from maskwright.learning.installing import free_name, require_free_name
from maskwright.learning.job import GENERAL, NUCLEI
from maskwright.learning.recipe import Recipe, nuclei_recipe, recipe_for
from maskwright.learning.rounds import RoundRecord, next_number, read_rounds
from maskwright.learning.selection import LearnableImage, Material, material_of
from maskwright.models.catalog import listed_models
from maskwright.project import Project
from maskwright.words import count_of

MOST_IMAGES = 2000
"""More than any budget of minutes can use; which ones are taken depends only on their names."""
GOOD_OBJECTS = 15
"""Number of objects from which a class is usually found reliably."""
AUTO = "auto"
_NUCLEI_SHARE = 0.5
"""A round starts from the nuclei base if at least this fraction of the objects came from the bundled nuclei
model."""


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """What a user chooses before a round."""

    minutes: float = 5.0
    classes: tuple[str, ...] = ()
    """Names or ids; empty for every class with an object."""
    base: str = AUTO
    to: str | None = None
    """Name of the new model; None for the project's name with the round's number."""
    steps: int | None = None
    """Exactly this many steps instead of minutes: the same seed gives the same model."""
    seed: int = 1
    threads: int = 1
    memory_gb: float = 2.5
    device: str = "auto"
    """"auto" for the first GPU that torch has, else the CPU."""
    counts_cpu: bool = False
    """See `LearningJob.counts_cpu`."""


@dataclass(frozen=True, slots=True)
class LearningPlan:
    """What a round would do."""

    number: int
    name: str
    training: tuple[LearnableImage, ...]
    held_out: tuple[LearnableImage, ...]
    categories: tuple[Category, ...]
    recipe: Recipe
    minutes: float
    base: str
    """What the network is pre-trained on: general images, or nuclei."""
    old: RoundRecord | None
    """The latest installed round of this project."""
    next_round_after: int | None
    """Number of further done images that make another round worth it, by the latest figures; None if unknown or hardly.
    """
    obstacle: str | None = None
    """Why nothing can be learned; None if it can."""
    few: str | None = None
    """A note naming the classes with few objects; None if there are none."""
    notes: tuple[str, ...] = ()
    new_images: int = 0
    """Done images that no earlier round used."""
    objects: dict[str, int] = field(default_factory=dict)
    """Objects to learn from, by class."""

    @property
    def object_count(self) -> int:
        """Number of objects to learn from."""
        return sum(self.objects.values())

    @property
    def partly_done(self) -> int:
        """Images in progress among those to learn from."""
        return sum(not image.is_whole for image in self.training)

    @property
    def empty(self) -> int:
        """Number of empty images among them."""
        return sum(not image.objects for image in self.training)


def learning_plan(project: Project, options: LearnOptions | None = None) -> LearningPlan:
    """Plan a round; reads the project and changes nothing.

    Raises MaskwrightError for invalid classes, base or name, ProjectError if the project cannot be read.
    """
    options = options or LearnOptions()
    _check(options)
    wanted = _wanted_ids(project.categories.listed(), options.classes)
    rounds = read_rounds(project.path)
    old = next((record for record in reversed(rounds) if record.is_installed), None)
    material = material_of(project, wanted, most=MOST_IMAGES, first=old.held_out if old is not None else ())
    split = _split(material, old)
    teaching = set(split.training)
    training = tuple(image for image in material.images if not image.is_whole or image.record.id in teaching)
    held_out = tuple(image for image in material.whole if image.record.id in set(split.held_out))
    counted = Counter(item.category_id for image in training for item in image.objects)
    categories = tuple(category for category in material.categories if counted[category.id])
    if options.to is not None:
        require_free_name(options.to, rounds)
    number = next_number(project.path)
    taken = {model.name for model in listed_models()}
    base = options.base if options.base != AUTO else _usual_base(training, old)
    whole = {image.record.id for image in material.whole}
    return LearningPlan(
        number=number,
        name=options.to or free_name(project.name, number, taken),
        training=training,
        held_out=held_out,
        categories=categories,
        recipe=_recipe(training) if base == GENERAL else nuclei_recipe(_recipe(training)),
        minutes=options.minutes,
        base=base,
        old=old,
        next_round_after=_next_round(old),
        obstacle=_obstacle(material, counted),
        few=_few(categories, counted),
        notes=tuple(_notes(material, counted, held_out)),
        new_images=len(whole - {*old.training, *old.held_out}) if old is not None else len(whole),
        objects={category.name: counted[category.id] for category in categories},
    )


def _check(options: LearnOptions) -> None:
    if options.base not in (AUTO, GENERAL, NUCLEI):
        raise MaskwrightError(
            f"learning cannot start from {options.base}",
            hint=f"bases: {AUTO}, {GENERAL}, {NUCLEI}; any other model is no base, only compared with the new one",
        )
    if options.to is not None and (not is_plain(options.to) or "." in options.to):
        raise MaskwrightError(f"{options.to} cannot be a model's name", hint="letters, digits, - and _")
    if options.minutes <= 0 or (options.steps is not None and options.steps < 1):
        raise MaskwrightError("expected more than 0 minutes")


def _usual_base(training: Sequence[LearnableImage], old: RoundRecord | None) -> str:
    """That of the earlier rounds; else nuclei if most objects are corrected proposals of that model."""
    if old is not None and old.base in (GENERAL, NUCLEI):
        return old.base
    proposers = [item.provenance.model_hash for image in training for item in image.objects if item.provenance]
    objects = sum(len(image.objects) for image in training)
    if len(proposers) < max(1, _NUCLEI_SHARE * objects):
        return GENERAL
    bundled = file_hash(model_path(NUCLEI))
    return NUCLEI if proposers.count(bundled) >= _NUCLEI_SHARE * objects else GENERAL


def _wanted_ids(categories: Sequence[Category], names: Sequence[str]) -> frozenset[int] | None:
    if not names:
        return None
    known = {str(category.id): category.id for category in categories}
    known |= {category.name.casefold(): category.id for category in categories}
    unknown = [name for name in names if name.strip().casefold() not in known]
    if unknown:
        there = ", ".join(category.name for category in categories)
        raise MaskwrightError(f"the project has no class {', '.join(unknown)}", hint=f"known: {there}")
    return frozenset(known[name.strip().casefold()] for name in names)


def _split(material: Material, old: RoundRecord | None) -> Split:
    names = {image.record.id: image.record.file_name for image in material.whole}
    classes = {image.record.id: image.categories for image in material.whole}
    return split_images(
        names,
        classes,
        held_before=old.held_out if old is not None else (),
        taught=old.training if old is not None else (),
    )


def _recipe(training: Sequence[LearnableImage]) -> Recipe:
    shares, longest = [], 0
    for image in training:
        side = max(image.record.width, image.record.height)
        longest = max(longest, side)
        for item in image.objects:
            x1, y1, x2, y2 = item.bounds_xyxy
            shares.append(max(0.0, 0.75 * (x2 - x1) * (y2 - y1)) ** 0.5 / side)
    return recipe_for(shares, longest)


def _next_round(old: RoundRecord | None) -> int | None:
    if old is None or old.figures is None:
        return None
    return images_until_next_round(old.figures.f1, len(old.training) + len(old.held_out))


def _obstacle(material: Material, counted: Counter[int]) -> str | None:
    if counted:
        return None
    if material.whole:
        return "all done images are empty: draw or accept at least one object, then mark its image as done"
    left = f" ({count_of(material.unused_in_progress, 'image')} in progress)" if material.unused_in_progress else ""
    return f"no images are done{left}: correct a few and mark each as done"


def _few(categories: Sequence[Category], counted: Counter[int]) -> str | None:
    few = [
        f"{category.name} ({counted[category.id]})" for category in categories if counted[category.id] < GOOD_OBJECTS
    ]
    return f"few objects of {', '.join(few)}: about {GOOD_OBJECTS} make a class reliable" if few else None


def _notes(material: Material, counted: Counter[int], held_out: Sequence[LearnableImage]) -> list[str]:
    notes = []
    if not held_out and counted:
        notes.append(
            f"no images are held out for evaluation: that needs {LEAST_IMAGES} done images, there are "
            f"{len(material.whole)}"
        )
    if material.unused_in_progress:
        notes.append(
            f"Left out: {count_of(material.unused_in_progress, 'image')} in progress. Mark as done what to learn from"
        )
    if material.doubles:
        there = "object is" if material.doubles == 1 else "objects are"
        notes.append(f"{material.doubles} {there} there twice: one of each is used")
    if material.box_share() > 0.5:
        notes.append("most outlines are plain boxes, so the masks will be boxes too")
    if material.left_out:
        notes.append(f"{MOST_IMAGES} images are used, always the same ones; {material.left_out} more are ignored")
    return notes
