"""Damage for the readers of all formats: what comes out must be a FormatError or a data set that can be written."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from coco_sources import varied_source
from maskwright.errors import FormatError
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import FORMATS, AnnotationFormat

INTERESTING = [
    b"", b"0", b"-1", b"1e308", b"NaN", b"Infinity", b"null", b"true", b'"', b"[", b"]", b"{", b"}", b",",
    b"[[[[[[[[[[", b"99999999999999999999", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b'"\\ud800"', b"../../x",
    b"1000000000", b"\n", b"-0.0",
]  # fmt: skip


def written_sets(folder: Path) -> Iterator[tuple[AnnotationFormat, Path]]:
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
            value = _respelled(json.loads(data), chance)
            text = json.dumps(value, indent=chance.choice([None, 1, 4]), ensure_ascii=chance.random() < 0.5)
            return chance.choice([b"", b"\xef\xbb\xbf", b"\n \t"]) + text.encode() + chance.choice([b"", b"\n\n"])
        case ".jsonl":
            lines = [json.dumps(_respelled(json.loads(line), chance)) for line in data.splitlines() if line.strip()]
            return chance.choice(["\n", "\r\n", "\n\n"]).join(lines).encode() + b"\n"
        case ".xml":
            text = data.replace(b"><", chance.choice([b"><", b">\n<", b">\r\n\t<"]))
            return text.rstrip() + b"\n" * chance.randrange(3) + b"<!-- a comment -->"
        case ".yaml":
            lines = [line + chance.choice([b"", b"  # a comment", b" "]) for line in data.splitlines()]
            return chance.choice([b"\n", b"\r\n"]).join([b"# a comment", b"---", *lines, b""])
        case ".txt":
            lines = [line + chance.choice([b"\n", b"\r\n"]) for line in data.splitlines()]
            return chance.choice([b"", b"\xef\xbb\xbf"]) + b"".join(lines)
        case ".png":
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
            return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, chance.randrange(10)])[1].tobytes()
    return None


def _respelled(value: Any, chance: random.Random) -> Any:
    """The same JSON with the keys of its objects in another order; of file names the order is one of images."""
    if isinstance(value, dict):
        keys = list(value)
        if chance.random() < 0.3 and not any("." in key for key in keys):
            chance.shuffle(keys)
        return {key: _respelled(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [_respelled(each, chance) for each in value]
    return value


def survives(read: Callable[[], DataSet], scratch: Path) -> bool:
    """Whether the reader gave a data set (written again as COCO) rather than a FormatError; anything else is raised."""
    try:
        data = read()
    except FormatError:
        return False
    export_coco(data, scratch / "again.json")
    return True
