"""The formats there are: one entry each; everything that lists, reads or writes formats looks here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions, CocoSource, export_coco, read_coco
from maskwright.formats.coco.verify import verified_coco
from maskwright.formats.cvat import read_cvat, write_cvat
from maskwright.formats.data_set import DataSet
from maskwright.formats.labelme import read_labelme, write_labelme
from maskwright.formats.png_masks import read_png_masks, write_png_masks
from maskwright.formats.selection import WriteReport
from maskwright.formats.verification import Read, compare_again
from maskwright.formats.voc import read_voc, write_voc
from maskwright.formats.yolo import read_yolo, write_yolo, write_yolo_parts
from maskwright.formats.yolo_layout import is_yolo

Write = Callable[[CocoSource, Path, CocoExportOptions], WriteReport]


@dataclass(frozen=True, slots=True)
class Format:
    """`name` is for the command line, `title` for people; a folder or a file is read and written."""

    name: str
    title: str
    is_folder: bool
    read: Callable[[Path], DataSet]
    write: Write
    recognises: Callable[[Path], bool]
    suffix: str = ""
    """Of the file, where it is one."""
    read_sized: Read | None = None
    """For files that do not hold the sizes of their images."""
    has_one_layer: bool = False
    """A pixel belongs to one object only."""
    join_parts: Callable[[CocoSource, Path, Sequence[str]], None] | None = None
    """What a folder of parts needs besides them."""

    def write_verified(self, source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
        """Write, read again, strictly, and compare each mask with the source. Raises FormatError as both do."""
        report = self.write(source, path, options)
        if self.name == "coco":
            return replace(report, verification=verified_coco(path, source, options, report.instance_count))
        read = self.read_sized if self.read_sized is not None else lambda path, _: self.read(path)
        result = compare_again(source, path, options, read=read, has_one_layer=self.has_one_layer)
        return replace(report, verification=result)


def _write_coco(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    report = export_coco(source, path, options)
    losses = (f"{len(report.left_out)} objects that cover no pixel",) if report.left_out else ()
    return WriteReport(report.path, report.image_count, report.instance_count, losses)


def _starts_with(path: Path, text: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return text in file.read(4096)
    except OSError:
        return False


def _has_labelme_file(path: Path) -> bool:
    files = path.rglob("*.json") if path.is_dir() else iter([path] if path.suffix == ".json" else [])
    return any(_starts_with(file, b'"shapes"') for file, _ in zip(files, range(20), strict=False))


FORMATS: tuple[Format, ...] = (
    Format("cvat", "CVAT for images 1.1", False, read_cvat, write_cvat, lambda path: path.suffix == ".xml", ".xml"),
    Format(
        "png", "PNG masks", True, read_png_masks, write_png_masks,
        lambda path: path.name == "classes.json" or (path / "classes.json").is_file(), has_one_layer=True,
    ),
    Format(
        "yolo", "YOLO segmentation (Ultralytics)", True, read_yolo, write_yolo,
        is_yolo, read_sized=read_yolo, join_parts=write_yolo_parts,
    ),
    Format(
        "voc", "Pascal VOC", True, read_voc, write_voc,
        lambda path: (path / "Annotations").is_dir(), has_one_layer=True,
    ),
    Format("labelme", "labelme", True, read_labelme, write_labelme, _has_labelme_file),
    Format("coco", "COCO", False, read_coco, _write_coco, lambda path: path.suffix == ".json", ".json"),
)  # fmt: skip
"""Asked in this order for what a path is; COCO last, since any JSON file may be one."""


def format_named(name: str) -> Format:
    """Raises FormatError, with the names there are, for another one."""
    found = next((known for known in FORMATS if known.name == name), None)
    if found is None:
        raise FormatError(f"there is no format {name!r}", hint="known: " + ", ".join(sorted(f.name for f in FORMATS)))
    return found


def recognised(path: Path) -> Format:
    """The format of a file or folder. Raises FormatError where it is none."""
    if not path.exists():
        raise FormatError("does not exist", path=path)
    found = next((known for known in FORMATS if known.recognises(path)), None)
    if found is None:
        titles = ", ".join(known.title for known in FORMATS)
        raise FormatError("this is none of the known formats", path=path, hint=f"known: {titles}")
    return found
