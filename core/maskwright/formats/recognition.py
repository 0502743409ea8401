"""What a JSON file is, by the keys that stand near its ends: files are told apart before any is read."""

from collections.abc import Iterator
from pathlib import Path

from maskwright.regular_files import open_regular

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
