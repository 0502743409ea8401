"""The job for a learning process: plain values in a file of its own, so that the project may change meanwhile."""

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
"""What a network is pre-trained on."""
MOST_STEPS = 2500
"""Limit for fast machines: after this many steps a small set teaches nothing more."""
BEST_MODEL = "best.xml"
"""The file that the process produces, with its .bin beside it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A mask in a window of an image: with thousands of objects, full-size masks would take minutes to unpack."""

    x: int
    y: int
    width: int
    height: int
    rle: str
    """COCO's compressed run lengths, relative to the window."""
    category: int = -1
    """Index into `LearningJob.category_names`; -1 if no class is learned from it."""


@dataclass(frozen=True, slots=True)
class Example:
    """One training image; what is neither object nor ignored is background."""

    file: str
    """Absolute path."""
    width: int
    height: int
    objects: tuple[Patch, ...] = ()
    ignored: tuple[Patch, ...] = ()
    """Masks of unjudged places: open proposals."""
    rejected: tuple[tuple[float, float, float, float], ...] = ()
    """Boxes (xyxy) of rejected proposals, which are sampled more often."""


@dataclass(frozen=True, slots=True)
class LearningJob:
    """The input of a learning process. Either `minutes` or `steps` bounds it and shapes the learning rate."""

    examples: tuple[Example, ...]
    category_names: tuple[str, ...]
    category_ids: tuple[int, ...]
    recipe: Recipe
    name: str
    base: str = GENERAL
    truth: str | None = None
    """COCO file with the held-out images, in the work folder; None if there are too few for figures."""
    taught: str | None = None
    """COCO file with training images, for the score threshold if few objects are held out, never for figures."""
    image_root: str = ""
    """Folder of the images in these files."""
    old_model: str | None = None
    """File of the model to compare with."""
    old_judged_on: tuple[int, ...] = ()
    """Ids of the held-out images that it was not trained on."""
    old_is_own: bool = False
    """It came from an earlier round of the project: `old_classes` are all it has."""
    classes_exclude: bool = False
    """Objects of different classes never overlap: if a model finds one twice, one of them is wrong."""
    old_classes: tuple[tuple[int, int], ...] = ()
    """(its class id, the project's) pairs, if names alone do not decide."""
    minutes: float | None = 5.0
    steps: int | None = None
    counts_cpu: bool = False
    """Spend `minutes` of CPU time however long that takes, at normal priority: for measurements on a busy machine."""
    seed: int = 1
    threads: int = 1
    memory_gb: float = 2.5
    device: str = "auto"

    @property
    def object_count(self) -> int:
        """Number of objects to learn from."""
        return sum(len(example.objects) for example in self.examples)

    def write(self, folder: Path) -> Path:
        """Raises FormatError if the disk is full or the folder cannot be written."""
        with atomic_writer(folder / JOB_NAME) as file:
            file.write(orjson.dumps(asdict(self)))
        return folder / JOB_NAME

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises FormatError for a file that is not a job."""
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
