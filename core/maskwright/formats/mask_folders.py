"""Folders of plain mask PNGs: one mask per object, or one PNG per image with a number or a colour per object.

Known layouts: `IMAGE/masks/*.png` beside `IMAGE/images/*` (the Data Science Bowl's); `masks/` with a PNG per image, of
which `images/` holds the pictures; `masks/CLASS/` with a PNG per image. Numbers are objects; where a class table
(`classes.txt`) is there and no sub-folders are, they are classes, and what hangs together is an object.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.errors import FormatError
from maskwright.formats.building import DataSetBuilder, Described
from maskwright.formats.class_table import names_of_lines
from maskwright.formats.data_set import DataSet
from maskwright.formats.png_masks import objects_to_polygons, read_png
from maskwright.geometry.convert import mask_to_polygons
from maskwright.images import IMAGE_SUFFIXES

_MASKS, _IMAGES = "masks", "images"
_OBJECT = "object"
_TABLE = "classes.txt"


@dataclass(frozen=True, slots=True)
class _Layer:
    """One PNG of an image; `label` is empty where it does not lie in the folder of a class."""

    file: Path
    label: str


def is_mask_folder(path: Path) -> bool:
    """Whether there are folders called `masks` with PNGs, or nothing but PNGs in folders."""
    return path.is_dir() and (_has_png(path / _MASKS) or any(_has_png(place) for place in path.glob(f"*/{_MASKS}")))


def read_mask_folder(path: Path) -> DataSet:
    """Raises FormatError where there are no masks."""
    names = names_of_lines(path / _TABLE) if (path / _TABLE).is_file() else {}
    builder = DataSetBuilder(path, names.values())
    layers = _layers(path)
    if not layers:
        raise FormatError("there are no mask PNGs here", path=path)
    for image, found in sorted(layers.items()):
        _add(image, found, path, names, builder)
    return builder.finished()


def _layers(path: Path) -> dict[str, list[_Layer]]:
    """{image: its masks}."""
    found: dict[str, list[_Layer]] = {}
    for folder in sorted(path.glob(f"*/{_MASKS}")):
        image = _only_image(folder.parent / _IMAGES) or folder.parent.name
        for file in sorted(folder.glob("*.png")):
            name = (folder.parent / _IMAGES / image).relative_to(path).as_posix()
            found.setdefault(name, []).append(_Layer(file, ""))
    root = path / _MASKS
    images = {PurePosixPath(name).with_suffix("").as_posix(): name for name in _images(path / _IMAGES)}
    for file in sorted(root.rglob("*.png")) if root.is_dir() else ():
        place = file.relative_to(root).with_suffix("")
        label = ""
        stem = place.as_posix()
        if stem not in images and len(place.parts) > 1:
            label, stem = place.parts[0], "/".join(place.parts[1:])
        found.setdefault(images.get(stem, f"{stem}.png"), []).append(_Layer(file, label))
    return found


def _add(image: str, layers: list[_Layer], path: Path, names: dict[int, str], builder: DataSetBuilder) -> None:
    objects: list[Described] = []
    size: tuple[int, int] | None = None
    for layer in layers:
        where = layer.file.relative_to(path).as_posix()
        try:
            pixels = _numbers(layer.file)
            if size is not None and pixels.shape != size:
                raise ValueError("has another size than the other masks of its image")
            size = pixels.shape[0], pixels.shape[1]
            objects += _objects(pixels, layer.label, names)
        except (FormatError, ValueError) as error:
            builder.skip_object(where, error)
    if size is None:
        builder.skip(image, "none of its masks can be read")
        return
    builder.add_image(image, (size[1], size[0]), objects)


def _numbers(file: Path) -> NDArray[Any]:
    """(H, W), 0 for what is no object; every colour of a coloured PNG is a number of its own, black is none."""
    pixels = read_png(file, may_be_coloured=True)
    if pixels.ndim == 3:
        wide = pixels.astype(np.int64)
        packed: NDArray[np.int64] = wide[..., 0] + (wide[..., 1] << 8) + (wide[..., 2] << 16)
        return packed
    return pixels.astype(np.uint8) if pixels.dtype == np.bool_ else pixels


def _objects(pixels: NDArray[Any], label: str, names: dict[int, str]) -> Iterator[Described]:
    if label or not names:
        yield from (Described(label or _OBJECT, parts) for parts in objects_to_polygons(pixels).values())
        return
    values = [value for value in np.unique(pixels).tolist() if value]
    unknown = [value for value in values if value not in names]
    if unknown:
        raise ValueError(f"has the number {unknown[0]}, and {_TABLE} only {max(names, default=-1) + 1} classes")
    for value in values:
        count, marked = cv2.connectedComponents((pixels == value).view(np.uint8), connectivity=8)
        for number in range(1, count):
            yield Described(names[value], mask_to_polygons(marked == number, min_iou=None))


def _has_png(folder: Path) -> bool:
    return folder.is_dir() and next(folder.rglob("*.png"), None) is not None


def _only_image(folder: Path) -> str | None:
    names = list(_images(folder))
    return names[0] if len(names) == 1 else None


def _images(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for file in sorted(folder.rglob("*")):
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file():
                yield file.relative_to(folder).as_posix()
