"""Pascal VOC: `Annotations/NAME.xml` with boxes, `SegmentationObject/NAME.png` with one number per object.

The n-th <object> is number n in the mask. More than 254 objects need a 16-bit mask, which the devkit cannot read.
Coloured masks are read, too, and so are sets with only masks and a `labelmap.txt` (CVAT's "Segmentation mask"). Boxes
count pixels from 1 and include both ends (VOC devkit documentation, section 3.1). Besides the devkit's elements,
<polygon> of Roboflow and supervision (vertices counted from 1), <robndbox> of roLabelImg (a rotated box) and
<attributes> of CVAT are read."""

import math
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError, ImageError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.naming import path_inside
from maskwright.formats.png_masks import objects_to_polygons, write_png
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.sizes import is_plain, whole_size
from maskwright.formats.voc_masks import (
    BACKGROUND,
    LABEL_MAP,
    VOID,
    annotation_folder,
    object_numbers,
    read_label_map,
    read_voc_masks,
    voc_colour,
)
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_bbox_xywh, polygons_to_mask
from maskwright.images import IMAGE_SUFFIXES, probe_image
from maskwright.regular_files import open_regular
from maskwright.words import count_of

IMAGE_FOLDER = "JPEGImages"
FLAGS = ("truncated", "difficult", "occluded")
"""Elements of 0 or 1."""
_UNKNOWN_POSE = ("", "unspecified")
_FIRST = 1
"""Number of the first pixel."""


def add_annotation(root: Any, file: Path, folder: Path, path: Path, builder: DataSetBuilder) -> None:
    """`folder`: that of all XML files; `path`: that of the set. Raises ValueError if the image is unknown."""
    relative = file.relative_to(folder)
    name, size_wh = _image_of(root, relative, folder, path)
    where = relative.as_posix()
    masks = _masks(path / "SegmentationObject" / relative.with_suffix(".png"), size_wh)
    objects = []
    for i, element in enumerate(root.iterfind("object"), start=1):
        polygons = masks.pop(i, None)
        try:
            objects.append(_described(element, polygons))
        except ValueError as error:
            builder.skip_object(f"{where} object {i}", error)
    masks.pop(VOID, None)
    if masks:
        builder.skip_object(
            where, f"{count_of(len(masks), 'object')} in its mask without an <object>, so without a class"
        )
    parts = len(root.findall("object/part"))
    if parts:
        builder.change(where, f"{count_of(parts, '<part>')} of its objects were left out")
    builder.add_image(name, size_wh, objects)


def _image_of(root: Any, relative: Path, folder: Path, path: Path) -> tuple[str, tuple[int, int]]:
    """Name and size; a missing or incomplete name is taken from the XML file, a missing size from the image."""
    told = (root.findtext("filename") or "").strip()
    own = path_inside((relative.parent / Path(path_inside(told)).name).as_posix()) if told else ""
    places = (path / IMAGE_FOLDER, path / "images", folder)
    if Path(own).suffix.lower() not in IMAGE_SUFFIXES:
        stems = (own, relative.with_suffix("").as_posix())
        own = next((found for stem in stems if stem for place in places if (found := _with_ending(place, stem))), own)
    if not own:
        raise ValueError("does not name its image, and no image has its name")
    try:
        return own, whole_size(*(_number(root.findtext(f"size/{key}")) for key in ("width", "height")))
    except ValueError as error:
        for place in places:
            try:
                return own, probe_image(place / own).size_wh
            except ImageError:
                continue
        raise error


def _with_ending(folder: Path, stem: str) -> str:
    """The image of this name in a folder, with its suffix; empty if there is none."""
    found = (stem + ending for suffix in sorted(IMAGE_SUFFIXES) for ending in (suffix, suffix.upper()))
    return next((name for name in found if (folder / name).is_file()), "")


def _masks(file: Path, size_wh: tuple[int, int]) -> dict[int, tuple[Polygon, ...]]:
    if not file.exists():
        return {}
    numbers = object_numbers(file)
    if numbers.shape != size_wh[::-1]:
        height, width = numbers.shape
        raise ValueError(f"the mask has {width} x {height} pixels, but the image {size_wh[0]} x {size_wh[1]}")
    return dict(objects_to_polygons(numbers))


def _described(element: Any, mask: tuple[Polygon, ...] | None) -> ParsedObject:
    label = (element.findtext("name") or "").strip()
    if not label:
        raise ValueError("has no name")
    extra = _attributes(element)
    outline = mask or _polygon(element) or _turned_box(element)
    return ParsedObject(label, outline or _box(element), is_box=outline is None, extra=extra)


def _polygon(element: Any) -> tuple[Polygon, ...] | None:
    """Vertices are counted from 1; None if there are none."""
    polygon = element.find("polygon")
    if polygon is None or not len(polygon):
        return None
    numbers = {child.tag: _number(child.text) for child in polygon}
    count = len(numbers) // 2
    points = [(numbers.get(f"x{i}"), numbers.get(f"y{i}")) for i in range(1, count + 1)]
    ring = np.array(points, np.float64) - _FIRST
    if 2 * count != len(polygon) or not np.isfinite(ring).all() or np.abs(ring).max() > 1e6:
        raise ValueError("expected a polygon of x1, y1, x2, y2, ...")
    return ring_to_polygons(Polygon.of(ring).exterior)


def _turned_box(element: Any) -> tuple[Polygon, ...] | None:
    """From centre, size and an angle in radians, clockwise; None if there is none."""
    if element.find("robndbox") is None:
        return None
    x, y, w, h, angle = (_number(element.findtext(f"robndbox/{key}")) for key in ("cx", "cy", "w", "h", "angle"))
    if not (w > 0 and h > 0 and max(abs(x), abs(y), w, h) <= 1e6 and math.isfinite(angle)):
        raise ValueError("expected a rotated box with an area")
    along = np.array([math.cos(angle), math.sin(angle)]) * w / 2
    across = np.array([-math.sin(angle), math.cos(angle)]) * h / 2
    corners = [-along - across, along - across, along + across, -along + across]
    return (Polygon.of(np.array([x, y]) + corners),)


def _box(element: Any) -> tuple[Polygon, ...]:
    keys = ("xmin", "ymin", "xmax", "ymax")
    x1, y1, x2, y2 = (_number(element.findtext(f"bndbox/{key}")) for key in keys)
    return rectangle(x1 - 1, y1 - 1, x2, y2)


def _attributes(element: Any) -> dict[str, Any]:
    found: dict[str, Any] = {key: True for key in FLAGS if (element.findtext(key) or "").strip() == "1"}
    pose = (element.findtext("pose") or "").strip()
    found |= {"pose": pose} if pose.casefold() not in _UNKNOWN_POSE else {}
    for attribute in element.iterfind("attributes/attribute"):
        name, value = attribute.findtext("name"), attribute.findtext("value")
        found |= {name: value} if name and is_plain(value) else {}
    return {"attributes": found} if found else {}


def _number(text: str | None) -> float:
    """NaN if it is not a number."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


_SET = "default.txt"


def write_voc(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write the set below the folder `path`. Raises FormatError if it cannot be written."""
    names = {category.id: category.name for category in source.categories()}
    number = {category_id: i for i, category_id in enumerate(names, start=1)}
    boxes, objects, classes = (
        SideFiles(path / "Annotations", ".xml"),
        SideFiles(path / "SegmentationObject", ".png"),
        SideFiles(path / "SegmentationClass", ".png"),
    )
    images = instances = 0
    stems: list[str] = []
    for image, taken in chosen(source, options):
        masks = np.zeros((2, image.height, image.width), np.uint8 if len(taken) < VOID else np.uint16)
        for i, instance in enumerate(taken, start=1):
            if is_box(instance):
                continue
            mask = polygons_to_mask(instance.polygons, (image.width, image.height))
            masks[0][mask], masks[1][mask] = i, min(number[instance.category_id], np.iinfo(masks.dtype).max)
        write_png(objects.path_for(image.file_name), masks[0])
        write_png(classes.path_for(image.file_name), masks[1])
        with atomic_writer(boxes.path_for(image.file_name)) as file:
            file.write(tostring(_annotation(image, taken, names)))
        stems.append(PurePosixPath(image.file_name).with_suffix("").as_posix())
        images, instances = images + 1, instances + len(taken)
    for task in ("Main", "Segmentation"):
        _write_list(path / "ImageSets" / task, stems)
    with atomic_writer(path / LABEL_MAP) as file:
        file.write(_label_map(list(names.values())).encode())
    lost = ("class and object ids", "scores", "crowd flags", "parts hidden under another object")
    return WriteReport(path, images, instances, lost)


def _label_map(names: list[str]) -> str:
    """The classes in the order of their numbers, in the layout of CVAT and Datumaro, with the devkit's colours."""
    lines = ["# label:color_rgb:parts:actions"]
    for number, name in enumerate([BACKGROUND, *names]):
        lines.append(f"{name}:{','.join(map(str, voc_colour(number)))}::")
    return "\n".join(lines) + "\n"


def _write_list(folder: Path, stems: list[str]) -> None:
    """The list of images that readers of the devkit look for first."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(folder / _SET) as file:
        file.write("".join(f"{stem}\n" for stem in stems).encode())


def read_voc(path: Path) -> DataSet:
    """Read a folder with `Annotations`, or with masks alone. Raises FormatError if there is neither.

    Objects without a mask or polygon become their boxes.
    """
    folder = annotation_folder(path)
    if folder is None:
        return read_voc_masks(path)
    builder = DataSetBuilder(path, [name for name in read_label_map(path) or () if name.casefold() != BACKGROUND])
    files = sorted(folder.rglob("*.xml"))
    if not files:
        raise FormatError("no XML file in its annotations folder", path=path)
    for file in files:
        where = file.relative_to(path).as_posix()
        try:
            with open_regular(file) as opened:
                root = parse(opened).getroot()
            if root.tag != "annotation":
                raise ValueError(f"expected <annotation>, got <{root.tag}>")
            add_annotation(root, file, folder, path, builder)
        except (ParseError, DefusedXmlException, ValueError, LookupError, OSError, FormatError) as error:
            builder.skip(where, error)
    return builder.finished()


def _annotation(image: ImageRecord, taken: list[Instance], names: dict[int, str]) -> Any:
    root = Element("annotation")
    name = PurePosixPath(image.file_name)
    SubElement(root, "folder").text = str(name.parent) if name.parent.name else ""
    SubElement(root, "filename").text = name.name
    size = SubElement(root, "size")
    for key, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        SubElement(size, key).text = str(value)
    SubElement(root, "segmented").text = "1"
    for instance in taken:
        element = SubElement(root, "object")
        SubElement(element, "name").text = names[instance.category_id]
        known = instance.extra.get("attributes")
        attributes = {str(k): v for k, v in known.items() if is_plain(v)} if isinstance(known, Mapping) else {}
        for key in FLAGS:
            SubElement(element, key).text = str(int(attributes.pop(key, False) is True))
        if "pose" in attributes:
            SubElement(element, "pose").text = str(attributes.pop("pose"))
        if attributes:
            _write_attributes(SubElement(element, "attributes"), attributes)
        x, y, w, h = polygons_bbox_xywh(instance.polygons, (image.width, image.height))
        box = SubElement(element, "bndbox")
        for key, edge in (("xmin", x + 1), ("ymin", y + 1), ("xmax", x + w), ("ymax", y + h)):
            SubElement(box, key).text = str(int(edge))
    indent(root)
    return root


def _write_attributes(parent: Any, attributes: Mapping[str, Any]) -> None:
    """As CVAT and Datumaro write attributes that Pascal VOC has no element for."""
    for key, value in attributes.items():
        attribute = SubElement(parent, "attribute")
        SubElement(attribute, "name").text = key
        SubElement(attribute, "value").text = str(value).lower() if isinstance(value, bool) else str(value)
