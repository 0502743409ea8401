"""COCO as folders: `_annotations.coco.json` beside the images, `annotations/instances_*.json`, a split's parts."""

from collections.abc import Sequence
from pathlib import Path

from maskwright.errors import FormatError
from maskwright.formats.coco.options import CocoExportOptions, CocoExportReport, CocoSource
from maskwright.formats.coco.reader import read_coco
from maskwright.formats.coco.writer import export_coco
from maskwright.formats.data_set import DataSet
from maskwright.formats.joining import joined_sets
from maskwright.regular_files import open_regular

BESIDE = "_annotations.coco.json"
_HEAD_BYTES = 4096
_KEYS = (b'"images"', b'"annotations"', b'"categories"', b'"info"', b'"licenses"')


def write_coco_folder(source: CocoSource, path: Path, options: CocoExportOptions) -> CocoExportReport:
    """Write `_annotations.coco.json` to the folder `path`, beside the images. Raises FormatError as `export_coco`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FormatError(f"cannot create the folder: {error.strerror or error}", path=path) from error
    return export_coco(source, path / BESIDE, options)


def read_coco_folder(path: Path) -> DataSet:
    """All COCO files of a folder as one set. Raises FormatError if there is none or one is damaged.

    Image names are relative to the folder: if a file's images lie in a subfolder, beside the file or in a folder named
    after the split, that folder is prepended.
    """
    files = coco_files(path)
    path = path if path.is_dir() else path.parent
    if not files:
        raise FormatError("no COCO file here", path=path)
    parts = []
    for file in files:
        data = read_coco(file)
        parts.append((_image_folder(file, path, data), data))
    return joined_sets(path, parts)


def coco_files(path: Path) -> Sequence[Path]:
    """The COCO files that make up the set in a folder, without those of other tasks on the same images."""
    if path.is_file() or not path.is_dir():
        return [path] if path.name == BESIDE else []
    beside = sorted({*path.glob(BESIDE), *path.glob(f"*/{BESIDE}")})
    instances = sorted({*path.glob("instances_*.json"), *path.glob("annotations/instances_*.json")})
    others = sorted({*path.glob("*.json"), *path.glob("annotations/*.json")})
    return beside or [each for each in (instances or others) if looks_like_coco(each)]


def looks_like_coco(file: Path) -> bool:
    """Whether a file starts as a JSON object with one of COCO's keys."""
    try:
        with open_regular(file) as opened:
            head = opened.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    return head.startswith(b"{") and any(key in head for key in _KEYS) and b'"segments_info"' not in head


def _image_folder(file: Path, root: Path, data: DataSet) -> str:
    """The folder below `root` with a file's images, if they are not where their names say."""
    part = file.stem.removeprefix("instances_")
    places = [root, file.parent, root / part, root / "images", root / "images" / part, file.parent / "images"]
    names = [image.file_name for image, _ in zip(data.images(), range(20), strict=False)]
    found = next((place for place in places if any((place / name).is_file() for name in names)), None)
    if found is None:
        found = file.parent if file.name == BESIDE else root
    folder = found.relative_to(root).as_posix()
    return "" if folder == "." else folder
