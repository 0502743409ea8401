"""ISAT: one JSON file per image, beside it; parts of an object share a `group`, boxes are [x1, y1, x2, y2].

Fields as in ISAT's `ISAT/annotation.py`. ISAT draws a hole as a `__background__` polygon on a higher layer; we write
holes with a bridge and, when reading, subtract such polygons from what lies below them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import yaml

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.building import DataSetBuilder, ParsedObject, json_documents
from maskwright.formats.class_table import read_yaml, yaml_texts, yaml_value
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.naming import path_inside
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.sizes import is_number, whole_size
from maskwright.geometry.algebra import subtract
from maskwright.geometry.keyhole import cut_keyholes, ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_area, rounded

_BACKGROUND = "__background__"
_TABLE = "isat.yaml"


def write_isat(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write one file per image below the folder `path`. Raises FormatError if one cannot be written."""
    names = {category.id: category.name for category in source.categories()}
    files = SideFiles(path, ".json")
    images = instances = 0
    for image, taken in chosen(source, options):
        objects = [
            one for group, each in enumerate(taken, start=1) for one in _objects(each, image, names, group=group)
        ]
        info = {"description": "ISAT", "folder": "", "name": image.file_name.rsplit("/", 1)[-1]}
        size = {"width": image.width, "height": image.height, "depth": 3, "note": ""}
        with atomic_writer(files.path_for(image.file_name)) as file:
            file.write(orjson.dumps({"info": info | size, "objects": objects}, option=orjson.OPT_INDENT_2))
        images, instances = images + 1, instances + len(taken)
    path.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path / _TABLE) as file:
        file.write(_class_table(list(names.values())).encode())
    lost = ("class and object ids", "scores", "attributes", "holes become bridges")
    return WriteReport(path, images, instances, lost)


def read_isat(path: Path) -> DataSet:
    """Read all ISAT files below a folder, or one. Raises FormatError if there is none."""
    builder = DataSetBuilder(path, _known_classes((path if path.is_dir() else path.parent) / _TABLE))
    found = 0
    for where, folder, content in json_documents(path, builder):
        info = content.get("info")
        if not isinstance(info, Mapping) or not str(info.get("description", "")).startswith("ISAT"):
            continue
        found += 1
        try:
            name = path_inside(info.get("name")).rsplit("/", 1)[-1]
            size_wh = whole_size(info.get("width"), info.get("height"))
        except ValueError as error:
            builder.skip(where, error)
            continue
        builder.add_image((folder / name).as_posix(), size_wh, _parsed(content.get("objects"), where, builder))
    if not found:
        raise FormatError("no ISAT file here", path=path)
    return builder.finished()


def _objects(instance: Instance, image: ImageRecord, names: Mapping[int, str], *, group: int) -> list[dict[str, Any]]:
    known = instance.extra.get("attributes")
    note = known.get("note", "") if isinstance(known, Mapping) else ""
    made = []
    for polygon in instance.polygons:
        x1, y1, x2, y2 = polygon.bounds_xyxy
        made.append({
            "category": names[instance.category_id],
            "group": group,
            "segmentation": rounded(cut_keyholes(polygon)).tolist(),
            "area": float(polygons_area((polygon,), (image.width, image.height))),
            "layer": float(group),
            "bbox": [x1, y1, x2, y2],
            "iscrowd": instance.is_crowd,
            "note": str(note),
            "shape_type": "rectangle" if is_box(instance) else "polygon",
        })  # fmt: skip
    return made


def _parsed(objects: Any, where: str, builder: DataSetBuilder) -> list[ParsedObject]:
    grouped: dict[Any, ParsedObject] = {}
    shapes = [each for each in objects if isinstance(each, dict)] if isinstance(objects, list) else []
    order = sorted(enumerate(shapes), key=lambda each: _layer(each[1]))
    for i, shape in order:
        try:
            described = _described(shape)
        except ValueError as error:
            builder.skip_object(f"{where} objects[{i}]", error)
            continue
        if described.category == _BACKGROUND:
            grouped = {key: _without(each, described.polygons) for key, each in grouped.items()}
            continue
        group = shape.get("group")
        key = (described.category, group) if isinstance(group, int) and group else ("", i)
        before = grouped.get(key)
        merged = replace(described, is_box=False, polygons=(before.polygons if before else ()) + described.polygons)
        grouped[key] = merged if before is not None else described
    return [each for each in grouped.values() if each.polygons]


def _without(described: ParsedObject, hole: tuple[Polygon, ...]) -> ParsedObject:
    left = subtract(described.polygons, hole)
    return described if left == described.polygons else replace(described, polygons=left, is_box=False)


def _described(shape: Mapping[str, Any]) -> ParsedObject:
    label = shape.get("category")
    if not isinstance(label, str) or not label.strip():
        raise ValueError("expected an object with a category")
    points = np.array(shape.get("segmentation"), np.float64)
    if points.ndim != 2 or points.shape[1:] != (2,) or not np.isfinite(points).all() or np.abs(points).max() > 1e6:
        raise ValueError("expected points as pairs of numbers")
    note = shape.get("note")
    extra = {"attributes": {"note": note}} if isinstance(note, str) and note else {}
    if shape.get("shape_type") == "rectangle":
        corners = (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
        return ParsedObject(label.strip(), rectangle(*corners), is_box=True, extra=extra)
    polygons = ring_to_polygons(Polygon.of(points).exterior)
    return ParsedObject(label.strip(), polygons, is_crowd=bool(shape.get("iscrowd")), extra=extra)


def _layer(shape: Mapping[str, Any]) -> float:
    layer = shape.get("layer")
    return float(layer) if is_number(layer) else 0.0


def _class_table(names: list[str]) -> str:
    rows = "".join(f"- color: '#000000'\n  name: {orjson.dumps(name).decode()}\n" for name in (_BACKGROUND, *names))
    return f"label:\n{rows}"


def _known_classes(file: Path) -> list[str]:
    """The classes in ISAT's settings beside its files, in their order; none if there are no readable settings."""
    try:
        table = yaml_value(read_yaml(file), "label") if file.is_file() else None
    except (FormatError, ValueError):
        return []
    rows = [dict(yaml_texts(row)) for row in table.value] if isinstance(table, yaml.SequenceNode) else []
    names = [row["name"].strip() for row in rows if row.get("name", "").strip()]
    return [name for name in dict.fromkeys(names) if name != _BACKGROUND]
