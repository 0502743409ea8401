"""The image folder of Hugging Face `datasets`: `metadata.jsonl` beside the images, one line per image.

`objects` holds one list per property (bbox as xywh, category, segmentation as flat rings), as in the library's guide on
image data sets; `datasets.load_dataset("imagefolder", data_dir=...)` reads it without any code of ours."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.records import polygon_record
from maskwright.formats.coco.segmentation import segmentation_to_polygons
from maskwright.formats.data_set import DataSet
from maskwright.formats.json_stream import parsed
from maskwright.formats.naming import path_inside
from maskwright.formats.selection import WriteReport, chosen, require_file_name
from maskwright.formats.sizes import is_number, is_share, whole_size
from maskwright.geometry.raster import polygons_to_rle, rle_area, rle_bbox_xywh
from maskwright.regular_files import read_regular

METADATA = "metadata.jsonl"
_CLASSES = "classes.json"


def write_image_folder(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write `metadata.jsonl` to the folder `path`. Raises FormatError if it cannot be written."""
    categories = list(source.categories())
    path.mkdir(parents=True, exist_ok=True)
    images = instances = 0
    with atomic_writer(path / METADATA) as file:
        for image, taken in chosen(source, options):
            require_file_name(image.file_name)
            file.write(orjson.dumps(_row(image, taken, categories)) + b"\n")
            images, instances = images + 1, instances + len(taken)
    with atomic_writer(path / _CLASSES) as file:
        file.write(orjson.dumps([category.name for category in categories]))
    return WriteReport(path, images, instances, ("class and object ids", "attributes", "holes become bridges"))


def read_image_folder(path: Path) -> DataSet:
    """Read a folder with `metadata.jsonl`, one with subfolders that have it (train, validation, test), or the file
    itself.

    Raises FormatError if there is none.
    """
    root = path if path.is_dir() else path.parent
    files = [path] if path.is_file() else sorted({*root.glob(METADATA), *root.glob(f"*/{METADATA}")})
    if not files:
        raise FormatError(f"no {METADATA} here", path=path)
    builder = DataSetBuilder(path, _class_names(root, files))
    for file in files:
        folder = file.parent.relative_to(root)
        try:
            lines = read_regular(file).splitlines()
        except OSError as error:
            raise FormatError(f"cannot be read: {error.strerror or error}", path=file) from error
        for i, line in enumerate(lines, start=1):
            where = f"{file.relative_to(root).as_posix()} line {i}"
            try:
                if line.strip():
                    _add(parsed(line, file), folder, where, builder)
            except (ValueError, FormatError) as error:
                builder.skip(where, error)
    return builder.finished()


def _row(image: ImageRecord, taken: Sequence[Instance], categories: Sequence[Category]) -> dict[str, Any]:
    number = {category.id: i for i, category in enumerate(categories)}
    size_wh = (image.width, image.height)
    rles = [polygons_to_rle(each.polygons, size_wh) for each in taken]
    scores = [each.score for each in taken]
    outlines = [[] if is_box(each) else polygon_record(each.polygons) for each in taken]
    # Arrow cannot infer a type for a column of only nulls or empty lists and stops; a single missing value may be null.
    further: dict[str, Any] = {"score": scores} if any(score is not None for score in scores) else {}
    further |= {"segmentation": outlines} if any(outlines) else {}
    return {
        "file_name": image.file_name,
        "width": image.width,
        "height": image.height,
        "objects": {
            "bbox": [list(rle_bbox_xywh(rle)) for rle in rles],
            "categories": [number[each.category_id] for each in taken],
            "category": [categories[number[each.category_id]].name for each in taken],
            "area": [float(rle_area(rle)) for rle in rles],
            "iscrowd": [int(each.is_crowd) for each in taken],
            **further,
        },
    }


def _class_names(root: Path, files: Sequence[Path]) -> list[str]:
    for folder in (root, files[0].parent):
        file = folder / _CLASSES
        if file.is_file():
            content = parsed(read_regular(file), file)
            if not isinstance(content, list) or not all(isinstance(name, str) and name.strip() for name in content):
                raise FormatError("expected a list of class names", path=file)
            if len(set(content)) < len(content):
                raise FormatError("a class occurs twice", path=file)
            return content
    return []


def _add(row: Any, folder: Path, where: str, builder: DataSetBuilder) -> None:
    if not isinstance(row, dict):
        raise ValueError("expected an object")
    name = path_inside(row.get("file_name"))
    size_wh = whole_size(row.get("width"), row.get("height"))
    objects = row.get("objects")
    columns = objects if isinstance(objects, dict) else {}
    boxes = columns.get("bbox")
    count = len(boxes) if isinstance(boxes, list) else 0
    found = []
    for i in range(count):
        one = {key: column[i] for key, column in columns.items() if isinstance(column, list) and len(column) == count}
        try:
            found.append(_described(one, size_wh, builder))
        except ValueError as error:
            builder.skip_object(f"{where} object {i}", error)
    builder.add_image((folder / name).as_posix(), size_wh, found)


def _described(one: Mapping[str, Any], size_wh: tuple[int, int], builder: DataSetBuilder) -> ParsedObject:
    score = one.get("score")
    category, is_crowd = _category(one, builder), one.get("iscrowd") in (1, True)
    known_score = float(score) if is_share(score) else None
    if one.get("segmentation"):
        polygons, left_out = segmentation_to_polygons(one["segmentation"], size_wh)
        if left_out:
            raise ValueError("; ".join(left_out))
        return ParsedObject(category, polygons, score=known_score, is_crowd=is_crowd)
    box = one.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(is_number, box)):
        raise ValueError("expected a bbox of four numbers")
    x, y, w, h = map(float, box)
    return ParsedObject(category, rectangle(x, y, x + w, y + h), is_box=True, score=known_score, is_crowd=is_crowd)


def _category(one: Mapping[str, Any], builder: DataSetBuilder) -> str | int:
    name, number = one.get("category"), one.get("categories")
    if isinstance(name, str) and name.strip():
        return name.strip()
    number = number if number is not None else name
    known = builder.category_ids()
    if type(number) is int and 0 <= number < len(known):
        return known[number]
    raise ValueError(f"class {number!r} has no name")
