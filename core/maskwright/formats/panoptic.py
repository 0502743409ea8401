"""COCO panoptic: a JSON file, and per image a PNG whose colours number the segments (R + 256 G + 256 * 256 B).

As cocodataset.org describes the format ("Panoptic Segmentation"). A pixel belongs to one segment: where objects
overlap, the upper one wins."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from maskwright.document.palette import category_colour
from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.numbers import as_in_file
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.json_stream import parsed
from maskwright.formats.naming import path_inside
from maskwright.formats.png_masks import objects_to_polygons, read_png, write_png
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.sizes import whole_size
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import mask_to_rle, polygons_to_mask, rle_area, rle_bbox_xywh
from maskwright.regular_files import read_regular

_JSON, _FOLDER = "panoptic.json", "panoptic"


def write_panoptic(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write `panoptic.json` and `panoptic/` below the folder `path`. Raises FormatError if they cannot be written."""
    source = as_in_file(source)
    categories = list(source.categories())
    files = SideFiles(path / _FOLDER, ".png")
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    count = 0
    for image, taken in chosen(source, options):
        file = files.path_for(image.file_name)
        numbers, segments = _segments(image, taken, first=count + 1)
        write_png(file, np.stack((numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255), -1).astype(np.uint8))
        images.append({"id": image.id, "file_name": image.file_name, "width": image.width, "height": image.height})
        name = file.relative_to(path / _FOLDER).as_posix()
        annotations.append({"image_id": image.id, "file_name": name, "segments_info": segments})
        count += len(taken)
    path.mkdir(parents=True, exist_ok=True)
    content = {
        "info": {}, "licenses": [], "images": images, "annotations": annotations,
        "categories": [_category(category) for category in categories],
    }  # fmt: skip
    with atomic_writer(path / _JSON) as opened:
        opened.write(orjson.dumps(content))
    lost = ("object ids", "scores", "attributes", "boxes become outlines", "parts hidden under another object")
    return WriteReport(path, len(images), count, lost)


def read_panoptic(path: Path) -> DataSet:
    """Read the JSON file, or a folder with one. The PNGs lie in a folder of the JSON's name, or beside it.

    Segments of "stuff" classes (`isthing` 0) are read, too. Raises FormatError for anything else.
    """
    file = panoptic_file(path)
    if file is None:
        raise FormatError("no panoptic JSON file here", path=path)
    try:
        content = parsed(read_regular(file), file)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=file) from error
    keys = ("images", "annotations", "categories")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in keys):
        raise FormatError("expected images, annotations and categories", path=file)
    builder = DataSetBuilder(path)
    classes = _add_categories(content["categories"], builder)
    images = {each["id"]: each for each in content["images"] if isinstance(each, dict) and type(each.get("id")) is int}
    for i, annotation in enumerate(content["annotations"]):
        where = f"annotations[{i}]"
        try:
            image = images.get(annotation.get("image_id")) if isinstance(annotation, dict) else None
            if image is None:
                raise ValueError("its image is not in the file")
            _add(annotation, image, file, where, classes, builder)
        except (ValueError, FormatError) as error:
            builder.skip(where, error)
    return builder.finished()


def panoptic_file(path: Path) -> Path | None:
    """The JSON at `path` or in that folder; None if there is none."""
    if path.is_dir():
        names = sorted({*path.glob("panoptic*.json"), *path.glob("annotations/panoptic*.json")})
        return names[0] if names else None
    return path


def _segments(image: ImageRecord, taken: Sequence[Instance], *, first: int) -> tuple[NDArray[np.int32], list[Any]]:
    """(H, W) segment numbers, and the records of all segments with visible pixels."""
    numbers = np.zeros((image.height, image.width), np.int32)
    for number, instance in enumerate(taken, start=first):
        numbers[polygons_to_mask(instance.polygons, (image.width, image.height))] = number
    if first + len(taken) > 1 << 24:
        raise FormatError("a panoptic PNG holds at most 16,777,215 segments; there are more")
    segments = []
    for number, instance in enumerate(taken, start=first):
        rle = mask_to_rle(numbers == number)
        if area := rle_area(rle):
            segments.append({
                "id": number, "category_id": instance.category_id, "area": area,
                "bbox": [int(value) for value in rle_bbox_xywh(rle)], "iscrowd": int(instance.is_crowd),
            })  # fmt: skip
    return numbers, segments


def _category(category: Category) -> dict[str, Any]:
    rgb = list(category_colour(category))
    supercategory = category.supercategory or "none"
    return {"id": category.id, "name": category.name, "supercategory": supercategory, "isthing": 1, "color": rgb}


def _add_categories(records: Sequence[Any], builder: DataSetBuilder) -> dict[int, int]:
    """{the file's id: ours}."""
    found: dict[int, int] = {}
    for i, record in enumerate(records):
        name = record.get("name") if isinstance(record, dict) else None
        if not isinstance(name, str) or not name.strip() or type(record.get("id")) is not int or record["id"] in found:
            builder.skip(f"categories[{i}]", "expected a name and a unique id")
            continue
        supercategory = record.get("supercategory")
        above = supercategory if isinstance(supercategory, str) else ""
        found[record["id"]] = builder.add_category(name.strip(), id=record["id"], supercategory=above)
    return found


def _add(
    annotation: Mapping[str, Any], image: Mapping[str, Any], file: Path, where: str, classes: Mapping[int, int],
    builder: DataSetBuilder,
) -> None:  # fmt: skip
    name = path_inside(image.get("file_name"))
    size_wh = whole_size(image.get("width"), image.get("height"))
    shapes = _shapes(file, path_inside(annotation.get("file_name")), size_wh)
    segments = annotation.get("segments_info")
    objects = []
    for segment in segments if isinstance(segments, list) else ():
        number = segment.get("id") if isinstance(segment, dict) else None
        polygons = shapes.pop(number, None) if type(number) is int else None
        category = classes.get(segment["category_id"]) if polygons and type(segment.get("category_id")) is int else None
        if not polygons or category is None:
            builder.skip_object(f"{where} segment {number}", "is not in the PNG" if not polygons else "has no class")
            continue
        objects.append(ParsedObject(category, polygons, is_crowd=segment.get("iscrowd") in (1, True)))
    if shapes:
        builder.skip_object(where, f"{len(shapes)} segments of its PNG are missing from `segments_info`")
    builder.add_image(name, size_wh, objects)


def _shapes(file: Path, png: str, size_wh: tuple[int, int]) -> dict[int, tuple[Polygon, ...]]:
    """{segment id: parts} of a PNG."""
    folders = (file.parent / file.stem, file.parent / _FOLDER, file.parent)
    place = next((folder / png for folder in folders if (folder / png).is_file()), folders[0] / PurePosixPath(png))
    pixels = read_png(place, may_be_coloured=True).astype(np.int64)
    if pixels.ndim == 3:
        pixels = pixels[..., 0] + (pixels[..., 1] << 8) + (pixels[..., 2] << 16)
    if pixels.shape != size_wh[::-1]:
        raise ValueError(f"its PNG has {pixels.shape[1]} x {pixels.shape[0]} pixels, not {size_wh[0]} x {size_wh[1]}")
    return dict(objects_to_polygons(pixels))
