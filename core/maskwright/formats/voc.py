"""Pascal VOC: `Annotations/NAME.xml` with boxes, `SegmentationObject/NAME.png` with one number per object.

The n-th <object> is number n in the mask. More than 254 objects need a 16-bit mask, which the devkit does not know.
Masks are also read where they are coloured, and where there are only masks and a `labelmap.txt` (CVAT's "Segmentation
mask"). What an XML file says, `voc_annotation` reads.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from maskwright.document.values import ImageRecord, Instance
from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.boxes import is_box
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.png_masks import write_png
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.formats.sizes import is_plain
from maskwright.formats.voc_annotation import FLAGS, add_annotation
from maskwright.formats.voc_colours import BACKGROUND, LABEL_MAP, read_label_map, voc_colour
from maskwright.formats.voc_masks import VOID, annotation_folder, read_voc_masks
from maskwright.geometry.raster import polygons_bbox_xywh, polygons_to_mask
from maskwright.regular_files import open_regular

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
    lost = ("class and object ids", "scores", "crowd flags", "what lies under another object")
    return WriteReport(path, images, instances, lost)


def _label_map(names: list[str]) -> str:
    """The classes in the order of their numbers, as CVAT and Datumaro read them; colours are those of the devkit."""
    lines = ["# label:color_rgb:parts:actions"]
    for number, name in enumerate([BACKGROUND, *names]):
        lines.append(f"{name}:{','.join(map(str, voc_colour(number)))}::")
    return "\n".join(lines) + "\n"


def _write_list(folder: Path, stems: list[str]) -> None:
    """The images of the set: readers of the devkit look here first."""
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_writer(folder / _SET) as file:
        file.write("".join(f"{stem}\n" for stem in stems).encode())


def read_voc(path: Path) -> DataSet:
    """The folder that has `Annotations`, or masks alone. Raises FormatError where there is neither.

    Objects without a mask or a polygon are their boxes.
    """
    folder = annotation_folder(path)
    if folder is None:
        return read_voc_masks(path)
    builder = DataSetBuilder(path, [name for name in read_label_map(path) or () if name.casefold() != BACKGROUND])
    files = sorted(folder.rglob("*.xml"))
    if not files:
        raise FormatError("there is no XML file in its folder of annotations", path=path)
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
    """As CVAT and Datumaro write those that Pascal VOC has no word for."""
    for key, value in attributes.items():
        attribute = SubElement(parent, "attribute")
        SubElement(attribute, "name").text = key
        SubElement(attribute, "value").text = str(value).lower() if isinstance(value, bool) else str(value)
