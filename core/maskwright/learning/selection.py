"""What a project offers for training: the user's objects, unjudged places, and empty images.

Done images count completely: whatever is still proposed there was not accepted. From an image in progress that a model
has proposed on, accepted, edited and drawn objects are learned, open proposals are ignored, and rejected ones are
background: with half of the objects unanswered that kept AP50 at 0.97, against 1.00 with all objects and 0.94 with the
rest as background. An image in progress on which a user only draws is not used, because nobody has said where it is
empty.

Of an object that occurs twice, for example because two tools exported it, only one counts: on held-out images the
other could never be found, and what is left of it under the first would be taught as a ring. (COCO and the nuclei
images, 27,300 objects, have no two of a class with an IoU above 0.5.)"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.geometry.polygon import Polygon, box_ious
from maskwright.geometry.raster import polygons_to_rle, rle_area
from maskwright.learning.holdout import stable_rank
from maskwright.learning.job import NMS_IOU, Example, Patch
from maskwright.project import Project
from maskwright.project.overlaps import overlaps

_SAME_OBJECT_IOU = 0.8
_SHARED_BY_MISTAKE = 0.02
_LOOKED_AT = (ImageState.DONE, ImageState.EMPTY, ImageState.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class LearnableImage:
    """One image with what a user decided about it; category ids are the project's."""

    record: ImageRecord
    is_whole: bool
    """Everything in it has been judged."""
    objects: tuple[Instance, ...]
    ignored: tuple[Instance, ...]
    rejected: tuple[Instance, ...]
    doubles: int = 0
    """Objects left out because another one of their class has the same outline, or nearly."""

    @property
    def categories(self) -> frozenset[int]:
        """Categories of the objects."""
        return frozenset(instance.category_id for instance in self.objects)


@dataclass(frozen=True, slots=True)
class Material:
    """All that a project offers for training."""

    images: tuple[LearnableImage, ...]
    categories: tuple[Category, ...]
    """Those to learn, by id, without classes that have no object."""
    unused_in_progress: int = 0
    """Images in progress that are not used."""
    left_out: int = 0
    """Images not read because there were too many."""

    @property
    def whole(self) -> tuple[LearnableImage, ...]:
        """Images of which everything has been judged."""
        return tuple(image for image in self.images if image.is_whole)

    @property
    def doubles(self) -> int:
        """Objects left out because they occur twice."""
        return sum(image.doubles for image in self.images)

    def box_share(self) -> float:
        """Fraction of objects whose outline is only an upright box, 0..1."""
        objects = [instance for image in self.images for instance in image.objects]
        return sum(map(_is_box, objects)) / len(objects) if objects else 0.0


def material_of(
    project: Project,
    wanted: Collection[int] | None = None,
    *,
    most: int | None = None,
    first: Collection[int] = (),
) -> Material:
    """wanted: ids of the classes to learn; None for all that have an object. Other classes count as background.

    most: limit of images to read; those with ids in `first` come first, the others in an order that depends only on
    their names.
    """
    records = project.images.records(project.images.ids(states=_LOOKED_AT).tolist())
    looked_at = len(records)
    if most is not None and looked_at > most:
        preferred = set(first)
        records.sort(key=lambda record: (record.id not in preferred, stable_rank(record.file_name)))
        records = sorted(records[:most], key=lambda record: record.id)
    found, skipped = [], 0
    for record in records:
        document = project.instances.document(record.id)
        # An unreadable object's place would be taught as background.
        image = learnable(record, document, wanted) if not document.damaged else None
        if image is None:
            skipped += 1
        else:
            found.append(image)
    used = {category for image in found for category in image.categories}
    kept = tuple(category for category in project.categories.listed() if category.id in used)
    return Material(tuple(found), kept, skipped, left_out=looked_at - len(records))


def learnable(
    record: ImageRecord, instances: Iterable[Instance], wanted: Collection[int] | None = None
) -> LearnableImage | None:
    """None for an image that teaches nothing."""
    present = [item for item in instances if item.polygons]
    if record.state is ImageState.IN_PROGRESS and not any(item.provenance is not None for item in present):
        return None
    if record.state not in _LOOKED_AT:
        return None
    mine = [item for item in present if item.state.is_exported and (wanted is None or item.category_id in wanted)]
    open_ones = [item for item in present if item.state is InstanceState.PROPOSED]
    is_whole = record.state is not ImageState.IN_PROGRESS
    if not is_whole and not mine:
        return None
    objects = [item for item in mine if not item.is_crowd]
    single = _without_doubles(objects)
    return LearnableImage(
        record,
        is_whole,
        objects=tuple(single),
        ignored=tuple([item for item in mine if item.is_crowd] + ([] if is_whole else open_ones)),
        rejected=tuple(item for item in present if item.state is InstanceState.REJECTED),
        doubles=len(objects) - len(single),
    )


def _without_doubles(objects: Sequence[Instance]) -> list[Instance]:
    """The first of those that share a class and a place."""
    rows, columns, ious = overlaps(objects, objects, least_iou=_SAME_OBJECT_IOU)
    dropped: set[int] = set()
    for first, second in sorted(zip(*(at[ious >= _SAME_OBJECT_IOU].tolist() for at in (rows, columns)), strict=True)):
        if first < second and first not in dropped and objects[first].category_id == objects[second].category_id:
            dropped.add(second)
    return [item for number, item in enumerate(objects) if number not in dropped]


def classes_exclude(images: Iterable[LearnableImage]) -> bool:
    """Whether objects of different classes hardly ever overlap, by their boxes: a hat is on a head, but a fig is
    not on a date.
    """
    shared = objects = 0
    for image in images:
        boxes = np.array([item.bounds_xyxy for item in image.objects]).reshape(-1, 4)
        classes = np.array([item.category_id for item in image.objects])
        objects += len(boxes)
        for number, box in enumerate(boxes):
            shared += bool((box_ious(box, boxes[classes != classes[number]]) > NMS_IOU).any())
    return shared <= _SHARED_BY_MISTAKE * objects


def example_of(image: LearnableImage, file: str, positions: Mapping[int, int]) -> Example:
    """positions: index of each category id among the classes to learn. Objects that cover no pixel are left out."""
    size_wh = image.record.width, image.record.height
    objects = (_patch(item, size_wh, positions[item.category_id]) for item in image.objects)
    ignored = (_patch(item, size_wh, -1) for item in image.ignored)
    return Example(
        file=file,
        width=size_wh[0],
        height=size_wh[1],
        objects=tuple(patch for patch in objects if patch is not None),
        ignored=tuple(patch for patch in ignored if patch is not None),
        rejected=tuple(item.bounds_xyxy for item in image.rejected),
    )


def truth_of(images: Sequence[LearnableImage], categories: Sequence[Category]) -> dict[str, object]:
    """A COCO ground truth of held-out images, with file names relative to the project's image root."""
    annotations: list[dict[str, object]] = []
    for image in images:
        size_wh = image.record.width, image.record.height
        for item in (*image.objects, *(one for one in image.ignored if one.is_crowd)):
            rle = polygons_to_rle(item.polygons, size_wh)
            x1, y1, x2, y2 = item.bounds_xyxy
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image.record.id,
                    "category_id": item.category_id,
                    "segmentation": {"size": list(rle["size"]), "counts": rle["counts"].decode("ascii")},
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": rle_area(rle),
                    "iscrowd": int(item.is_crowd),
                }
            )
    return {
        "images": [
            {"id": image.record.id, "file_name": image.record.file_name}
            | {"width": image.record.width, "height": image.record.height}
            for image in images
        ],
        "categories": [{"id": category.id, "name": category.name} for category in categories],
        "annotations": annotations,
    }


def _patch(instance: Instance, size_wh: tuple[int, int], category: int) -> Patch | None:
    """None if the outline has no pixel inside the image."""
    x1, y1, x2, y2 = instance.bounds_xyxy
    left, top = max(math.floor(x1), 0), max(math.floor(y1), 0)
    width, height = min(math.ceil(x2), size_wh[0]) - left, min(math.ceil(y2), size_wh[1]) - top
    if width <= 0 or height <= 0:
        return None
    rle = polygons_to_rle([_moved(polygon, left, top) for polygon in instance.polygons], (width, height))
    return Patch(left, top, width, height, rle["counts"].decode("ascii"), category) if rle_area(rle) else None


def _moved(polygon: Polygon, left: int, top: int) -> Polygon:
    corner = np.array([left, top])
    return Polygon.of(polygon.exterior - corner, [hole - corner for hole in polygon.holes])


def _is_box(instance: Instance) -> bool:
    if len(instance.polygons) != 1 or instance.polygons[0].vertex_count != 4:
        return False
    x1, y1, x2, y2 = instance.bounds_xyxy
    corners = {(float(x), float(y)) for x, y in instance.polygons[0].exterior}
    return corners == {(x1, y1), (x2, y1), (x2, y2), (x1, y2)}
