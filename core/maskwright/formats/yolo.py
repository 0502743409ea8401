"""YOLO as Ultralytics reads it: `labels/NAME.txt` with one object per line, `data.yaml` with the classes.

A line is the class number (from 0) and the x, y of one ring as fractions of the image's width and height. Holes and
parts are connected by bridges, which fill no pixel. Eight decimals keep a hundredth of a pixel. Four numbers are a box
(centre and size); a fifth, or any odd last one, is the score of a prediction, and one more a tracker's id. For
detectors a box per object is written, or a rotated one as `x1 y1 x2 y2 x3 y3 x4 y4`, as described on Ultralytics' pages
on detection and OBB data sets; all lie within the image."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import orjson
from numpy.typing import NDArray

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import ImageError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import rectangle
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.yolo_layout import YAML_NAMES, LabelFile, YoloLayout, yolo_layout
from maskwright.geometry.algebra import make_valid
from maskwright.geometry.keyhole import polygons_to_ring, ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_bbox_xywh, polygons_to_rle, rounded
from maskwright.images import probe_image
from maskwright.regular_files import read_regular

_YAML = YAML_NAMES[0]
_BEYOND = 0.5
"""How far an outline may extend beyond its image, as a fraction of it; anything further is in pixels."""
_TRACKED = 6
"""Numbers after the class in a line of Ultralytics' tracker: box, score, track id."""


def write_yolo(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write `labels/` and `data.yaml` below the folder `path`; images belong in `images/`, in the same subfolders."""
    lost = ("class and object ids", "scores", "attributes", "crowd flags")
    lost_shapes = ("holes and parts become bridges", "boxes become outlines")
    return write_labels(source, path, options, _ring_shares, (*lost, *lost_shapes))


def write_labels(
    source: CocoSource,
    path: Path,
    options: CocoExportOptions,
    shares: Callable[[Instance, ImageRecord], list[float]],
    lost: tuple[str, ...],
) -> WriteReport:
    """`shares`: the numbers after an object's class, as fractions of the image's size.

    Raises FormatError if a file cannot be written.
    """
    categories = list(source.categories())
    number = {category.id: i for i, category in enumerate(categories)}
    files = SideFiles(path / "labels", ".txt")
    images = instances = 0
    for image, taken in chosen(source, options):
        lines = [_line(number[each.category_id], shares(each, image)) for each in taken]
        with atomic_writer(files.path_for(image.file_name)) as file:
            file.write("".join(lines).encode())
        images, instances = images + 1, instances + len(taken)
    path.mkdir(parents=True, exist_ok=True)
    write_yaml(path, categories, {"train": "images", "val": "images"})
    return WriteReport(path, images, instances, lost)


def write_yaml(folder: Path, categories: Sequence[Category], places: Mapping[str, str]) -> None:
    """Write `data.yaml`: where the images of each part are, and the classes.

    Without a `path`, so that places are relative to the file: Ultralytics takes `path: .` for the current folder of the
    training process.
    """
    parts = "".join(f"{part}: {place}\n" for part, place in places.items())
    names = "".join(f"  {i}: {orjson.dumps(category.name).decode()}\n" for i, category in enumerate(categories))
    with atomic_writer(folder / _YAML) as file:
        file.write(f"{parts}names:\n{names}".encode())


def write_yolo_parts(source: CocoSource, folder: Path, names: Sequence[str]) -> None:
    """One `data.yaml` for sets in subfolders; Ultralytics requires `train` and `val`, whatever the parts are."""
    places = {name: f"{name}/images" for name in names}
    first = places[names[0]]
    write_yaml(folder, list(source.categories()), {"train": first, "val": first, **places})


def read_yolo(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """Read a folder in a layout of `yolo_layout`, or its class table. Raises FormatError without labels or class names.

    Sizes come from `sizes` by image name, else from the images; labels without an image are reported as problems.
    """
    layout = yolo_layout(path)
    builder = DataSetBuilder(path)
    ids = {number: builder.add_category(name) for number, name in layout.names.items()}
    known = {PurePosixPath(name).with_suffix(""): name for name in sizes or ()}
    for label in layout.labels():
        where = label.path.relative_to(layout.root).as_posix()
        name = known.get(PurePosixPath(label.place.as_posix().removeprefix(label.prefix)))
        try:
            size = sizes.get(name) if sizes and name is not None else None
            name, size_wh = (name, size) if name is not None and size is not None else _probed(label, layout)
            text = read_regular(label.path).decode("utf-8-sig")
        except (ImageError, OSError, ValueError) as error:
            builder.skip(where, error)
            continue
        objects = []
        lines = text.splitlines()
        is_tracked = _is_tracked(lines)
        for i, line in enumerate(lines, start=1):
            try:
                if line.strip():
                    objects.append(_parsed_line(line, ids, size_wh, layout, is_tracked=is_tracked))
            except ValueError as error:
                builder.skip_object(f"{where} line {i}", error)
        if layout.has_keypoints and objects:
            builder.change(where, "has keypoints, which were left out")
        builder.add_image(name, size_wh, objects)
    return builder.finished()


def _probed(label: LabelFile, layout: YoloLayout) -> tuple[str, tuple[int, int]]:
    """Name and size of a label's image. Raises ValueError if there is none, ImageError if it is damaged."""
    file = layout.image_of(label)
    if file is None:
        raise ValueError(f"no image {label.place}.*")
    name = file.relative_to(layout.root).as_posix()
    return name.removeprefix(label.prefix), probe_image(file).size_wh


def _line(number: int, shares: list[float]) -> str:
    return f"{number} " + " ".join(f"{value:.8g}" for value in shares) + "\n"


def _ring_shares(instance: Instance, image: ImageRecord) -> list[float]:
    size_wh = (image.width, image.height)
    ring = polygons_to_ring(instance.polygons)
    if polygons_to_rle((Polygon(ring),), size_wh) != polygons_to_rle(instance.polygons, size_wh):
        ring = polygons_to_ring(make_valid(instance.polygons))  # overlapping parts would cancel each other
    shares: list[float] = (rounded(ring) / size_wh).ravel().tolist()
    return shares


def _is_tracked(lines: Sequence[str]) -> bool:
    """Whether the lines are boxes with score and track id: six numbers, like a triangle.

    As a fraction, a coordinate is never a whole number above 1; a file with nothing but track 1 is taken for triangles.
    """
    rows = [line.split()[1:] for line in lines if line.strip()]
    return any(rows) and all(len(row) == _TRACKED and row[-1].isdecimal() for row in rows) and _highest(rows) > 1


def _highest(rows: Sequence[Sequence[str]]) -> int:
    return max(int(row[-1][:9]) for row in rows)


def _parsed_line(
    line: str, ids: Mapping[int, int], size_wh: tuple[int, int], layout: YoloLayout, *, is_tracked: bool
) -> ParsedObject:
    words = line.split()
    values = np.array(words, np.float64)
    if not values[0].is_integer() or int(values[0]) not in ids:
        raise ValueError(f"class {words[0][:20]} is not among the {len(ids)} class names")
    numbers, score, extra = _without_score(values[1:], has_keypoints=layout.has_keypoints, is_tracked=is_tracked)
    if not np.isfinite(numbers).all() or len(numbers) % 2 or len(numbers) < 4:
        raise ValueError(f"expected pairs of coordinates, got {len(numbers)} numbers")
    if numbers.min() < -_BEYOND or numbers.max() > 1 + _BEYOND:
        raise ValueError("expected coordinates as fractions of the image size")
    category, is_box = ids[int(values[0])], len(numbers) == 4
    if is_box:
        (x, y), (w, h) = numbers.reshape(2, 2) * size_wh
        polygons = rectangle(*np.round([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 2).tolist())
    else:
        polygons = ring_to_polygons(Polygon.of(np.round(numbers.reshape(-1, 2) * size_wh, 2)).exterior)
    return ParsedObject(category, polygons, is_box, score, is_proposal=score is not None, extra=extra)


def _without_score(
    numbers: NDArray[np.float64], *, has_keypoints: bool, is_tracked: bool
) -> tuple[NDArray[np.float64], float | None, dict[str, Any]]:
    """The coordinates, the score if one follows them, and attributes. Raises ValueError for an invalid score."""
    extra: dict[str, Any] = {}
    if has_keypoints:
        return numbers[:4], None, extra
    if is_tracked:
        numbers, extra = numbers[:-1], {"attributes": {"track_id": int(numbers[-1])}}
    if len(numbers) % 2 == 0 or len(numbers) <= 4:
        return numbers, None, extra
    score = float(numbers[-1])  # Ultralytics' `save_conf`
    if not 0 <= score <= 1:
        raise ValueError(f"expected pairs of coordinates, or a score of 0 to 1 after them, got {score:g}")
    return numbers[:-1], score, extra


_LOST = ("outlines (only boxes are written)", "class and object ids", "scores", "attributes", "crowd flags")


def write_yolo_boxes(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write `labels/` and `data.yaml` below the folder `path`. Raises FormatError if they cannot be written."""
    return write_labels(source, path, options, _box_line, _LOST)


def write_yolo_obb(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """The same with rotated boxes, the smallest around each object."""
    return write_labels(source, path, options, _turned_line, _LOST)


def upright_box(instance: Instance, image: ImageRecord) -> tuple[Polygon, ...]:
    """What a box file holds of an object: the rectangle around its pixels."""
    x, y, w, h = polygons_bbox_xywh(instance.polygons, (image.width, image.height))
    return (Polygon.of([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]),)


def turned_box(instance: Instance, image: ImageRecord) -> tuple[Polygon, ...]:
    """What an OBB file holds of an object: the smallest rotated rectangle around it, kept inside the image."""
    points = np.concatenate([polygon.exterior for polygon in instance.polygons]).astype(np.float32)
    corners: NDArray[np.float64] = cv2.boxPoints(cv2.minAreaRect(points)).astype(np.float64)
    return (Polygon.of(np.clip(corners, 0, [image.width, image.height])),)


def _box_line(instance: Instance, image: ImageRecord) -> list[float]:
    x1, y1, x2, y2 = upright_box(instance, image)[0].bounds_xyxy
    centre_size = np.array([[(x1 + x2) / 2, (y1 + y2) / 2], [x2 - x1, y2 - y1]])
    return _shares(centre_size, image)


def _turned_line(instance: Instance, image: ImageRecord) -> list[float]:
    return _shares(turned_box(instance, image)[0].exterior, image)


def _shares(points: NDArray[np.float64], image: ImageRecord) -> list[float]:
    found: list[float] = (points / (image.width, image.height)).ravel().tolist()
    return found
