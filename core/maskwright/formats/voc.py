"""Pascal VOC: `Annotations/NAME.xml` with boxes, `SegmentationObject/NAME.png` with one number per object.

Boxes count pixels from 1 and include both ends (VOC devkit documentation, section 3.1). The n-th <object> is number n
in the mask. More than 254 objects need a 16-bit mask, which the devkit does not know. Masks are also read where they
are coloured, and where there are only masks and a `labelmap.txt` (CVAT's "Segmentation mask").
"""

from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box, rectangle
from maskwright.formats.building import DataSetBuilder, Described
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.parse import safe_file_name
from maskwright.formats.data_set import DataSet
from maskwright.formats.png_masks import objects_to_polygons, write_png
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.voc_colours import voc_colour
from maskwright.formats.voc_masks import annotation_folder, object_numbers, read_voc_masks
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_bbox_xywh, polygons_to_mask
from maskwright.regular_files import open_regular
from maskwright.words import count_of

_VOID = 255
_SET = "default.txt"


def write_voc(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Below the folder `path`. Raises FormatError where it cannot be written."""
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
        masks = np.zeros((2, image.height, image.width), np.uint8 if len(taken) < _VOID else np.uint16)
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
    with atomic_writer(path / "labelmap.txt") as file:
        file.write(_label_map(list(names.values())).encode())
    return WriteReport(path, images, instances, ("class ids", "scores", "what lies under another object"))


def _label_map(names: list[str]) -> str:
    """The classes in the order of their numbers, as CVAT and Datumaro read them; colours are those of the devkit."""
    lines = ["# label:color_rgb:parts:actions"]
    for number, name in enumerate(["background", *names]):
        lines.append(f"{name}:{','.join(map(str, voc_colour(number)))}::")
    return "\n".join(lines) + "\n"


def _write_list(folder: Path, stems: list[str]) -> None:
    """The images of the set: readers of the devkit look here first."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(folder / _SET) as file:
        file.write("".join(f"{stem}\n" for stem in stems).encode())


def read_voc(path: Path) -> DataSet:
    """The folder that has `Annotations`, or masks alone. Raises FormatError where there is neither.

    Objects without a mask are their boxes.
    """
    folder = annotation_folder(path)
    if folder is None:
        return read_voc_masks(path)
    builder = DataSetBuilder(path)
    for file in sorted(folder.rglob("*.xml")):
        where = file.relative_to(path).as_posix()
        try:
            with open_regular(file) as opened:
                root = parse(opened).getroot()
            _add(root, file.relative_to(folder), path, builder)
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
        for key in ("truncated", "difficult"):
            SubElement(element, key).text = "0"
        x, y, w, h = polygons_bbox_xywh(instance.polygons, (image.width, image.height))
        box = SubElement(element, "bndbox")
        for key, edge in (("xmin", x + 1), ("ymin", y + 1), ("xmax", x + w), ("ymax", y + h)):
            SubElement(box, key).text = str(int(edge))
    indent(root)
    return root


def _add(root: Any, relative: Path, path: Path, builder: DataSetBuilder) -> None:
    name = safe_file_name((relative.parent / (root.findtext("filename") or "")).as_posix())
    width, height = (int(root.findtext(f"size/{key}") or 0) for key in ("width", "height"))
    if not (0 < width <= 1 << 20 and 0 < height <= 1 << 20):
        raise ValueError(f"expected a size, got {width} x {height}")
    masks = _masks(path / "SegmentationObject" / relative.with_suffix(".png"), (width, height))
    where = relative.as_posix()
    objects = []
    for i, element in enumerate(root.iterfind("object"), start=1):
        label = (element.findtext("name") or "").strip()
        if not label:
            raise ValueError(f"object {i} has no name")
        polygons = masks.pop(i, None)
        try:
            objects.append(Described(label, polygons or _box(element), is_box=polygons is None))
        except ValueError as error:
            builder.skip_object(f"{where} object {i}", error)
    masks.pop(_VOID, None)
    if masks:
        builder.skip_object(
            where, f"{count_of(len(masks), 'object')} of its mask without an <object>, so without a class"
        )
    builder.add_image(name, (width, height), objects)


def _masks(file: Path, size_wh: tuple[int, int]) -> dict[int, tuple[Polygon, ...]]:
    if not file.exists():
        return {}
    numbers = object_numbers(file)
    if numbers.shape != size_wh[::-1]:
        height, width = numbers.shape
        raise ValueError(f"the mask has {width} x {height} pixels, the image {size_wh[0]} x {size_wh[1]}")
    return dict(objects_to_polygons(numbers))


def _box(element: Any) -> tuple[Polygon, ...]:
    keys = ("xmin", "ymin", "xmax", "ymax")
    x1, y1, x2, y2 = (float(element.findtext(f"bndbox/{key}") or "nan") for key in keys)
    return rectangle(x1 - 1, y1 - 1, x2, y2)
