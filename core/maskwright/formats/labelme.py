"""labelme: one JSON file per image, beside it. Parts share a `group_id`; holes are cut open with a bridge.

Fields as in labelme's `labelme/_label_file.py` (shapes, imagePath, imageHeight, imageWidth); coordinates run on pixel
edges, as ours do. Classes are names; `labels.txt` in the folder keeps their order.
"""

import base64
import binascii
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson

from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.parse import safe_file_name
from maskwright.formats.data_set import DataSet
from maskwright.formats.json_stream import parsed
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import cut_keyholes, ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import rounded

_LABELS = "labels.txt"
_CIRCLE_VERTICES = 64


def write_labelme(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """One file per image below the folder `path`. Raises FormatError where it cannot be written."""
    names = {category.id: category.name for category in source.categories()}
    files = SideFiles(path, ".json")
    images = instances = 0
    for image, taken in chosen(source, options):
        shapes = [
            _shape(names[instance.category_id], polygon, group=i if len(instance.polygons) > 1 else None)
            for i, instance in enumerate(taken, start=1)
            for polygon in instance.polygons
        ]
        content: dict[str, Any] = {
            "version": "5.4.1",
            "flags": {},
            "shapes": shapes,
            "imagePath": image.file_name.rsplit("/", 1)[-1],
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
        }
        with atomic_writer(files.path_for(image.file_name)) as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        images, instances = images + 1, instances + len(taken)
    path.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path / _LABELS) as file:
        file.write("".join(f"{name}\n" for name in names.values()).encode())
    return WriteReport(path, images, instances, ("class ids", "scores", "holes become bridges"))


def read_labelme(path: Path) -> DataSet:
    """All labelme files below a folder, or one. Raises FormatError where there is none."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    builder = DataSetBuilder(path, _known_labels(root))
    found = 0
    for file in files:
        where = file.relative_to(root).as_posix()
        try:
            content = parsed(file.read_bytes(), file)
            if not isinstance(content, dict) or "shapes" not in content:
                continue
            found += 1
            _add(content, where, file.parent.relative_to(root), builder)
        except (ValueError, OSError, FormatError) as error:
            builder.skip(where, error)
    if not found:
        raise FormatError("there is no labelme file here", path=path)
    return builder.finished()


def _shape(label: str, polygon: Polygon, *, group: int | None) -> dict[str, Any]:
    return {
        "label": label,
        "points": rounded(cut_keyholes(polygon)).tolist(),
        "group_id": group,
        "shape_type": "polygon",
        "flags": {},
        "description": "",
        "mask": None,
    }


def _known_labels(root: Path) -> list[str]:
    try:
        lines = (root / _LABELS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("_")]


def _add(content: dict[str, Any], where: str, folder: Path, builder: DataSetBuilder) -> None:
    name = content.get("imagePath")
    base = safe_file_name(str(name).replace("\\", "/").rsplit("/", 1)[-1])
    width, height = content.get("imageWidth"), content.get("imageHeight")
    if type(width) is not int or type(height) is not int or width <= 0 or height <= 0:
        raise ValueError(f"expected imageWidth and imageHeight, got {width!r} and {height!r}")
    grouped: dict[Any, tuple[str, list[Polygon]]] = {}
    shapes = content["shapes"]
    for i, shape in enumerate(shapes if isinstance(shapes, list) else ()):
        try:
            label, group, polygons = _parsed_shape(shape)
        except ValueError as error:
            builder.skip_object(f"{where} shapes[{i}]", error)
            continue
        key = (label, group) if group is not None else i
        grouped.setdefault(key, (label, []))[1].extend(polygons)
    file_name = (folder / base).as_posix()
    builder.add_image(file_name, (width, height), [(label, tuple(parts)) for label, parts in grouped.values()])


def _parsed_shape(shape: Any) -> tuple[str, Any, list[Polygon]]:
    if not isinstance(shape, dict) or not isinstance(shape.get("label"), str) or not shape["label"].strip():
        raise ValueError("expected a shape with a label")
    points = np.array(shape.get("points"), np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all() or np.abs(points).max() > 1e6:
        raise ValueError("expected points as pairs of numbers")
    group = shape.get("group_id")
    polygons = list(_geometry(shape.get("shape_type", "polygon"), points, shape.get("mask")))
    return shape["label"].strip(), group if isinstance(group, int | str) else None, polygons


def _geometry(kind: str, points: Any, mask: Any) -> Iterator[Polygon]:
    if kind == "mask":
        yield from _mask_polygons(mask, points)
    elif kind == "polygon":
        yield from ring_to_polygons(Polygon.of(points).exterior)
    elif kind == "rectangle" and len(points) == 2:
        (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
        yield Polygon.of([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    elif kind == "circle" and len(points) == 2:
        angle = np.linspace(0, 2 * math.pi, _CIRCLE_VERTICES, endpoint=False)
        radius = math.dist(*points)
        yield Polygon.of(points[0] + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1))
    else:
        raise ValueError(f"a {kind} of {len(points)} points has no area")


def _mask_polygons(mask: Any, points: Any) -> tuple[Polygon, ...]:
    """A PNG in base64, its upper left corner at the first point."""
    try:
        data = np.frombuffer(base64.b64decode(mask, validate=True), np.uint8)
    except (TypeError, binascii.Error) as error:
        raise ValueError("expected a mask in base64") from error
    pixels = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if pixels is None:
        raise ValueError("expected a mask that is a PNG")
    x, y = (int(value) for value in points[0])
    return mask_to_polygons(np.asarray(pixels, np.uint8), min_iou=None, offset_xy=(x, y))
