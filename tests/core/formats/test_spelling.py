"""The same file spelled otherwise is the same data set, whatever wrote it: order of keys, blanks, a byte order mark."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from format_fuzzing import neutral_change, written_sets
from maskwright.formats.coco import export_coco
from maskwright.formats.registry import FORMATS, AnnotationFormat


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[AnnotationFormat, Path]]:
    return {kind.name: (kind, path) for kind, path in written_sets(tmp_path_factory.mktemp("sets"))}


def content(kind: AnnotationFormat, path: Path, scratch: Path) -> Any:
    data = kind.read(path)
    assert not [problem for problem in data.problems if problem.effect == "skipped"]
    export_coco(data, scratch)
    return json.loads(scratch.read_bytes())


@pytest.mark.parametrize("name", [kind.name for kind in FORMATS])
def test_another_spelling_is_the_same_data(
    sets: dict[str, tuple[AnnotationFormat, Path]], tmp_path: Path, name: str
) -> None:
    kind, path = sets[name]
    expected = content(kind, path, tmp_path / "a.json")
    chance = random.Random(name)
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    for file in files:
        changed = neutral_change(file.suffix, file.read_bytes(), chance)
        if changed is not None and "images" not in file.parts:
            file.write_bytes(changed)
    assert content(kind, path, tmp_path / "b.json") == expected


def test_a_byte_order_mark_is_no_part_of_a_file(sets: dict[str, tuple[AnnotationFormat, Path]], tmp_path: Path) -> None:
    for kind, path in sets.values():
        expected = content(kind, path, tmp_path / "a.json")
        files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
        for file in files:
            if file.suffix in (".json", ".jsonl", ".geojson", ".txt", ".yaml"):
                file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        assert content(kind, path, tmp_path / "b.json") == expected, kind.name
