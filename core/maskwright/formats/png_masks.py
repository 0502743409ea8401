"""PNG masks: `instances/NAME.png` (0 background, then one number per object) and `semantic/NAME.png` (class numbers).

`classes.json` names the classes and maps objects to them. A pixel has one value: where objects overlap, the upper one
wins."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.coco.parse import safe_file_name
from maskwright.formats.data_set import DataSet
from maskwright.formats.json_stream import parsed
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.geometry.convert import mask_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_mask
from maskwright.geometry.rle import MAX_PIXELS
from maskwright.images.header import DECODER_ERRORS
from maskwright.regular_files import read_regular
from maskwright.words import count_of

_CLASSES = "classes.json"
_MOST_OBJECTS = 65_535


def write_png_masks(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """Write 16-bit PNGs below the folder `path`. Raises FormatError if they cannot be written."""
    categories = list(source.categories())
    number = {category.id: i for i, category in enumerate(categories, start=1)}
    numbered, classified = SideFiles(path / "instances", ".png"), SideFiles(path / "semantic", ".png")
    objects: dict[str, list[int]] = {}
    count = 0
    for image, taken in chosen(source, options):
        if len(taken) > _MOST_OBJECTS:
            raise FormatError(
                f"{image.file_name} has {count_of(len(taken), 'object')}; a PNG mask holds at most {_MOST_OBJECTS}"
            )
        masks = np.zeros((2, image.height, image.width), np.uint16)
        for i, instance in enumerate(taken, start=1):
            mask = polygons_to_mask(instance.polygons, (image.width, image.height))
            masks[0][mask], masks[1][mask] = i, number[instance.category_id]
        write_png(numbered.path_for(image.file_name), masks[0])
        write_png(classified.path_for(image.file_name), masks[1])
        objects[image.file_name] = [number[instance.category_id] for instance in taken]
        count += len(taken)
    path.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path / _CLASSES) as file:
        file.write(orjson.dumps({"classes": [category.name for category in categories], "objects": objects}))
    lost = ("class and object ids", "scores", "attributes", "crowd flags", "boxes become outlines")
    return WriteReport(path, len(objects), count, (*lost, "parts hidden under another object"))


def read_png_masks(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """Read the folder with `classes.json`, or that file; else a folder of plain masks, of images with these `sizes`.

    Raises FormatError if it is neither.
    """
    root = path if path.is_dir() else path.parent
    file = root / _CLASSES
    if path.is_dir() and not file.exists():
        from maskwright.formats.mask_places import read_mask_folder  # here, because that module imports this one

        return read_mask_folder(path, sizes)
    try:
        content = parsed(read_regular(file), file)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=file) from error
    if not isinstance(content, dict) or not isinstance(content.get("objects"), dict):
        raise FormatError("expected `classes` and `objects`", path=file)
    names = [str(name) for name in content.get("classes") or ()]
    builder = DataSetBuilder(path, names)
    for name, numbers in content["objects"].items():
        try:
            file_name = safe_file_name(name)
            pixels = read_png(root / "instances" / Path(file_name).with_suffix(".png"))
            objects = _objects(pixels, numbers, names)
        except (ValueError, FormatError) as error:
            builder.skip(str(name), error)
            continue
        builder.add_image(file_name, (pixels.shape[1], pixels.shape[0]), objects)
    return builder.finished()


def objects_to_polygons(pixels: NDArray[Any]) -> Mapping[int, tuple[Polygon, ...]]:
    """{value: exact polygons} of every value but 0 in (H, W) numbers."""
    found: dict[int, tuple[Polygon, ...]] = {}
    for value in np.unique(pixels[pixels > 0]).tolist():
        mask = (pixels == value).view(np.uint8)
        x, y, w, h = cv2.boundingRect(mask)
        found[value] = mask_to_polygons(mask[y : y + h, x : x + w], min_iou=None, offset_xy=(x, y))
    return found


def read_png(file: Path, *, may_be_coloured: bool = False) -> NDArray[Any]:
    """(H, W) numbers; for a palette image the indices, not the colours. Raises FormatError for other images.

    `may_be_coloured`: also (H, W, 3) RGB. Uses Pillow, because OpenCV turns palettes into colours and reads truncated
    files as black pixels.
    """
    try:
        data = read_regular(file)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=file) from error
    size = int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")
    if data[:4] != b"\x89PNG" or not 0 < size <= MAX_PIXELS:
        raise FormatError("expected a PNG mask", path=file)
    try:
        with PngImageFile(BytesIO(data)) as opened:
            pixels = np.asarray(opened)
    except DECODER_ERRORS as error:
        raise FormatError("the PNG mask is damaged or truncated", path=file) from error
    if may_be_coloured and pixels.ndim == 3 and pixels.shape[2] in (3, 4) and pixels.dtype == np.uint8:
        return pixels[..., :3]
    if pixels.ndim != 2:
        raise FormatError("expected a single-channel PNG mask", path=file)
    return pixels


def write_png(file: Path, pixels: NDArray[Any]) -> None:
    """Raises FormatError if it cannot be written."""
    _, encoded = cv2.imencode(".png", pixels)
    with atomic_writer(file) as opened:
        opened.write(encoded.tobytes())


def _objects(pixels: NDArray[Any], numbers: Any, names: list[str]) -> list[tuple[str, tuple[Polygon, ...]]]:
    if not isinstance(numbers, list) or not all(type(n) is int and 0 < n <= len(names) for n in numbers):
        raise ValueError("expected a class number for each object")
    found = objects_to_polygons(pixels)
    unknown = [value for value in found if value > len(numbers)]
    if unknown:
        raise ValueError(f"the mask has {len(unknown)} objects without a class")
    return [(names[number - 1], found[i]) for i, number in enumerate(numbers, start=1) if i in found]
