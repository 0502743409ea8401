"""The formats there are: one entry each; everything that lists, reads or writes formats looks here."""

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
    return any(b'"shapes"' in ends for ends in _ends_of(path))


def is_anylabeling(path: Path) -> bool:
    found = (ends for ends in _ends_of(path) if b'"shapes"' in ends)
    return any(b'"checked"' in ends or b'"kie_linking"' in ends for ends in found)


def is_isat(path: Path) -> bool:
    return any(b'"objects"' in ends and b'"ISAT' in ends for ends in _ends_of(path))


def is_label_studio(path: Path) -> bool:
    """A list of tasks; COCO's results are lists, too, but speak of `image_id`."""
    if path.is_dir() or path.suffix != ".json":
        return False
    ends = _ends(path)
    is_list = ends.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    keys = (b'"data"', b'"annotations"', b'"predictions"', b'"annotation_id"', b'"annotator"', b'"drafts"')
    return is_list and b'"image_id"' not in ends and (any(key in ends for key in keys) or ends.strip() == b"[]")


def is_panoptic(path: Path) -> bool:
    if path.is_dir():
        return any(path.glob("panoptic*.json")) or any(path.glob("annotations/panoptic*.json"))
    return path.suffix == ".json" and b'"segments_info"' in _ends(path)


def is_results(path: Path) -> bool:
    """COCO's list of detections."""
    if path.is_dir() or path.suffix != ".json":
        return False
    ends = _ends(path)
    is_list = ends.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
    return is_list and b'"image_id"' in ends and b'"score"' in ends


def _ends_of(path: Path) -> Iterator[bytes]:
    files = path.rglob("*.json") if path.is_dir() else iter([path] if path.suffix == ".json" else [])
    return (_ends(file) for file, _ in zip(files, range(_MOST_FILES), strict=False))


def _ends(file: Path) -> bytes:
    """The first and the last of a file: an image within may lie between."""
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
    """`name` is for the command line, `title` for people; a folder or a file is read and written."""

    name: str
    title: str
    is_folder: bool
    read: Callable[[Path], DataSet]
    write: Write
    recognises: Callable[[Path], bool]
    suffix: str = ""
    """Of the file, where it is one."""
    read_sized: ReadSet | None = None
    """For files that do not hold the sizes of their images."""
    has_one_layer: bool = False
    """A pixel belongs to one object only."""
    held: Held | None = None
    """What it holds of an object, where that is not its mask."""
    join_parts: Callable[[CocoSource, Path, Sequence[str]], None] | None = None
    """What a folder of parts needs besides them."""
    image_folder: str = "images"
    """Where its readers look for the images, from a folder or from where a file lies; empty: right there."""
    coco_name: str | None = None
    """Of the COCO file in it, where it is COCO; empty where it is the file itself."""

    def write_verified(self, source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
        """Write, read again, strictly, and compare each mask with the source. Raises FormatError as both do."""
        report = self.write(source, path, options)
        if self.coco_name is not None:
            file = path / self.coco_name if self.coco_name else path
            return replace(report, verification=verified_coco(file, source, options, report.instance_count))
        if not report.image_count:  # readers refuse a folder that has nothing of theirs in it
            return replace(report, verification=Verification(0, 0))
        read = self.read_sized if self.read_sized is not None else lambda path, _: self.read(path)
        result = compare_again(source, path, options, read=read, has_one_layer=self.has_one_layer, held=self.held)
        return replace(report, verification=result)


def _write_coco(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    return _report(export_coco(source, path, options), path)


def _write_coco_folder(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    return _report(write_coco_folder(source, path, options), path)


def coco_losses(report: CocoExportReport) -> tuple[str, ...]:
    """What of the source is not in a COCO file, in words."""
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
    """Whether a path is, or holds, a file of this ending or this name; a folder of folders counts."""
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
"""Asked in this order for what a path is; COCO last, since any JSON file may be one."""


def format_named(name: str) -> AnnotationFormat:
    """Raises FormatError, with the names there are, for another one."""
    found = next((known for known in FORMATS if known.name == name), None)
    if found is None:
        raise FormatError(f"unknown format {name!r}", hint="known: " + ", ".join(sorted(f.name for f in FORMATS)))
    return found


def format_of(path: Path, name: str | None = None) -> AnnotationFormat:
    """What reads a file or folder: the format of this name, else the recognised one; the parts of a split as one set.

    Raises FormatError as `format_named` and `recognised` do.
    """
    kind = recognised(path) if name is None else format_named(name)
    parts = [] if kind.recognises(path) else _parts(path, kind)
    return replace(kind, read=partial(_read_parts, kind, parts), read_sized=None) if parts else kind


def _parts(path: Path, kind: AnnotationFormat) -> list[Path]:
    """Sub-folders that are sets of the format each."""
    if not path.is_dir() or not kind.is_folder:
        return []
    return [folder for folder in sorted(path.iterdir()) if folder.is_dir() and kind.recognises(folder)]


def _read_parts(kind: AnnotationFormat, parts: Sequence[Path], path: Path) -> DataSet:
    """Names of images count from `path`, also where the images lie in a folder of each part."""
    named = [f"{part.name}/{kind.image_folder}" if (part / kind.image_folder).is_dir() else part.name for part in parts]
    return joined_sets(path, [(name.rstrip("/"), kind.read(part)) for name, part in zip(named, parts, strict=True)])


def recognised(path: Path) -> AnnotationFormat:
    """The format of a file or folder. Raises FormatError where it is none."""
    if not path.exists():
        raise FormatError("does not exist", path=path)
    found = next((known for known in FORMATS if known.recognises(path)), None)
    found = found or next((known for known in FORMATS if _parts(path, known)), None)
    if found is None:
        titles = ", ".join(known.title for known in FORMATS)
        raise FormatError("not a known format", path=path, hint=f"known: {titles}")
    return found
