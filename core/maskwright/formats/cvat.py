"""CVAT for images 1.1: one XML file. Objects with holes or parts are written as masks, which CVAT keeps exactly.

A `<mask>` has row-major run lengths within its box, background first (CVAT documentation, "CVAT for images").
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.parse import safe_file_name
from maskwright.formats.data_set import DataSet
from maskwright.formats.selection import WriteReport, chosen
from maskwright.formats.sizes import is_plain
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon, polygons_bounds_xyxy
from maskwright.geometry.raster import polygons_to_rle, rle_bbox_xywh, rle_to_mask, rounded
from maskwright.geometry.rle import MAX_PIXELS
from maskwright.plain_words import WRITE_AGAIN, in_plain_words
from maskwright.regular_files import open_regular

_BOX = ("xtl", "ytl", "xbr", "ybr")
_ELLIPSE_VERTICES = 64


def write_cvat(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write `path` as one XML file. Raises FormatError if it cannot be written."""
    names = {category.id: category.name for category in source.categories()}
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    labels = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")
    for name in names.values():
        SubElement(SubElement(labels, "label"), "name").text = name
    images = instances = 0
    for image, taken in chosen(source, options):
        size = {"width": str(image.width), "height": str(image.height)}
        element = SubElement(root, "image", {"id": str(images), "name": image.file_name, **size})
        for instance in taken:
            _add_object(element, instance, image, names[instance.category_id])
        images, instances = images + 1, instances + len(taken)
    indent(root)
    with atomic_writer(path) as file:
        file.write(tostring(root, encoding="utf-8", xml_declaration=True))
    return WriteReport(path, images, instances, ("class and object ids", "scores", "crowd flags"))


def read_cvat(path: Path) -> DataSet:
    """Read the XML file, or a folder with it. Raises FormatError for anything else.

    Shapes with the same label and `group_id` are parts of one object. Video tracks are reported and skipped.
    """
    file = cvat_file(path) or path
    try:
        with open_regular(file) as opened:
            root = parse(opened).getroot()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FormatError(in_plain_words(error), path=file, hint=WRITE_AGAIN) from error
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=file) from error
    if root.tag != "annotations":
        raise FormatError(f"expected <annotations>, got <{root.tag}>", path=file)
    names = [name.text.strip() for name in root.iterfind(".//label/name") if name.text]
    builder = DataSetBuilder(path, names)
    for i, element in enumerate(root.iterfind("image")):
        where = f"image {element.get('name') or i}"
        try:
            name = safe_file_name(element.get("name"))
            size_wh = (_side(element, "width"), _side(element, "height"))
        except ValueError as error:
            builder.skip(where, error)
            continue
        builder.add_image(name, size_wh, _objects(element, size_wh, where, builder))
    for element in root.iterfind("track"):
        builder.skip(f"track {element.get('id')}", "video tracks are not supported")
    return builder.finished()


def cvat_file(path: Path) -> Path | None:
    """The XML file at `path` or in the folder that CVAT packs it in; None if there is none."""
    names = ("annotations.xml", "default.xml", "annotations/default.xml")
    places = [path] if path.is_file() else [path / name for name in names]
    return next((place for place in places if place.suffix == ".xml" and place.is_file()), None)


def _add_object(element: Any, instance: Instance, image: ImageRecord, label: str) -> None:
    known = instance.extra.get("attributes")
    mapping = known if isinstance(known, Mapping) else {}
    attributes = {str(key): value for key, value in mapping.items() if is_plain(value)}
    occluded = str(int(bool(attributes.pop("occluded", False))))
    common = {"label": label, "occluded": occluded, "source": "manual", "z_order": str(instance.z)}
    if is_box(instance):
        corners = {key: f"{value:.2f}" for key, value in zip(_BOX, instance.bounds_xyxy, strict=True)}
        shape = SubElement(element, "box", {**common, **corners})
    elif len(instance.polygons) == 1 and not instance.polygons[0].holes:
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in rounded(instance.polygons[0].exterior).tolist())
        shape = SubElement(element, "polygon", {**common, "points": points})
    else:
        shape = SubElement(element, "mask", {**common, **_mask_attributes(instance, image)})
    for key, value in attributes.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        SubElement(shape, "attribute", {"name": key}).text = text


def _mask_attributes(instance: Instance, image: ImageRecord) -> dict[str, str]:
    rle = polygons_to_rle(instance.polygons, (image.width, image.height))
    x, y, w, h = (int(value) for value in rle_bbox_xywh(rle))
    flat = np.concatenate(([0], rle_to_mask(rle)[y : y + h, x : x + w].ravel().astype(np.int8)))
    runs = np.diff([0, *np.flatnonzero(np.diff(flat)), w * h])
    place = {"left": str(x), "top": str(y), "width": str(w), "height": str(h)}
    return {"rle": ", ".join(map(str, runs.tolist())), **place}


def _objects(element: Any, size_wh: tuple[int, int], where: str, builder: DataSetBuilder) -> list[ParsedObject]:
    found: dict[Any, ParsedObject] = {}
    if tags := [child.get("label") or "?" for child in element.iterfind("tag")]:
        builder.change(where, f"image tags were left out: {', '.join(tags)[:200]}")
    for i, child in enumerate(element):
        try:
            shape = _geometry(child, size_wh)
            if shape is None:
                continue
            label = (child.get("label") or "").strip()
            if not label or not shape[0]:
                raise ValueError("has no label or no pixels")
        except ValueError as error:
            builder.skip_object(f"{where} object {i}", error)
            continue
        polygons, is_box = shape
        group = child.get("group_id") or "0"
        key = (label, group) if group != "0" and not is_box else i
        before = found.get(key)
        described = ParsedObject(label, polygons, is_box, z=_whole(child.get("z_order")), extra=_attributes(child))
        found[key] = replace(before, polygons=before.polygons + polygons) if before is not None else described
    return list(found.values())


def _attributes(child: Any) -> dict[str, Any]:
    found: dict[str, Any] = {a.get("name"): a.text or "" for a in child.iterfind("attribute") if a.get("name")}
    found |= {"occluded": True} if child.get("occluded") == "1" else {}
    return {"attributes": found} if found else {}


def _geometry(child: Any, size_wh: tuple[int, int]) -> tuple[tuple[Polygon, ...], bool] | None:
    """The parts, and whether they are a box; None for tags, which have no geometry."""
    match child.tag:
        case "polygon":
            pairs = [pair.split(",") for pair in (child.get("points") or "").split(";")]
            ring = Polygon.of(np.array(pairs, np.float64)).exterior
            return ring_to_polygons(ring), False
        case "box":
            box = rectangle(*(float(child.get(key, "nan")) for key in _BOX))
            degrees = float(child.get("rotation") or 0)
            return (_turned(box, degrees), False) if degrees else (box, True)
        case "ellipse":
            x, y, rx, ry = (float(child.get(key, "nan")) for key in ("cx", "cy", "rx", "ry"))
            if not (rx > 0 and ry > 0):
                raise ValueError("expected an ellipse with an area")
            angle = np.linspace(0, 2 * math.pi, _ELLIPSE_VERTICES, endpoint=False)
            ring = np.stack((x + rx * np.cos(angle), y + ry * np.sin(angle)), axis=1)
            return _turned((Polygon.of(ring),), float(child.get("rotation") or 0)), False
        case "mask":
            return _mask(child, size_wh), False
        case "tag":
            return None
        case _:
            raise ValueError(f"a {child.tag} has no area")


def _turned(polygons: tuple[Polygon, ...], degrees: float) -> tuple[Polygon, ...]:
    """Rotated clockwise about the centre of their bounds, as CVAT rotates boxes and ellipses."""
    if not math.isfinite(degrees):
        raise ValueError("expected a rotation in degrees")
    x1, y1, x2, y2 = polygons_bounds_xyxy(polygons)
    centre, angle = np.array([(x1 + x2) / 2, (y1 + y2) / 2]), math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return tuple(Polygon.of((polygon.exterior - centre) @ turn + centre) for polygon in polygons)


def _whole(text: str | None) -> int:
    try:
        return max(-(1 << 31), min(int(text or 0), 1 << 31))
    except ValueError:
        return 0


def _mask(child: Any, size_wh: tuple[int, int]) -> tuple[Polygon, ...]:
    left, top, width, height = (int(child.get(key, "-1")) for key in ("left", "top", "width", "height"))
    is_inside = left >= 0 and top >= 0 and left + width <= size_wh[0] and top + height <= size_wh[1]
    if not is_inside or width <= 0 or height <= 0 or width * height > MAX_PIXELS:
        raise ValueError("expected a mask inside the image")
    runs = np.array((child.get("rle") or "0").split(","), np.float64)
    if not (runs.min() >= 0 and runs.max() <= width * height and runs.sum() == width * height) or (runs % 1).any():
        raise ValueError(f"the run lengths do not add up to {width} x {height} pixels")
    mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs.astype(np.int64)).reshape(height, width)
    return mask_to_polygons(mask, min_iou=None, offset_xy=(left, top))


def _side(element: Any, key: str) -> int:
    side = int(element.get(key) or 0)
    if not 0 < side <= 1 << 20:
        raise ValueError(f"expected a {key}, got {element.get(key)!r}")
    return side
