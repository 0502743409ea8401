"""labelme and X-AnyLabeling: one JSON file per image, beside it. Parts share a `group_id`, holes are bridged.

Fields as in labelme's `labelme/_label_file.py` (shapes, imagePath, imageHeight, imageWidth), which X-AnyLabeling has
extended (score, difficult, attributes, checked); coordinates lie on pixel edges, like ours. Classes are names;
`labels.txt` in the folder keeps their order."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson

from maskwright.document.values import Instance
from maskwright.errors import FormatError, ImageError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.building import DataSetBuilder, ParsedObject, json_documents
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.parse import safe_file_name
from maskwright.formats.data_set import DataSet
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.sizes import is_plain, is_share, whole_size
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import cut_keyholes, ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import rounded
from maskwright.images import probe_image
from maskwright.regular_files import read_regular

_LABELS = "labels.txt"
_CIRCLE_VERTICES = 64


def write_labelme(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write one file per image below the folder `path`. Raises FormatError if one cannot be written."""
    return _write(source, path, options, is_anylabeling=False)


def write_anylabeling(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """The same with the fields that X-AnyLabeling adds: scores and attributes are kept."""
    return _write(source, path, options, is_anylabeling=True)


def _write(source: CocoSource, path: Path, options: CocoExportOptions, *, is_anylabeling: bool) -> WriteReport:
    names = {category.id: category.name for category in source.categories()}
    files = SideFiles(path, ".json")
    images = instances = 0
    for image, taken in chosen(source, options):
        shapes = []
        for i, instance in enumerate(taken, start=1):
            made = _shapes(instance, names[instance.category_id], group=i)
            shapes += [shape | _further(instance) for shape in made] if is_anylabeling else made
        content: dict[str, Any] = {
            "version": "4.0.2" if is_anylabeling else "5.4.1",
            "flags": {},
            **({"checked": True} if is_anylabeling else {}),
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
    lost = () if is_anylabeling else ("scores", "attributes")
    return WriteReport(path, images, instances, ("class and object ids", *lost, "crowd flags", "holes become bridges"))


def read_labelme(path: Path) -> DataSet:
    """Read all files of the kind below a folder, or one. Raises FormatError if there is none."""
    root = path if path.is_dir() else path.parent
    builder = DataSetBuilder(path, _known_labels(root))
    found = 0
    for where, folder, content in json_documents(path, builder):
        if "shapes" not in content:
            continue
        found += 1
        try:
            _add(content, where, folder, root / folder, builder)
        except ValueError as error:
            builder.skip(where, error)
    if not found:
        raise FormatError("no labelme file here", path=path)
    return builder.finished()


def _shapes(instance: Instance, label: str, *, group: int) -> list[dict[str, Any]]:
    if is_box(instance):
        (x1, y1), _, (x2, y2), _ = rounded(instance.polygons[0].exterior).tolist()
        return [_shape(label, [[x1, y1], [x2, y2]], kind="rectangle")]
    is_grouped = len(instance.polygons) > 1
    rings = [rounded(cut_keyholes(polygon)).tolist() for polygon in instance.polygons]
    return [_shape(label, ring, group=group if is_grouped else None) for ring in rings]


def _shape(label: str, points: list[list[float]], *, kind: str = "polygon", group: int | None = None) -> dict[str, Any]:
    return {
        "label": label,
        "points": points,
        "group_id": group,
        "shape_type": kind,
        "flags": {},
        "description": "",
        "mask": None,
    }


def _further(instance: Instance) -> dict[str, Any]:
    """The fields that X-AnyLabeling adds to a shape."""
    attributes = instance.extra.get("attributes")
    known = dict(attributes) if isinstance(attributes, Mapping) else {}
    return {
        "score": instance.score,
        "description": str(known.pop("description", "")),
        "difficult": bool(known.pop("difficult", False)),
        "attributes": {key: str(value) for key, value in known.items()},
        "kie_linking": [],
    }


def _known_labels(root: Path) -> list[str]:
    try:
        lines = read_regular(root / _LABELS).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("_")]


def _size_of(content: Mapping[str, Any], image: Path) -> tuple[int, int]:
    """The size in the file, else that of the image. Raises ValueError if neither exists."""
    try:
        return whole_size(content.get("imageWidth"), content.get("imageHeight"))
    except ValueError as error:
        try:
            return probe_image(image).size_wh
        except ImageError:
            raise error from None


def _add(content: Mapping[str, Any], where: str, folder: Path, place: Path, builder: DataSetBuilder) -> None:
    name = content.get("imagePath")
    base = safe_file_name(str(name).replace("\\", "/").rsplit("/", 1)[-1])
    size_wh = _size_of(content, place / base)
    grouped: dict[Any, ParsedObject] = {}
    shapes = content["shapes"]
    for i, shape in enumerate(shapes if isinstance(shapes, list) else ()):
        try:
            described, group = _parsed_shape(shape)
        except ValueError as error:
            builder.skip_object(f"{where} shapes[{i}]", error)
            continue
        key = (described.category, group) if group is not None and not described.is_box else i
        before = grouped.get(key)
        grouped[key] = replace(before, polygons=before.polygons + described.polygons) if before else described
    flags = content.get("flags")
    if named := [str(flag) for flag, is_set in flags.items() if is_set] if isinstance(flags, dict) else []:
        builder.change(where, f"image flags were left out: {', '.join(named)[:200]}")
    builder.add_image((folder / base).as_posix(), size_wh, list(grouped.values()))


def _parsed_shape(shape: Any) -> tuple[ParsedObject, Any]:
    if not isinstance(shape, dict) or not isinstance(shape.get("label"), str) or not shape["label"].strip():
        raise ValueError("expected a shape with a label")
    points = np.array(shape.get("points"), np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all() or np.abs(points).max() > 1e6:
        raise ValueError("expected points as pairs of numbers")
    group = shape.get("group_id")
    polygons, is_box = _geometry(shape.get("shape_type", "polygon"), points, shape.get("mask"))
    score = shape.get("score")
    described = ParsedObject(
        shape["label"].strip(), polygons, is_box, float(score) if is_share(score) else None, extra=_attributes(shape)
    )
    return described, group if isinstance(group, int | str) else None


def _attributes(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    """Description, flags and so on as COCO's `attributes`; plain values only."""
    own = shape.get("attributes")
    flags = shape.get("flags")
    found = {key: value for key in ("description", "difficult") if (value := shape.get(key)) and is_plain(value)}
    for values in (flags, own):
        found |= {str(k): v for k, v in values.items() if is_plain(v)} if isinstance(values, dict) else {}
    return {"attributes": found} if found else {}


def _geometry(kind: Any, points: Any, mask: Any) -> tuple[tuple[Polygon, ...], bool]:
    """The parts, and whether they are a box. Raises ValueError if there is no area."""
    if kind == "mask":
        return tuple(_mask_polygons(mask, points)), False
    if kind in ("polygon", "quadrilateral"):
        return ring_to_polygons(Polygon.of(points).exterior), False
    if kind in ("rectangle", "rotation", "oriented_rectangle") and len(points) in (2, 4):
        if len(points) == 2 or _is_upright(points):
            return rectangle(*points.min(axis=0).tolist(), *points.max(axis=0).tolist()), True
        return (Polygon.of(points),), False
    if kind == "circle" and len(points) == 2:
        angle = np.linspace(0, 2 * math.pi, _CIRCLE_VERTICES, endpoint=False)
        radius = math.dist(*points)
        return (Polygon.of(points[0] + radius * np.stack((np.cos(angle), np.sin(angle)), axis=1)),), False
    raise ValueError(f"a {kind} of {len(points)} points has no area")


def _is_upright(points: Any) -> bool:
    """Whether four points are the corners of an upright box, in either direction from any corner."""
    low, high = points.min(axis=0), points.max(axis=0)
    is_corner = ((points == low) | (points == high)).all()
    sides = np.abs(np.diff(points, axis=0, append=points[:1])) > 0
    return bool(is_corner and (sides.sum(axis=1) == 1).all())


def _mask_polygons(mask: Any, points: Any) -> tuple[Polygon, ...]:
    """A PNG in base64, its upper left corner at the first point."""
    try:
        data = np.frombuffer(base64.b64decode(mask, validate=True), np.uint8)
    except (TypeError, binascii.Error) as error:
        raise ValueError("expected a base64 mask") from error
    pixels = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
    if pixels is None:
        raise ValueError("expected a PNG mask")
    x, y = (int(value) for value in points[0])
    return mask_to_polygons(np.asarray(pixels, np.uint8), min_iou=None, offset_xy=(x, y))
