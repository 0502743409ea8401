"""Whatever a library or Python says of a foreign file is told in our words."""

import json
import re
import struct
import tarfile
import tomllib
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from defusedxml.ElementTree import fromstring

from maskwright.errors import FormatError, MaskwrightError
from maskwright.formats.registry import format_of
from maskwright.plain_words import in_plain_words

FOREIGN = re.compile(
    r"Traceback|Error\b|Exception|errno|Expecting|delimiter|not well-formed|mismatched tag|no element found|ParserError"
    r"|ScannerError|could not (find|convert|determine)|expected (<|',')|mapping values|found character|flow sequence"
    r"|while (scanning|parsing)|invalid literal|base 10|NoneType|object is not|object has no|unpack|codec|utf-8|0x"
    r"|broadcast|shape|site-packages|\.py\b|lib/|SELECT|sqlite|str_to|Invalid (key|value|statement)|line 1 column",
    re.IGNORECASE,
)
OURS = re.compile(r"not (text in )?UTF-8|the file as UTF-8")


def raised(work: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:  # which one a library raises is what is tried
        work()
    return caught.value


WORKS: dict[str, Callable[[], object]] = {
    "json": lambda: json.loads('{"images": [\n  1 2]}'),
    "json that breaks off": lambda: json.loads('{"images": ['),
    "xml": lambda: fromstring("<a>\n<b></a>"),
    "xml that breaks off": lambda: fromstring("<a>"),
    "xml with an entity": lambda: fromstring('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    "yaml": lambda: yaml.safe_load("names: [a, b\nnc: 2"),
    "yaml with a tab": lambda: yaml.safe_load("a:\n\t- b"),
    "yaml of control characters": lambda: yaml.safe_load("a: \x01"),
    "toml": lambda: tomllib.loads("a = \nb = 1"),
    "toml that breaks off": lambda: tomllib.loads('a = "'),
    "no number": lambda: float("wide"),
    "no whole number": lambda: int("1.5"),
    "nan as a whole number": lambda: int(float("nan")),
    "too few": lambda: (lambda a, b: a)(*iter(range(1))),  # type: ignore[call-arg]
    "unpacking": lambda: [a for a, b in [(1, 2, 3)]],
    "key": lambda: {}["bbox"],
    "index": lambda: [][3],
    "none": lambda: len(None),  # type: ignore[arg-type]
    "attribute": lambda: (5).items(),  # type: ignore[attr-defined]
    "not utf-8": lambda: b"\xff\xfe".decode("utf-8"),
    "zlib": lambda: zlib.decompress(b"nothing"),
    "tar": lambda: tarfile.open(fileobj=BytesIO(b"nothing" * 99)),  # noqa: SIM115  # it opens nothing
    "struct": lambda: struct.unpack("<II", b"1"),
    "array": lambda: np.zeros(3).reshape(2, 2),
    "missing file": lambda: Path("/nowhere/at/all").read_bytes(),
    "folder": lambda: Path("/").read_bytes(),
    "no server": lambda: (_ for _ in ()).throw(httpx.ConnectError("[Errno -2] Name or service not known")),
}


@pytest.mark.parametrize("name", WORKS)
def test_no_word_of_a_parser_reaches_the_user(name: str) -> None:
    told = in_plain_words(raised(WORKS[name]))
    assert told
    assert not FOREIGN.search(OURS.sub("", told)), told


def test_the_place_is_kept() -> None:
    assert "line 2, column 5" in in_plain_words(raised(WORKS["json"]))
    assert "line 2, column 6" in in_plain_words(raised(WORKS["xml"]))
    assert "truncated" in in_plain_words(raised(WORKS["json that breaks off"]))
    assert "truncated" in in_plain_words(raised(WORKS["xml that breaks off"]))


def test_what_the_program_says_itself_stays_as_it_is() -> None:
    assert in_plain_words(FormatError("expected a list under 'images', got null")).startswith("expected a list")
    assert in_plain_words(ValueError("its box has no area")) == "its box has no area"


BROKEN: dict[str, dict[str, bytes]] = {
    "COCO": {"a.json": b'{"images": [{"id": 1,}], "annotations": []}'},
    "COCO with nothing": {"a.json": b""},
    "COCO of other kinds": {"a.json": b'{"images": {"a": 1}, "annotations": null, "categories": 5}'},
    "COCO in Latin-1": {"a.json": b'{"images": [{"file_name": "\xe9.png"}], "annotations": []}'},
    "COCO with odd records": {
        "a.json": b'{"images": [1, null, {"id": 1, "file_name": 5}, {"id": 2, "file_name": "a.png", "width": "x"}],'
        b'"categories": [[], {"id": "a"}], "annotations": ["", {"id": 1, "image_id": 2, "segmentation": [[1, "a"]]}]}'
    },
    "labelme": {"a.json": b'{"shapes": [{"points": [[1, "b"]], "label": null}], "imagePath": 3'},
    "labelme of other kinds": {"a.json": b'{"version": "5", "shapes": [{"points": 3}, 7], "imagePath": "a.png"}'},
    "CVAT": {"annotations.xml": b"<annotations><image></annotations>"},
    "CVAT with odd numbers": {
        "annotations.xml": b'<annotations><image name="a.png" width="wide" height="3"><polygon points="1;2,x"/></image>'
        b'<image name="b.png" width="9" height="9"><polygon label="a" points="1;2,x"/></image></annotations>'
    },
    "VOC": {"Annotations/a.xml": b"<annotation><size>", "JPEGImages/a.jpg": b"x"},
    "VOC with odd numbers": {
        "Annotations/a.xml": b"<annotation><filename>a.jpg</filename><size><width>w</width><height/></size>"
        b"<object><name>a</name><bndbox><xmin>q</xmin></bndbox></object></annotation>",
        "JPEGImages/a.jpg": b"x",
    },
    "YOLO": {"data.yaml": b"names: [a, b\nnc: 2", "labels/a.txt": b"0 0.1 0.1 x 0.2", "images/a.png": b""},
    "YOLO with a tab": {"data.yaml": b"names:\n\t- a", "labels/a.txt": b"zero", "images/a.png": b""},
    "Label Studio": {"a.json": b'[{"data": {"image": 5}, "annotations": [{"result": [{"value": 3}]}]}]'},
    "QuPath": {"a.geojson": b'{"type": "FeatureCollection", "features": [{"geometry": {"coordinates": "x"}}]}'},
    "ISAT": {"a.json": b'{"info": {"description": "ISAT", "width": "a"}, "objects": [{"segmentation": 1}]}'},
    "Hugging Face": {"metadata.jsonl": b'{"file_name": "a.png", "objects": {"bbox": "x"}}\n{"file_name"'},
    "masks": {"a.png": b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\0\0\0\4\0\0\0\4broken"},
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_any_format_is_told_of_without_its_parsers_words(name: str, tmp_path: Path) -> None:
    for place, content in BROKEN[name].items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content)
    path = tmp_path / next(iter(BROKEN[name])) if len(BROKEN[name]) == 1 else tmp_path
    try:
        told = [f"{problem.where}: {problem.reason}" for problem in format_of(path).read(path).problems]
    except MaskwrightError as error:
        told = [error.reason]
    assert told
    for text in told:
        assert not FOREIGN.search(OURS.sub("", text)), text
