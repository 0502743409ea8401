"""Damage for the readers of all formats: what comes out must be a FormatError or a data set that can be written."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from coco_sources import varied_source
from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import FORMATS, Format

INTERESTING = [
    b"", b"0", b"-1", b"1e308", b"NaN", b"Infinity", b"null", b"true", b'"', b"[", b"]", b"{", b"}", b",",
    b"[[[[[[[[[[", b"99999999999999999999", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b'"\\ud800"', b"../../x",
    b"1000000000", b"\n", b"-0.0",
]  # fmt: skip


def written_sets(folder: Path) -> Iterator[tuple[Format, Path]]:
    """A small set in every format, images beside YOLO's labels."""
    for kind in FORMATS:
        path = folder / (kind.name + kind.suffix)
        kind.write(varied_source(), path, CocoExportOptions())
        if kind.name.startswith("yolo"):
            for image in varied_source().images():
                file = path / "images" / image.file_name
                file.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(file), np.zeros((image.height, image.width), np.uint8))
        yield kind, path


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four cuts, insertions, doublings or overwritten bytes."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.choice([0, 1, 1, 2, 5, 40, 400]))
        new = chance.choice([*INTERESTING, bytes([chance.randrange(256)]), data[at:to] * 2])
        data = data[:at] + new + data[to:]
    return data


def neutral_change(suffix: str, data: bytes, chance: random.Random) -> bytes | None:
    """A change after which a file means the same; None where there is none for files of this kind."""
    match suffix:
        case ".json" | ".geojson":
            value = json.loads(data)
            return json.dumps(value, indent=chance.choice([None, 1, 4]), ensure_ascii=chance.random() < 0.5).encode()
        case ".xml":
            return data.rstrip() + b"\n" * chance.randrange(3) + b"<!-- a comment -->"
        case ".txt":
            return b"".join(line + chance.choice([b"\n", b"\r\n"]) for line in data.splitlines())
    return None


def survives(read: Callable[[], DataSet], scratch: Path) -> bool:
    """Whether the reader gave a data set (written again as COCO) rather than a FormatError; anything else is raised."""
    try:
        data = read()
    except FormatError:
        return False
    export_coco(data, scratch / "again.json")
    return True
