"""The job that a learning process is given: plain values in a file of its own, so that the project may change."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.learning.recipe import Recipe
from maskwright.plain_words import in_plain_words

JOB_NAME = "job.json"
CHECKPOINT_NAME = "checkpoint.pt"
NMS_IOU = 0.5
GENERAL, NUCLEI = "general", "nuclei"
"""What a network knows beforehand."""
MOST_STEPS = 2500
"""A machine that is fast enough stops here: after that many steps nothing more is learned from a small set."""
BEST_MODEL = "best.xml"
"""What the process leaves behind, its .bin beside it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A mask in a window of an image: with thousands of objects, whole-image masks would take minutes to unpack."""

    x: int
    y: int
    width: int
    height: int
    rle: str
    """COCO's compressed run lengths, of the window."""
    category: int = -1
    """Position in `LearningJob.category_names`; -1 where there is none to learn."""


@dataclass(frozen=True, slots=True)
class Example:
    """One image to learn from; what is neither object nor ignored is background."""

    file: str
    """Absolute."""
    width: int
    height: int
    objects: tuple[Patch, ...] = ()
    ignored: tuple[Patch, ...] = ()
    """Masks of places that nobody has judged yet: open proposals."""
    rejected: tuple[tuple[float, float, float, float], ...] = ()
    """Boxes (xyxy) of what a user said is no object: looked at more often."""


@dataclass(frozen=True, slots=True)
class LearningJob:
    """What a learning process has to know. Either `minutes` or `steps` bounds it and shapes the learning rate."""

    examples: tuple[Example, ...]
    category_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    recipe: Recipe
    name: str
    base: str = GENERAL
    truth: str | None = None
    """COCO file with the held-out images, in the work folder; None: too few images for a figure."""
    taught: str | None = None
    """COCO file with the images to learn from, where none is held out: they tell the operating point, no figure."""
    image_root: str = ""
    """Folder of the images in these files."""
    old_model: str | None = None
    """File of the model to compare with."""
    old_judged_on: tuple[int, ...] = ()
    """Ids of the held-out images that it did not learn from."""
    old_is_own: bool = False
    """It came of an earlier round of the project: `old_classes` are all that it has."""
    classes_exclude: bool = False
    """No two objects of different classes share a place: of what a model finds twice, one is wrong."""
    old_classes: tuple[tuple[int, int], ...] = ()
    """Ids of its classes and of the project's, where more than their names decides."""
    minutes: float | None = 5.0
    steps: int | None = None
    counts_cpu: bool = False
    """`minutes` of processor time however long that takes, at no lower priority: to measure on a busy machine."""
    seed: int = 1
    threads: int = 1
    memory_gb: float = 2.5
    device: str = "auto"

    @property
    def object_count(self) -> int:
        return sum(len(example.objects) for example in self.examples)

    def write(self, folder: Path) -> Path:
        """Raises FormatError where the disk is full or the folder cannot be written."""
        with atomic_writer(folder / JOB_NAME) as file:
            file.write(orjson.dumps(asdict(self)))
        return folder / JOB_NAME

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises FormatError for a file that is no job."""
        path = folder / JOB_NAME
        try:
            return cls._from_json(orjson.loads(path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise FormatError(f"not a learning job: {in_plain_words(error)}", path=path) from error

    @classmethod
    def _from_json(cls, values: dict[str, Any]) -> Self:
        known = dict(values)
        known["examples"] = tuple(_example(entry) for entry in values["examples"])
        known["recipe"] = Recipe.from_json(values["recipe"])
        known["category_names"] = tuple(values["category_names"])
        known["old_judged_on"] = tuple(values["old_judged_on"])
        known["category_ids"] = tuple(values["category_ids"])
        known["old_classes"] = tuple((pair[0], pair[1]) for pair in values.get("old_classes", ()))
        return cls(**known)


def _example(values: dict[str, Any]) -> Example:
    known = dict(values)
    for key in ("objects", "ignored"):
        known[key] = tuple(Patch(**entry) for entry in values[key])
    known["rejected"] = tuple((box[0], box[1], box[2], box[3]) for box in values["rejected"])
    return Example(**known)
