"""Folders of plain masks: one file per object, or one per image with a number or a colour per object.

Numbers are objects; where a class table (`classes.txt`) is there and no folders of classes are, they are classes, and
what hangs together is an object.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.errors import FormatError
from maskwright.formats.building import DataSetBuilder, Described
from maskwright.formats.class_table import names_of_lines
from maskwright.formats.data_set import DataSet
from maskwright.formats.mask_places import TABLES, Layer, layers_by_image, read_mask
from maskwright.formats.png_masks import objects_to_polygons
from maskwright.geometry.convert import mask_to_polygons

_OBJECT = "object"


def read_mask_folder(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """`sizes`: images that may lie elsewhere, by name. Raises FormatError where there are no masks."""
    table = next((path / name for name in TABLES if (path / name).is_file()), None)
    names = names_of_lines(table) if table is not None else {}
    builder = DataSetBuilder(path, names.values())
    layers = layers_by_image(path, sizes or ())
    if not layers:
        raise FormatError("there are no masks here", path=path)
    for image, found in sorted(layers.items()):
        _add(image, found, path, names, builder)
    return builder.finished()


def _add(image: str, layers: list[Layer], path: Path, names: dict[int, str], builder: DataSetBuilder) -> None:
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
    pixels = read_mask(file)
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
        raise ValueError(f"has the number {unknown[0]}, and the class table only {max(names, default=-1) + 1} classes")
    for value in values:
        count, marked = cv2.connectedComponents((pixels == value).view(np.uint8), connectivity=8)
        for number in range(1, count):
            yield Described(names[value], mask_to_polygons(marked == number, min_iou=None))
