"""Folders of plain masks: one file per object, or one per image with a number or a colour per object.

Known layouts: `IMAGE/masks/*.png` beside `IMAGE/images/*` (the Data Science Bowl's); `masks/` with a file per image
whose pictures are in `images/`, or a folder per class with a file per image; `a_mask.png` beside `a.jpg`; a folder of
nothing but masks. Masks are PNGs or TIFFs. Numbers are objects, unless there is a class table (`classes.txt`) and no
folders of classes: then they are classes, and each connected region is an object."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import TiffImageFile

from maskwright.errors import FormatError, ImageError, MaskwrightError
from maskwright.formats.building import DataSetBuilder, ParsedObject
from maskwright.formats.class_table import names_of_lines
from maskwright.formats.data_set import DataSet
from maskwright.formats.naming import matched_names
from maskwright.formats.png_masks import objects_to_polygons, read_png
from maskwright.geometry.convert import mask_to_polygons
from maskwright.images import IMAGE_SUFFIXES, probe_image
from maskwright.images.border import decoding
from maskwright.regular_files import read_regular

_MASKS, _IMAGES = "masks", "images"
TABLES = ("classes.txt", "labels.txt")
_TIFF = (".tif", ".tiff")
_SUFFIXES = (".png", *_TIFF)
_ENDING = re.compile(r"[_-](?:cp_|instance_)?(?:masks?|labels?|instances?|seg|gt)$", re.IGNORECASE)
_BESIDE = (*TABLES, "readme.txt", "readme.md", "license", "license.txt")
_TRIED = 3
_PLAIN = 0.9
"""Fraction of pixels that equal their neighbour; nearly all photographs have less, even without noise."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One mask of an image; `label` is empty unless it lies in a folder named after a class."""

    file: Path
    label: str


def is_mask_folder(path: Path) -> bool:
    """Whether a folder has one of the layouts; files are opened only if their names do not decide."""
    if not path.is_dir():
        return False
    if next(_masks_below(path / _MASKS), None) or any(map(_has_mask, path.glob(f"*/{_MASKS}"))):
        return True
    return bool(_ending_so(path)) or _is_all_masks(path)


def layers_by_image(path: Path, known: Iterable[str] = ()) -> dict[str, list[Layer]]:
    """{image: its masks}. `known`: names of images that may lie elsewhere.

    Names are relative to `images/` if it exists, else to `path`. An image without a file gets the name of its mask.
    """
    found: dict[str, list[Layer]] = {}
    for folder in sorted(path.glob(f"*/{_MASKS}")):
        image = _only_image(folder.parent / _IMAGES) or folder.parent.name
        name = (folder.parent / _IMAGES / image).relative_to(path).as_posix()
        found.setdefault(name, []).extend(Layer(file, "") for file in _masks_below(folder))
    root = path / _MASKS
    if root.is_dir():
        masks = list(_masks_below(root))
    elif found:
        return found
    else:
        root, masks = path, _ending_so(path) or list(_masks_below(path))
    own = {file.relative_to(path).as_posix() for file in masks}
    images = _by_stem([*_images(path / _IMAGES), *(name for name in (*_images(path), *known) if name not in own)])
    for file in masks:
        name, label = _image_of(file.relative_to(root), images)
        found.setdefault(name, []).append(Layer(file, label))
    return found


def read_mask(file: Path) -> NDArray[Any]:
    """(H, W) numbers or (H, W, 3) RGB of a PNG or of the first page of a TIFF. Raises FormatError for other images."""
    if file.suffix.lower() not in _TIFF:
        return read_png(file, may_be_coloured=True)
    explain = partial("the TIFF mask is damaged: {}".format)
    try:
        probe_image(file)
        with decoding(file, explain, FormatError), TiffImageFile(BytesIO(read_regular(file))) as opened:
            pixels = np.asarray(opened)
    except ImageError as error:
        raise FormatError(f"the TIFF mask is damaged: {error.reason}", path=file) from error
    if pixels.ndim not in (2, 3) or (pixels.dtype.kind == "f" and not np.equal(pixels, pixels.round()).all()):
        raise FormatError("expected an integer mask", path=file)
    return pixels[..., :3] if pixels.ndim == 3 else pixels.astype(np.int64)


def _image_of(mask: Path, images: dict[str, str]) -> tuple[str, str]:
    """The image of a mask and its class, from the names of the mask and its folder."""
    place = mask.with_suffix("")
    plain = place.with_name(_ENDING.sub("", place.name))
    below = [PurePosixPath(*each.parts[1:]).as_posix() for each in (place, plain) if len(each.parts) > 1]
    candidates = [(place.as_posix(), ""), (plain.as_posix(), ""), *((name, place.parts[0]) for name in below)]
    for stem, label in candidates:
        if stem in images:
            return images[stem], label
    for stem, label in candidates:
        if name := matched_names([stem], images.keys()).get(stem):
            return images[name], label
    stem, label = candidates[2] if below else candidates[1]
    return f"{stem}.png", label


def _by_stem(names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(PurePosixPath(name).with_suffix("").as_posix(), name)
    return found


def _ending_so(path: Path) -> list[Path]:
    """Masks called `a_mask.png` of images beside them."""
    files = [file for file in sorted(path.glob("*")) if file.suffix.lower() in IMAGE_SUFFIXES]
    stems = {file.stem for file in files}
    masks = (file for file in files if file.suffix.lower() in _SUFFIXES and _ENDING.search(file.stem))
    return [file for file in masks if _ENDING.sub("", file.stem) in stems]


def _is_all_masks(path: Path) -> bool:
    """Whether the folder contains only files that look like masks, a class table and text files."""
    masks: list[Path] = []
    for file in path.rglob("*"):
        if file.is_file() and not file.name.startswith("."):
            if file.suffix.lower() not in _SUFFIXES and file.name.lower() not in _BESIDE:
                return False
            masks += [file] if file.suffix.lower() in _SUFFIXES else []
    return bool(masks) and all(map(_looks_like_mask, sorted(masks)[:_TRIED]))


def _looks_like_mask(file: Path) -> bool:
    try:
        pixels = read_mask(file)
    except MaskwrightError:
        return False
    if pixels.ndim == 3:
        pixels = pixels.astype(np.int64) @ (1, 256, 65536)
    return pixels.size > 0 and bool((pixels[:, 1:] == pixels[:, :-1]).mean() > _PLAIN) and bool((pixels == 0).any())


def _has_mask(folder: Path) -> bool:
    return next(_masks_below(folder), None) is not None


def _masks_below(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (file for file in sorted(folder.rglob("*")) if file.suffix.lower() in _SUFFIXES and file.is_file())


def _only_image(folder: Path) -> str | None:
    names = list(_images(folder))
    return names[0] if len(names) == 1 else None


def _images(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for file in sorted(folder.rglob("*")):
            if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file():
                yield file.relative_to(folder).as_posix()


_OBJECT = "object"


def read_mask_folder(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """Read the masks. `sizes`: images that may lie elsewhere, by name. Raises FormatError if there are no masks."""
    table = next((path / name for name in TABLES if (path / name).is_file()), None)
    names = names_of_lines(table) if table is not None else {}
    builder = DataSetBuilder(path, names.values())
    layers = layers_by_image(path, sizes or ())
    if not layers:
        raise FormatError("no masks here", path=path)
    for image, found in sorted(layers.items()):
        _add(image, found, path, names, builder)
    return builder.finished()


def _add(image: str, layers: list[Layer], path: Path, names: dict[int, str], builder: DataSetBuilder) -> None:
    objects: list[ParsedObject] = []
    size: tuple[int, int] | None = None
    for layer in layers:
        where = layer.file.relative_to(path).as_posix()
        try:
            pixels = _numbers(layer.file)
            if size is not None and pixels.shape != size:
                raise ValueError("its size differs from the other masks of the image")
            size = pixels.shape[0], pixels.shape[1]
            objects += _objects(pixels, layer.label, names)
        except (FormatError, ValueError) as error:
            builder.skip_object(where, error)
    if size is None:
        builder.skip(image, "none of its masks can be read")
        return
    builder.add_image(image, (size[1], size[0]), objects)


def _numbers(file: Path) -> NDArray[Any]:
    """(H, W), 0 for background; each colour of a coloured PNG is a number of its own, black is background."""
    pixels = read_mask(file)
    if pixels.ndim == 3:
        wide = pixels.astype(np.int64)
        packed: NDArray[np.int64] = wide[..., 0] + (wide[..., 1] << 8) + (wide[..., 2] << 16)
        return packed
    return pixels.astype(np.uint8) if pixels.dtype == np.bool_ else pixels


def _objects(pixels: NDArray[Any], label: str, names: dict[int, str]) -> Iterator[ParsedObject]:
    if label or not names:
        yield from (ParsedObject(label or _OBJECT, parts) for parts in objects_to_polygons(pixels).values())
        return
    values = [value for value in np.unique(pixels).tolist() if value]
    unknown = [value for value in values if value not in names]
    if unknown:
        raise ValueError(
            f"contains class {unknown[0]}, but the class table has only {max(names, default=-1) + 1} classes"
        )
    for value in values:
        count, marked = cv2.connectedComponents((pixels == value).view(np.uint8), connectivity=8)
        for number in range(1, count):
            yield ParsedObject(names[value], mask_to_polygons(marked == number, min_iou=None))
