"""CVAT for images 1.1: one XML file. Objects with holes or parts are written as masks, which CVAT keeps exactly.

A `<mask>` has row-major run lengths within its box, background first (CVAT documentation, "CVAT for images").
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.parse import safe_file_name
from maskwright.formats.data_set import DataSet
from maskwright.formats.selection import WriteReport, chosen
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_rle, rle_bbox_xywh, rle_to_mask, rounded
from maskwright.geometry.rle import MAX_PIXELS


def write_cvat(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Raises FormatError where the file cannot be written."""
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
    return WriteReport(path, images, instances, ("class and object ids", "crowd flags"))


def read_cvat(path: Path) -> DataSet:
    """Raises FormatError for what is not CVAT's XML. Tracks of videos are not read."""
    try:
        root = parse(path).getroot()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FormatError(f"not readable as XML: {error}", path=path) from error
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=path) from error
    if root.tag != "annotations":
        raise FormatError(f"expected <annotations>, got <{root.tag}>", path=path)
    builder = DataSetBuilder(path, [name.text.strip() for name in root.iterfind(".//label/name") if name.text])
    for i, element in enumerate(root.iterfind("image")):
        where = f"image {element.get('name') or i}"
        try:
            name = safe_file_name(element.get("name"))
            size_wh = (_side(element, "width"), _side(element, "height"))
        except ValueError as error:
            builder.skip(where, error)
            continue
        builder.add_image(name, size_wh, list(_objects(element, size_wh, where, builder)))
    return builder.finished()


def _add_object(element: Any, instance: Instance, image: ImageRecord, label: str) -> None:
    common = {"label": label, "occluded": "0", "source": "manual", "z_order": str(instance.z)}
    if len(instance.polygons) == 1 and not instance.polygons[0].holes:
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in rounded(instance.polygons[0].exterior).tolist())
        SubElement(element, "polygon", {**common, "points": points})
        return
    rle = polygons_to_rle(instance.polygons, (image.width, image.height))
    x, y, w, h = (int(value) for value in rle_bbox_xywh(rle))
    flat = np.concatenate(([0], rle_to_mask(rle)[y : y + h, x : x + w].ravel().astype(np.int8)))
    runs = np.diff([0, *np.flatnonzero(np.diff(flat)), w * h])
    place = {"left": str(x), "top": str(y), "width": str(w), "height": str(h)}
    SubElement(element, "mask", {**common, "rle": ", ".join(map(str, runs.tolist())), **place})


def _objects(
    element: Any, size_wh: tuple[int, int], where: str, builder: DataSetBuilder
) -> Iterator[tuple[str, tuple[Polygon, ...]]]:
    for i, child in enumerate(element):
        try:
            polygons = _geometry(child, size_wh)
        except ValueError as error:
            builder.skip_object(f"{where} object {i}", error)
            continue
        label = (child.get("label") or "").strip()
        if label and polygons:
            yield label, polygons
        elif polygons is not None:
            builder.skip_object(f"{where} object {i}", "has no label or no pixel")


def _geometry(child: Any, size_wh: tuple[int, int]) -> tuple[Polygon, ...] | None:
    """None for what is not an object (tags)."""
    match child.tag:
        case "polygon":
            pairs = [pair.split(",") for pair in (child.get("points") or "").split(";")]
            ring = Polygon.of(np.array(pairs, np.float64)).exterior
            return ring_to_polygons(ring)
        case "box":
            x1, y1, x2, y2 = (float(child.get(key, "nan")) for key in ("xtl", "ytl", "xbr", "ybr"))
            if not math.isfinite(x1 + y1 + x2 + y2) or x2 <= x1 or y2 <= y1:
                raise ValueError("expected a box with an area")
            return (Polygon.of([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]),)
        case "mask":
            return _mask(child, size_wh)
        case "tag":
            return None
        case _:
            raise ValueError(f"a {child.tag} has no area")


def _mask(child: Any, size_wh: tuple[int, int]) -> tuple[Polygon, ...]:
    left, top, width, height = (int(child.get(key, "-1")) for key in ("left", "top", "width", "height"))
    is_inside = left >= 0 and top >= 0 and left + width <= size_wh[0] and top + height <= size_wh[1]
    if not is_inside or width <= 0 or height <= 0 or width * height > MAX_PIXELS:
        raise ValueError("expected a mask inside the image")
    runs = np.array((child.get("rle") or "0").split(","), np.float64)
    if not (runs.min() >= 0 and runs.max() <= width * height and runs.sum() == width * height) or (runs % 1).any():
        raise ValueError(f"the run lengths do not fill {width} x {height} pixels")
    mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs.astype(np.int64)).reshape(height, width)
    return mask_to_polygons(mask, min_iou=None, offset_xy=(left, top))


def _side(element: Any, key: str) -> int:
    side = int(element.get(key) or 0)
    if not 0 < side <= 1 << 20:
        raise ValueError(f"expected a {key}, got {element.get(key)!r}")
    return side
