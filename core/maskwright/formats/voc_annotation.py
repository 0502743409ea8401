"""One XML file of Pascal VOC: its image, and an object for each <object>.

Boxes count pixels from 1 and include both ends (VOC devkit documentation, section 3.1). Besides the devkit's elements
these are read: <polygon> of Roboflow and supervision, whose vertices are counted from 1, <robndbox> of
roLabelImg (a turned box), and <attributes> of CVAT.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from maskwright.errors import ImageError
from maskwright.formats.boxes import rectangle
from maskwright.formats.building import DataSetBuilder, Described
from maskwright.formats.naming import path_inside
from maskwright.formats.png_masks import objects_to_polygons
from maskwright.formats.sizes import is_plain, whole_size
from maskwright.formats.voc_masks import VOID, object_numbers
from maskwright.geometry.keyhole import ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.images import IMAGE_SUFFIXES, probe_image
from maskwright.words import count_of

IMAGE_FOLDER = "JPEGImages"
FLAGS = ("truncated", "difficult", "occluded")
"""Elements of 0 or 1."""
_UNKNOWN_POSE = ("", "unspecified")
_FIRST = 1
"""Number of the first pixel."""


def add_annotation(root: Any, file: Path, folder: Path, path: Path, builder: DataSetBuilder) -> None:
    """`folder`: that of all XML files; `path`: that of the set. Raises ValueError where the image is not known."""
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
            where, f"{count_of(len(masks), 'object')} of its mask without an <object>, so without a class"
        )
    parts = len(root.findall("object/part"))
    if parts:
        builder.change(where, f"{count_of(parts, '<part>')} of its objects are left out")
    builder.add_image(name, size_wh, objects)


def _image_of(root: Any, relative: Path, folder: Path, path: Path) -> tuple[str, tuple[int, int]]:
    """Name and size; the XML file's own name stands for one that is missing or has no ending, the image for a size."""
    told = (root.findtext("filename") or "").strip()
    own = path_inside((relative.parent / Path(path_inside(told)).name).as_posix()) if told else ""
    places = (path / IMAGE_FOLDER, path / "images", folder)
    if Path(own).suffix.lower() not in IMAGE_SUFFIXES:
        stems = (own, relative.with_suffix("").as_posix())
        own = next((found for stem in stems if stem for place in places if (found := _with_ending(place, stem))), own)
    if not own:
        raise ValueError("does not say which image it is of, and none has its name")
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
    """The image of this name in a folder, with its ending; empty where there is none."""
    found = (stem + ending for suffix in sorted(IMAGE_SUFFIXES) for ending in (suffix, suffix.upper()))
    return next((name for name in found if (folder / name).is_file()), "")


def _masks(file: Path, size_wh: tuple[int, int]) -> dict[int, tuple[Polygon, ...]]:
    if not file.exists():
        return {}
    numbers = object_numbers(file)
    if numbers.shape != size_wh[::-1]:
        height, width = numbers.shape
        raise ValueError(f"the mask has {width} x {height} pixels, the image {size_wh[0]} x {size_wh[1]}")
    return dict(objects_to_polygons(numbers))


def _described(element: Any, mask: tuple[Polygon, ...] | None) -> Described:
    label = (element.findtext("name") or "").strip()
    if not label:
        raise ValueError("has no name")
    extra = _attributes(element)
    outline = mask or _polygon(element) or _turned_box(element)
    return Described(label, outline or _box(element), is_box=outline is None, extra=extra)


def _polygon(element: Any) -> tuple[Polygon, ...] | None:
    """Its vertices are counted from 1, all of them; None where there is none."""
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
    """Centre, size and an angle in radians, clockwise; None where there is none."""
    if element.find("robndbox") is None:
        return None
    x, y, w, h, angle = (_number(element.findtext(f"robndbox/{key}")) for key in ("cx", "cy", "w", "h", "angle"))
    if not (w > 0 and h > 0 and max(abs(x), abs(y), w, h) <= 1e6 and math.isfinite(angle)):
        raise ValueError("expected a turned box with an area")
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
    """NaN for what is none."""
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan
