"""YOLO segmentation as Ultralytics reads it: `labels/NAME.txt` with one object a line, `data.yaml` with the classes.

A line is the class number (from 0) and the x, y of one ring as shares of the image's width and height. Holes are cut
open and parts joined by ways there and back, which fill no pixel. Eight decimals keep a hundredth of a pixel.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import orjson

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.errors import FormatError, ImageError
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.building import DataSetBuilder
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.data_set import DataSet
from maskwright.formats.selection import SideFiles, WriteReport, chosen
from maskwright.geometry.algebra import make_valid
from maskwright.geometry.keyhole import polygons_to_ring, ring_to_polygons
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_to_rle, rounded
from maskwright.images import IMAGE_SUFFIXES, probe_image

_YAML = "data.yaml"
_MOST_CLASSES = 100_000
_ENTRY = re.compile(r"^\s+(?:-|(\d+)\s*:)\s*(.+?)\s*$")


def write_yolo(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """`labels/` and `data.yaml` below the folder `path`; images belong into `images/` in the same sub-folders."""
    categories = list(source.categories())
    number = {category.id: i for i, category in enumerate(categories)}
    files = SideFiles(path / "labels", ".txt")
    images = instances = 0
    for image, taken in chosen(source, options):
        lines = [_line(instance, image, number[instance.category_id]) for instance in taken]
        with atomic_writer(files.path_for(image.file_name)) as file:
            file.write("".join(lines).encode())
        images, instances = images + 1, instances + len(taken)
    path.mkdir(parents=True, exist_ok=True)
    write_yaml(path, categories, {"train": "images", "val": "images"})
    return WriteReport(
        path, images, instances, ("class ids", "scores", "crowd flags", "holes and parts become bridges")
    )


def write_yaml(folder: Path, categories: Sequence[Category], places: Mapping[str, str]) -> None:
    """`data.yaml`: where the images of each part are, and the classes.

    Without a `path`, so that places count from the file: Ultralytics takes `path: .` for the current folder of whoever
    trains.
    """
    parts = "".join(f"{part}: {place}\n" for part, place in places.items())
    names = "".join(f"  {i}: {orjson.dumps(category.name).decode()}\n" for i, category in enumerate(categories))
    with atomic_writer(folder / _YAML) as file:
        file.write(f"{parts}names:\n{names}".encode())


def write_yolo_parts(source: CocoSource, folder: Path, names: Sequence[str]) -> None:
    """One `data.yaml` for the sets in sub-folders; Ultralytics asks for `train` and `val`, whatever there is."""
    places = {name: f"{name}/images" for name in names}
    first = places[names[0]]
    write_yaml(folder, list(source.categories()), {"train": first, "val": first, **places})


def read_yolo(path: Path, sizes: Mapping[str, tuple[int, int]] | None = None) -> DataSet:
    """The folder with `data.yaml`, or that file. Raises FormatError where there are no labels.

    Sizes come from `sizes` by image name, else from the images in `images/`; labels whose image is not there are
    listed as problems.
    """
    root = path if path.is_dir() else path.parent
    labels = root / "labels"
    if not labels.is_dir():
        raise FormatError("there is no folder `labels` here", path=root)
    names = _class_names(path if path.is_file() else root / _YAML)
    builder = DataSetBuilder(path, names)
    known = {PurePosixPath(name).with_suffix(".txt"): name for name in sizes or ()}
    for file in sorted(labels.rglob("*.txt")):
        where = file.relative_to(root).as_posix()
        name = known.get(PurePosixPath(file.relative_to(labels).as_posix())) or _image_of(file, root)
        if name is None:
            builder.skip(where, "its image is not in `images`")
            continue
        try:
            size_wh = sizes[name] if sizes and name in sizes else probe_image(root / "images" / name).size_wh
            text = file.read_text("utf-8")
        except (ImageError, OSError, UnicodeDecodeError) as error:
            builder.skip(where, error)
            continue
        objects = []
        for i, line in enumerate(text.splitlines(), start=1):
            try:
                objects += [_parsed_line(line, names, size_wh)] if line.strip() else []
            except ValueError as error:
                builder.skip(f"{where} line {i}", error)
        builder.add_image(name, size_wh, objects)
    return builder.finished()


def _line(instance: Instance, image: ImageRecord, number: int) -> str:
    size_wh = (image.width, image.height)
    ring = polygons_to_ring(instance.polygons)
    if polygons_to_rle((Polygon(ring),), size_wh) != polygons_to_rle(instance.polygons, size_wh):
        ring = polygons_to_ring(make_valid(instance.polygons))  # parts that overlap would cancel each other
    ring = rounded(ring) / size_wh
    return f"{number} " + " ".join(f"{value:.8g}" for value in ring.ravel().tolist()) + "\n"


def _parsed_line(line: str, names: list[str], size_wh: tuple[int, int]) -> tuple[str, tuple[Polygon, ...]]:
    values = np.array(line.split(), np.float64)
    number = int(values[0]) if len(values) and 0 <= values[0] < len(names) else -1
    if number < 0 or number != values[0]:
        raise ValueError(f"expected a class number below {len(names)}, got {line.split()[:1]}")
    coordinates = values[1:]
    if not np.isfinite(coordinates).all() or len(coordinates) % 2 or len(coordinates) < 4:
        raise ValueError(f"expected pairs of coordinates, got {len(coordinates)} numbers")
    if np.abs(coordinates).max() > 10:
        raise ValueError("expected coordinates as shares of the image's size")
    if len(coordinates) == 4:  # a box: centre and size
        x, y, w, h = coordinates
        coordinates = np.array([x - w / 2, y - h / 2, x + w / 2, y - h / 2, x + w / 2, y + h / 2, x - w / 2, y + h / 2])
    ring = np.round(coordinates.reshape(-1, 2) * size_wh, 2)
    return names[number], ring_to_polygons(Polygon.of(ring).exterior)


def _image_of(label: Path, root: Path) -> str | None:
    """Its name below `images/`."""
    place = root / "images" / label.relative_to(root / "labels")
    found = sorted(place.parent.glob(f"{_escaped(place.stem)}.*"))
    file = next((file for file in found if file.suffix.lower() in IMAGE_SUFFIXES), None)
    return file.relative_to(root / "images").as_posix() if file is not None else None


def _escaped(stem: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", stem)


def _class_names(file: Path) -> list[str]:
    """The `names` of a data.yaml, as a list or numbered; no more of YAML than these files use."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"the class names cannot be read: {error}", path=file) from error
    start = next((i for i, line in enumerate(lines) if line.startswith("names:")), None)
    if start is None:
        raise FormatError("there is no line `names:`", path=file)
    inline = lines[start].removeprefix("names:").split(" #")[0].strip()
    if inline:
        return [_unquoted(name) for name in inline.strip("[]").split(",") if name.strip()]
    names: dict[int, str] = {}
    for line in lines[start + 1 :]:
        entry = _ENTRY.match(line) or re.match(r"^(?:-)()\s+(.+?)\s*$", line)
        if entry is None:
            break
        number = int(entry.group(1)[:9]) if entry.group(1) else len(names)
        if number > _MOST_CLASSES:  # a table up to there would fill the memory
            raise FormatError(f"expected class numbers up to {_MOST_CLASSES}, got {entry.group(1)}", path=file)
        names[number] = _unquoted(entry.group(2))
    return [names.get(i, f"class {i}") for i in range(max(names, default=-1) + 1)]


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(orjson.loads(text))
        except orjson.JSONDecodeError:
            return text[1:-1]
    return text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == text[-1] == "'" else text
