"""Checks before an export: everything that a reader would refuse, misread or silently drop."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Protocol, runtime_checkable

import numpy as np

from maskwright.document.change import Change
from maskwright.document.values import ImageRecord, ImageState, Instance
from maskwright.errors import ImageError
from maskwright.formats.boxes import is_box
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.geometry import algebra
from maskwright.geometry.polygon import Polygon, box_ious
from maskwright.geometry.raster import polygons_area, polygons_iou
from maskwright.images import page_source, probe_image


class FindingKind(StrEnum):
    """What is wrong."""

    DUPLICATE_ID = "duplicate id"
    FEW_POINTS = "fewer than three points"
    ZERO_AREA = "covers no pixel"
    SELF_INTERSECTION = "outline crosses itself"
    SLIVER = "sliver"
    OUTSIDE = "outside the image"
    NEAR_DUPLICATE = "near-duplicate"
    UNKNOWN_CLASS = "unknown class"
    UNUSED_CLASS = "unused class"
    MISSING_IMAGE = "image missing"
    CHANGED_IMAGE = "image changed"
    TURNED_IMAGE = "image orientation differs"
    PAGE_OF_FILE = "page of a file"
    NAME_COLLISION = "name collision"
    BOX_ONLY = "box without outline"
    UNVERIFIED_EMPTY = "empty but not verified"
    WRONG_IN_FILE = "wrong in the file"
    DAMAGED_ROW = "damaged in the project"


_ERRORS = frozenset({
    FindingKind.DUPLICATE_ID, FindingKind.FEW_POINTS, FindingKind.ZERO_AREA, FindingKind.UNKNOWN_CLASS,
        FindingKind.CHANGED_IMAGE, FindingKind.TURNED_IMAGE,
    FindingKind.WRONG_IN_FILE, FindingKind.DAMAGED_ROW,
})  # fmt: skip
_FIXABLE = frozenset(
    {
        FindingKind.FEW_POINTS,
        FindingKind.ZERO_AREA,
        FindingKind.SELF_INTERSECTION,
        FindingKind.SLIVER,
        FindingKind.OUTSIDE,
    }
)


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row of a project that cannot be read; `row` says which, such as "object 17"."""

    row: str
    reason: str
    image_id: int | None = None
    """The image that it belongs to, if any."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`image_id` and `instance_id` say where to jump to; 0 if the whole set is meant."""

    kind: FindingKind
    message: str
    image_id: int = 0
    instance_id: int = 0

    @property
    def is_error(self) -> bool:
        """Whether a reader would refuse or misread the file; other findings are warnings."""
        return self.kind in _ERRORS

    @property
    def is_fixable(self) -> bool:
        """Whether `gate.fixed` can fix it without changing the meaning."""
        return self.kind in _FIXABLE


NEAR_DUPLICATE_IOU = 0.9


def check(
    source: CocoSource,
    options: CocoExportOptions,
    *,
    image_root: Path | None = None,
    on_image: Callable[[int], None] = lambda done: None,
) -> Iterator[Finding]:
    """Findings in the order of the images; without `image_root` the image files are not checked."""
    categories = {category.id: category.name for category in source.categories()}
    used: Counter[int] = Counter()
    seen_ids: set[int] = set()
    names: dict[str, str] = {}
    boxes, first_box = 0, (0, 0)
    if isinstance(source, HasRows):
        for row in source.damaged_rows():
            yield Finding(FindingKind.DAMAGED_ROW, f"{row.row}: {row.reason}", row.image_id or 0)
    for done, image in enumerate(filter(options.takes_image, source.images()), start=1):
        taken = [instance for instance in source.instances(image.id) if options.takes_instance(instance)]
        yield from _check_name(image, names)
        if image_root is not None:
            yield from _check_file(image, image_root)
        if not taken and image.state in (ImageState.IN_PROGRESS, ImageState.DONE):
            text = f"{image.file_name} has no objects but is not marked as empty"
            yield Finding(FindingKind.UNVERIFIED_EMPTY, text, image.id)
        for instance in taken:
            used[instance.category_id] += 1
            if instance.id in seen_ids:
                yield Finding(FindingKind.DUPLICATE_ID, f"id {instance.id} occurs twice", image.id, instance.id)
            seen_ids.add(instance.id)
            if instance.category_id not in categories:
                text = f"class {instance.category_id} is not in the class table"
                yield Finding(FindingKind.UNKNOWN_CLASS, text, image.id, instance.id)
            yield from check_instance(instance, image)
            if is_box(instance):
                boxes, first_box = boxes + 1, first_box if boxes else (image.id, instance.id)
        yield from _near_duplicates(taken, image)
        on_image(done)
    if boxes:
        objects = "1 object is" if boxes == 1 else f"{boxes} objects are"
        text = f"{objects} a box without an outline, exported as a box; mask trainers skip boxes"
        yield Finding(FindingKind.BOX_ONLY, text, *first_box)
    for category_id, name in categories.items():
        if not used[category_id]:
            yield Finding(FindingKind.UNUSED_CLASS, f"no object is of class “{name}”")


@runtime_checkable
class HasRows(Protocol):
    """A project, whose tables may hold what none of our versions writes."""

    def damaged_rows(self) -> Iterator[DamagedRow]:
        """Rows that cannot be read."""


def check_instance(instance: Instance, image: ImageRecord) -> Iterator[Finding]:
    """What is wrong with the geometry of one instance."""

    def found(kind: FindingKind, text: str) -> Finding:
        return Finding(kind, text, image.id, instance.id)

    size_wh = (image.width, image.height)
    if any(len(np.unique(ring, axis=0)) < 3 for polygon in instance.polygons for ring in polygon.rings):
        yield found(FindingKind.FEW_POINTS, "a ring has fewer than three distinct points")
    if not instance.polygons or not polygons_area(instance.polygons, size_wh):
        yield found(FindingKind.ZERO_AREA, "no pixel inside the image")
        return
    x1, y1, x2, y2 = instance.bounds_xyxy
    if x1 < 0 or y1 < 0 or x2 > image.width or y2 > image.height:
        yield found(FindingKind.OUTSIDE, f"extends beyond the image: {x1:g}, {y1:g} to {x2:g}, {y2:g}")
    if not algebra.are_valid(instance.polygons):
        yield found(FindingKind.SELF_INTERSECTION, "an outline crosses itself or another part")
    elif any(_is_sliver(polygon) for polygon in instance.polygons):
        yield found(FindingKind.SLIVER, "a part is thinner than a twentieth of a pixel")


def fixed(instance: Instance, image: ImageRecord) -> Instance | None:
    """The instance with valid geometry, clipped to the image; None if no pixel is left."""
    polygons = algebra.clip_to_image(algebra.make_valid(instance.polygons), (image.width, image.height))
    polygons = tuple(polygon for polygon in polygons if not _is_sliver(polygon))
    if not polygons or not polygons_area(polygons, (image.width, image.height)):
        return None
    return instance if polygons == instance.polygons else replace(instance, polygons=polygons, dense=None)


def fix_all(instances: Sequence[Instance], image: ImageRecord) -> Change:
    """One change, applied and undone like any other, that fixes everything fixable in an image."""
    broken = [each for each in instances if any(finding.is_fixable for finding in check_instance(each, image))]
    return Change.of((instance, fixed(instance, image)) for instance in broken)


def _check_name(image: ImageRecord, names: dict[str, str]) -> Iterator[Finding]:
    key = str(PurePosixPath(image.file_name).with_suffix("")).casefold()
    other = names.setdefault(key, image.file_name)
    if other != image.file_name:
        text = f"{image.file_name} and {other} differ only in extension or letter case"
        yield Finding(FindingKind.NAME_COLLISION, text, image.id)


def _check_file(image: ImageRecord, image_root: Path) -> Iterator[Finding]:
    path = image_root / image.file_name
    try:
        width, height = probe_image(path).size_wh
    except ImageError as error:
        yield Finding(FindingKind.MISSING_IMAGE, str(error), image.id)
        return
    source, page = page_source(path)
    if page > 1:
        text = f"{image.file_name} is page {page} of {source.name}; export with images to get a separate file"
        yield Finding(FindingKind.PAGE_OF_FILE, text, image.id)
    if (width, height) == (image.width, image.height):
        return
    is_turned = (height, width) == (image.width, image.height)
    kind = FindingKind.TURNED_IMAGE if is_turned else FindingKind.CHANGED_IMAGE
    text = (
        f"{image.file_name} is now {width} x {height} pixels, but the annotations are for {image.width} x "
        f"{image.height}"
    )
    yield Finding(kind, text, image.id)


def _near_duplicates(instances: Sequence[Instance], image: ImageRecord) -> Iterator[Finding]:
    sized = [instance for instance in instances if instance.polygons]
    if len(sized) < 2:
        return
    boxes = np.array([instance.bounds_xyxy for instance in sized])
    close = np.argwhere(np.triu(box_ious(boxes, boxes) > NEAR_DUPLICATE_IOU**2, k=1))
    for i, j in close.tolist():
        iou = polygons_iou(sized[i].polygons, sized[j].polygons, (image.width, image.height))
        if iou > NEAR_DUPLICATE_IOU:
            text = f"covers the same pixels as object {sized[i].id} (IoU {iou:.2f})"
            yield Finding(FindingKind.NEAR_DUPLICATE, text, image.id, sized[j].id)


def _is_sliver(polygon: Polygon) -> bool:
    return not algebra.is_substantial(polygon)
