"""Verifies what was written: the files are read again and each mask is compared with the project's.

Formats differ in what they can hold. If one keeps every pixel, any difference is a finding; if a pixel can belong to
one object only, the upper one must be there, and the losses of the others are reported."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import ImageError
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.gate import Finding, FindingKind
from maskwright.formats.selection import chosen
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import Rle, polygons_to_rle, rle_area, rle_iou
from maskwright.images import probe_image
from maskwright.words import count_of

ReadSet = Callable[[Path, Mapping[str, tuple[int, int]]], DataSet]
"""Takes also the sizes of the images by name, which YOLO's files do not hold."""

Held = Callable[[Instance, ImageRecord], tuple[Polygon, ...]]
"""What a format holds of an object, if not its mask."""

ROUNDING_IOU = 0.99
"""Formats with rounded numbers may move an outline by a fraction of a pixel, but by no more than this."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of reading the files again; counts are of objects."""

    compared: int
    exact: int
    lowest_iou: float = 1.0
    """IoU with the project's mask, for objects that the format could not hold exactly."""
    hidden: int = 0
    """Objects of which nothing is left, because others cover them."""
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        text = f"verified by reading again: {self.exact} of {self.compared} masks match the project pixel for pixel"
        if self.exact == self.compared:
            return text
        rest = self.compared - self.exact - self.hidden
        parts = [f"{rest} differ (lowest IoU {self.lowest_iou:.4f})"] if rest else []
        parts += [f"{self.hidden} entirely hidden under others"] if self.hidden else []
        return "; ".join((text, *parts))


def joined(results: Sequence[Verification]) -> Verification:
    """The results of several files as one."""
    return Verification(
        sum(each.compared for each in results),
        sum(each.exact for each in results),
        min((each.lowest_iou for each in results), default=1.0),
        sum(each.hidden for each in results),
        tuple(chain.from_iterable(each.findings for each in results)),
    )


def compare_again(
    source: CocoSource,
    path: Path,
    options: CocoExportOptions,
    *,
    read: ReadSet,
    has_one_layer: bool,
    held: Held | None = None,
) -> Verification:
    """Read `path` and compare it with what was to be written.

    `has_one_layer`: a pixel belongs to one object, the uppermost. Raises FormatError if it cannot be read at all.
    """
    sizes = {image.file_name: (image.width, image.height) for image in source.images() if options.takes_image(image)}
    data = read(path, sizes)
    written = {image.file_name: image for image in data.images()}
    names = {category.id: category.name.strip() for category in source.categories()}
    classes = {category.id: category.name for category in data.categories()}
    total = joined([Verification(0, 0, findings=tuple(_unread(data)))])
    for image, taken in chosen(source, options):
        there = written.get(image.file_name)
        if there is None and taken:
            absent = Finding(FindingKind.WRONG_IN_FILE, f"{image.file_name} is missing", image.id)
            total = joined([total, Verification(len(taken), 0, 0.0, findings=(absent,))])
        elif there is not None:
            labels = [names[each.category_id] for each in taken]
            read_labels = [(classes[each.category_id], each) for each in data.instances(there.id)]
            meant = [held(each, image) for each in taken] if held is not None else [each.polygons for each in taken]
            found = _compared_image(image, taken, meant, labels, read_labels, has_one_layer=has_one_layer)
            total = joined([total, found])
    return total


def check_placed(images: Sequence[ImageRecord], folder: Path) -> Iterator[Finding]:
    """Exported image files that cannot be read or have another size than their annotations."""
    for image in images:
        try:
            size_wh = probe_image(folder / image.file_name).size_wh
        except ImageError as error:
            yield Finding(FindingKind.MISSING_IMAGE, str(error), image.id)
            continue
        if size_wh != (image.width, image.height):
            text = f"{image.file_name} has {size_wh[0]} x {size_wh[1]} pixels, not {image.width} x {image.height}"
            yield Finding(FindingKind.CHANGED_IMAGE, text, image.id)


def _unread(data: DataSet) -> Iterator[Finding]:
    return (Finding(FindingKind.WRONG_IN_FILE, str(each)) for each in data.problems if each.effect == "skipped")


def _compared_image(
    image: ImageRecord,
    taken: Sequence[Instance],
    meant: Sequence[tuple[Polygon, ...]],
    labels: Sequence[str],
    read: Sequence[tuple[str, Instance]],
    *,
    has_one_layer: bool,
) -> Verification:
    size_wh = (image.width, image.height)
    whole = [polygons_to_rle(each.polygons, size_wh) for each in taken]
    kept = _uncovered(whole) if has_one_layer else [polygons_to_rle(polygons, size_wh) for polygons in meant]
    is_visible = [bool(rle_area(rle)) for rle in kept]
    if len(read) == len(taken):
        pairs = list(zip(read, range(len(taken)), strict=True))
    elif len(read) == sum(is_visible):
        pairs = list(zip(read, (i for i, is_shown in enumerate(is_visible) if is_shown), strict=True))
    else:
        text = f"{image.file_name} has {count_of(len(read), 'object')} in the file, expected {len(taken)}"
        return Verification(len(taken), 0, 0.0, findings=(Finding(FindingKind.WRONG_IN_FILE, text, image.id),))
    results = [
        _compared(
            image,
            taken[i].id,
            labels[i] == label,
            whole[i],
            kept[i],
            polygons_to_rle(there.polygons, size_wh),
            1.0 if has_one_layer else ROUNDING_IOU,
        )
        for (label, there), i in pairs
        if is_visible[i]
    ]
    hidden = len(taken) - sum(is_visible)
    return joined([*results, Verification(hidden, 0, hidden=hidden)])


def _compared(
    image: ImageRecord, id_: int, is_same_class: bool, whole: Rle, kept: Rle, there: Rle, least_iou: float
) -> Verification:
    def wrong(text: str) -> Finding:
        return Finding(FindingKind.WRONG_IN_FILE, f"{image.file_name}, object {id_}: {text}", image.id, id_)

    findings = [] if is_same_class else [wrong("its class differs")]
    is_exact = there["counts"] == whole["counts"]
    iou = 1.0 if is_exact else rle_iou(there, whole)
    if there["counts"] != kept["counts"] and rle_iou(there, kept) < least_iou:
        findings.append(wrong(f"its mask differs: IoU {rle_iou(there, kept):.4f}"))
    return Verification(1, int(is_exact), iou, findings=tuple(findings))


def _uncovered(masks: Sequence[Rle]) -> list[Rle]:
    """The part of each mask that no later one covers."""
    above: Any = None
    shown: list[Rle] = []
    for mask in reversed(masks):
        shown.append(mask if above is None else _without(mask, above))
        above = mask if above is None else coco_mask.merge([above, mask])
    return shown[::-1]


def _without(mask: Rle, other: Rle) -> Rle:
    if not rle_area(coco_mask.merge([mask, other], intersect=True)):
        return mask
    pixels = coco_mask.decode(mask) & ~coco_mask.decode(other) & 1
    left: Rle = coco_mask.encode(pixels)
    return left
