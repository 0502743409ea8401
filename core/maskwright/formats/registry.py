"""The table of formats, one entry each; everything that lists, reads or writes formats uses it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions, CocoSource, export_coco, read_coco
from maskwright.formats.coco.folder import BESIDE, coco_files, read_coco_folder, write_coco_folder
from maskwright.formats.coco.options import CocoExportReport
from maskwright.formats.coco.verify import verified_coco
from maskwright.formats.cvat import cvat_file, read_cvat, write_cvat
from maskwright.formats.data_set import DataSet
from maskwright.formats.image_folder import METADATA, read_image_folder, write_image_folder
from maskwright.formats.isat import read_isat, write_isat
from maskwright.formats.joining import joined_sets
from maskwright.formats.label_studio import read_label_studio, write_label_studio
from maskwright.formats.labelme import read_labelme, write_anylabeling, write_labelme
from maskwright.formats.mask_places import is_mask_folder
from maskwright.formats.panoptic import read_panoptic, write_panoptic
from maskwright.formats.png_masks import read_png_masks, write_png_masks
from maskwright.formats.qupath import SUFFIX, read_qupath, write_qupath
from maskwright.formats.selection import WriteReport
from maskwright.formats.verification import Held, ReadSet, Verification, compare_again
from maskwright.formats.voc import read_voc, write_voc
from maskwright.formats.voc_masks import is_voc
from maskwright.formats.yolo import (
    read_yolo,
    turned_box,
    upright_box,
    write_yolo,
    write_yolo_boxes,
    write_yolo_obb,
    write_yolo_parts,
)
from maskwright.formats.yolo_layout import is_yolo
from maskwright.regular_files import open_regular
from maskwright.words import count_of

_END_BYTES = 64 << 10
_MOST_FILES = 20


def is_labelme(path: Path) -> bool:
    """Whether a file, or a file in a folder, is labelme's."""
    return any(b'"shapes"' in ends for ends in _ends_of(path))


def is_anylabeling(path: Path) -> bool:
    """Whether it is X-AnyLabeling's."""
    found = (ends for ends in _ends_of(path) if b'"shapes"' in ends)
    return any(b'"checked"' in ends or b'"kie_linking"' in ends for ends in found)


def is_isat(path: Path) -> bool:
    """Whether it is ISAT's."""
    return any(b'"objects"' in ends and b'"ISAT' in ends for ends in _ends_of(path))


def is_label_studio(path: Path) -> bool:
    """Whether it is a list of tasks; COCO's results are lists, too, but have `image_id`."""
    if path.is_dir() or path.suffix != ".json":
        return False
    ends = _ends(path)
    is_list = ends.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    keys = (b'"data"', b'"annotations"', b'"predictions"', b'"annotation_id"', b'"annotator"', b'"drafts"')
    return is_list and b'"image_id"' not in ends and (any(key in ends for key in keys) or ends.strip() == b"[]")


def is_panoptic(path: Path) -> bool:
    """Whether it is COCO panoptic."""
    if path.is_dir():
        return any(path.glob("panoptic*.json")) or any(path.glob("annotations/panoptic*.json"))
    return path.suffix == ".json" and b'"segments_info"' in _ends(path)


def is_results(path: Path) -> bool:
    """Whether it is COCO's list of detections."""
    if path.is_dir() or path.suffix != ".json":
        return False
    ends = _ends(path)
    is_list = ends.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return is_list and b'"image_id"' in ends and b'"score"' in ends


def _ends_of(path: Path) -> Iterator[bytes]:
    files = path.rglob("*.json") if path.is_dir() else iter([path] if path.suffix == ".json" else [])
    return (_ends(file) for file, _ in zip(files, range(_MOST_FILES), strict=False))


def _ends(file: Path) -> bytes:
    """The beginning and end of a file; an embedded image may lie between."""
    try:
        with open_regular(file) as opened:
            head = opened.read(_END_BYTES)
            size = file.stat().st_size
            if size <= _END_BYTES:
                return head
            opened.seek(max(_END_BYTES, size - _END_BYTES))
            return head + opened.read()
    except OSError:
        return b""


Write = Callable[[CocoSource, Path, CocoExportOptions], WriteReport]


@dataclass(frozen=True, slots=True)
class AnnotationFormat:
    """One format. `name` is for the command line, `title` for the window; it reads and writes a folder or a file."""

    name: str
    title: str
    is_folder: bool
    read: Callable[[Path], DataSet]
    write: Write
    recognises: Callable[[Path], bool]
    suffix: str = ""
    """The file's suffix, if the format is a single file."""
    read_sized: ReadSet | None = None
    """For files that do not store the sizes of their images."""
    has_one_layer: bool = False
    """A pixel belongs to one object only."""
    held: Held | None = None
    """What the format stores of an object, if not its mask."""
    join_parts: Callable[[CocoSource, Path, Sequence[str]], None] | None = None
    """What a folder of parts needs besides them."""
    image_folder: str = "images"
    """Where readers look for images, relative to the folder or the file; empty: right there."""
    coco_name: str | None = None
    """The name of the COCO file in it, if it is COCO; empty if it is the file itself."""

    def write_verified(self, source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
        """Write, read again, strictly, and compare each mask with the source. Raises FormatError as both do."""
        report = self.write(source, path, options)
        if self.coco_name is not None:
            file = path / self.coco_name if self.coco_name else path
            return replace(report, verification=verified_coco(file, source, options, report.instance_count))
        if not report.image_count:  # readers refuse a folder without any content
            return replace(report, verification=Verification(0, 0))
        read = self.read_sized if self.read_sized is not None else lambda path, _: self.read(path)
        result = compare_again(source, path, options, read=read, has_one_layer=self.has_one_layer, held=self.held)
        return replace(report, verification=result)


def _write_coco(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    return _report(export_coco(source, path, options), path)


def _write_coco_folder(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    return _report(write_coco_folder(source, path, options), path)


def coco_losses(report: CocoExportReport) -> tuple[str, ...]:
    """What a COCO file leaves out of the source, in words."""
    empty, keypoints, crowds = len(report.left_out), report.lost_keypoints, report.crowd_polygons
    scores, ignores = report.lost_scores, report.lost_ignores
    return (
        *((f"{count_of(empty, 'object')} without a pixel inside the image",) if empty else ()),
        *((f"the keypoints of {count_of(keypoints, 'edited object')}",) if keypoints else ()),
        *((f"the run lengths of {count_of(crowds, 'crowd region')}, now polygons",) if crowds else ()),
        *((f"the scores of {count_of(scores, 'object')} (written with --provenance)",) if scores else ()),
        *((f"the `ignore` flag of {count_of(ignores, 'object')}",) if ignores else ()),
    )


def _report(report: CocoExportReport, path: Path) -> WriteReport:
    return WriteReport(path, report.image_count, report.instance_count, coco_losses(report))


def _is_of(path: Path, *, suffix: str = "", file: str = "") -> bool:
    """Whether a path is, or contains, a file of this suffix or name; folders of folders count."""
    if suffix:
        return path.suffix == suffix if path.is_file() else next(path.rglob(f"*{suffix}"), None) is not None
    return path.name == file or (path / file).is_file() or any(path.glob(f"*/{file}"))


def _is_png_set(path: Path) -> bool:
    return path.name == "classes.json" or (path / "classes.json").is_file() or is_mask_folder(path)


FORMATS: tuple[AnnotationFormat, ...] = (
    AnnotationFormat(
        "cvat", "CVAT for images 1.1", False, read_cvat, write_cvat, lambda path: cvat_file(path) is not None, ".xml",
    ),
    AnnotationFormat(
        "huggingface", "Hugging Face image folder", True, read_image_folder, write_image_folder,
        partial(_is_of, file=METADATA), image_folder="",
    ),
    AnnotationFormat(
        "png", "PNG masks", True, read_png_masks, write_png_masks, _is_png_set, has_one_layer=True,
        read_sized=read_png_masks,
    ),
    AnnotationFormat(
        "yolo", "YOLO segmentation (Ultralytics)", True, read_yolo, write_yolo, is_yolo, read_sized=read_yolo,
        join_parts=write_yolo_parts,
    ),
    AnnotationFormat(
        "yolo-box", "YOLO boxes", True, read_yolo, write_yolo_boxes, lambda path: False, read_sized=read_yolo,
        held=upright_box, join_parts=write_yolo_parts,
    ),
    AnnotationFormat(
        "yolo-obb", "YOLO rotated boxes (OBB)", True, read_yolo, write_yolo_obb, lambda path: False,
        read_sized=read_yolo, held=turned_box, join_parts=write_yolo_parts,
    ),
    AnnotationFormat(
        "voc", "Pascal VOC", True, read_voc, write_voc, is_voc, has_one_layer=True, image_folder="JPEGImages",
    ),
    AnnotationFormat(
        "qupath", "QuPath GeoJSON", True, read_qupath, write_qupath, partial(_is_of, suffix=SUFFIX),
        read_sized=read_qupath, image_folder="",
    ),
    AnnotationFormat("panoptic", "COCO panoptic", True, read_panoptic, write_panoptic, is_panoptic, has_one_layer=True),
    AnnotationFormat("isat", "ISAT", True, read_isat, write_isat, is_isat, image_folder=""),
    AnnotationFormat(
        "xanylabeling", "X-AnyLabeling", True, read_labelme, write_anylabeling, is_anylabeling, image_folder="",
    ),
    AnnotationFormat("labelme", "labelme", True, read_labelme, write_labelme, is_labelme, image_folder=""),
    AnnotationFormat(
        "labelstudio", "Label Studio", False, read_label_studio, write_label_studio, is_label_studio, ".json",
        read_sized=read_label_studio,
    ),
    AnnotationFormat(
        "coco-folder", f"COCO next to its images ({BESIDE})", True, read_coco_folder, _write_coco_folder,
        lambda path: bool(coco_files(path)), image_folder="", coco_name=BESIDE,
    ),
    AnnotationFormat(
        "coco", "COCO", False, read_coco, _write_coco, lambda path: path.suffix == ".json", ".json", coco_name="",
    ),
)  # fmt: skip
"""Tried in this order to recognise a path; COCO last, because any JSON file may be COCO."""


def format_named(name: str) -> AnnotationFormat:
    """The format of this name. Raises FormatError with the known names if there is none."""
    found = next((known for known in FORMATS if known.name == name), None)
    if found is None:
        raise FormatError(f"unknown format {name!r}", hint="known: " + ", ".join(sorted(f.name for f in FORMATS)))
    return found


def format_of(path: Path, name: str | None = None) -> AnnotationFormat:
    """The format to read a file or folder with: the named one, else the recognised one; the parts of a split count as
    one set.

    Raises FormatError as `format_named` and `recognised` do.
    """
    kind = recognised(path) if name is None else format_named(name)
    parts = [] if kind.recognises(path) else _parts(path, kind)
    return replace(kind, read=partial(_read_parts, kind, parts), read_sized=None) if parts else kind


def _parts(path: Path, kind: AnnotationFormat) -> list[Path]:
    """Subfolders that are sets of the format."""
    if not path.is_dir() or not kind.is_folder:
        return []
    return [folder for folder in sorted(path.iterdir()) if folder.is_dir() and kind.recognises(folder)]


def _read_parts(kind: AnnotationFormat, parts: Sequence[Path], path: Path) -> DataSet:
    """Image names are relative to `path`, also if the images lie in a folder of each part."""
    named = [f"{part.name}/{kind.image_folder}" if (part / kind.image_folder).is_dir() else part.name for part in parts]
    return joined_sets(path, [(name.rstrip("/"), kind.read(part)) for name, part in zip(named, parts, strict=True)])


def recognised(path: Path) -> AnnotationFormat:
    """The format of a file or folder. Raises FormatError if it is none."""
    if not path.exists():
        raise FormatError("does not exist", path=path)
    found = next((known for known in FORMATS if known.recognises(path)), None)
    found = found or next((known for known in FORMATS if _parts(path, known)), None)
    if found is None:
        titles = ", ".join(known.title for known in FORMATS)
        raise FormatError("not a known format", path=path, hint=f"known: {titles}")
    return found
