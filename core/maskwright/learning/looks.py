"""What a model finds on held-out images, object by object, for viewing: hits, misses and false positives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from maskwright.evaluation.figures import CocoResult
from maskwright.evaluation.model_run import detections
from maskwright.evaluation.truth import read_truth
from maskwright.formats.atomic import atomic_writer
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.raster import rle_to_mask
from maskwright.inference.model import Model
from maskwright.learning.judge import FALSE, assigned

MOST_IMAGES = 24
LOOKS_NAME = "looks.json"
_FIDELITY = 0.98

MatchKind = Literal["hit", "missed", "false"]


@dataclass(frozen=True, slots=True)
class MatchedObject:
    """One object: the model's if it is a hit or false, the user's if it was missed."""

    kind: MatchKind
    category_id: int
    rings: tuple[tuple[tuple[float, float], ...], ...]
    """Outer rings, image pixels."""
    score: float | None = None


@dataclass(frozen=True, slots=True)
class HeldOutImage:
    """One held-out image."""

    file_name: str
    """Relative to the project's image root."""
    width: int
    height: int
    objects: tuple[MatchedObject, ...]

    def count(self, kind: MatchKind) -> int:
        """Number of objects of this kind."""
        return sum(item.kind == kind for item in self.objects)


@dataclass(frozen=True, slots=True)
class HeldOutComparison:
    """The new model's objects and, image by image, the previous one's; `old` is empty if it could not be evaluated."""

    new: tuple[HeldOutImage, ...]
    old: tuple[HeldOutImage, ...] = ()

    def write(self, path: Path) -> None:
        """Raises FormatError if it cannot be written."""
        with atomic_writer(path) as file:
            file.write(orjson.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "HeldOutComparison | None":
        """None if there is none, or none that can be read: it is only for viewing."""
        try:
            values = orjson.loads(path.read_bytes())
            return cls(*(tuple(_look(entry) for entry in values[side]) for side in ("new", "old")))
        except (OSError, ValueError, TypeError, KeyError):
            return None


def looks_of(
    model: Model,
    truth: Path,
    images_dir: Path,
    *,
    score: float,
    classes: Mapping[int, int],
    only: Sequence[int] | None = None,
) -> tuple[HeldOutImage, ...]:
    """At most MOST_IMAGES images, in their order. score: threshold for the model's objects; others as for `figures_of`.

    Raises FormatError for a file that is not a ground truth.
    """
    dataset = read_truth(truth)
    kept = set(only) if only is not None else None
    images = [image for image in dataset["images"] if kept is None or image["id"] in kept][:MOST_IMAGES]
    found = detections(model, dataset | {"images": images}, images_dir, score=score, classes=classes)
    return tuple(look_at(image, found.results, dataset["annotations"]) for image in images)


def look_at(
    image: Mapping[str, Any], results: Iterable[CocoResult], annotations: Iterable[Mapping[str, Any]]
) -> HeldOutImage:
    """results, annotations: of any images, in COCO's format."""
    here = sorted((one for one in results if one["image_id"] == image["id"]), key=lambda one: -one["score"])
    truths = [dict(one) for one in annotations if one["image_id"] == image["id"]]
    objects: list[MatchedObject] = []
    for category in sorted({one["category_id"] for one in (*here, *truths)}):
        of_class = [one for one in here if one["category_id"] == category]
        wanted = [one for one in truths if one["category_id"] == category]
        numbers = assigned(of_class, wanted)
        for result, number in zip(of_class, numbers, strict=True):
            if number >= FALSE:
                kind: MatchKind = "hit" if number > FALSE else "false"
                objects.append(MatchedObject(kind, category, _rings(result["segmentation"]), float(result["score"])))
        missed = (one for number, one in enumerate(wanted) if number not in numbers and not one.get("iscrowd"))
        objects += [MatchedObject("missed", category, _rings(one["segmentation"])) for one in missed]
    return HeldOutImage(image["file_name"], image["width"], image["height"], tuple(objects))


def _rings(segmentation: Mapping[str, Any]) -> tuple[tuple[tuple[float, float], ...], ...]:
    counts = segmentation["counts"]
    rle = {"size": segmentation["size"], "counts": counts.encode() if isinstance(counts, str) else counts}
    polygons = mask_to_polygons(rle_to_mask(rle), min_iou=_FIDELITY)  # type: ignore[arg-type]  # an Rle by its keys
    return tuple(tuple((round(x, 1), round(y, 1)) for x, y in polygon.exterior.tolist()) for polygon in polygons)


def _look(values: Mapping[str, Any]) -> HeldOutImage:
    objects = tuple(
        MatchedObject(
            entry["kind"],
            int(entry["category_id"]),
            tuple(tuple((float(x), float(y)) for x, y in ring) for ring in entry["rings"]),
            entry.get("score"),
        )
        for entry in values["objects"]
    )
    return HeldOutImage(str(values["file_name"]), int(values["width"]), int(values["height"]), objects)
