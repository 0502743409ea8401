"""The stream with its shortcut reads what the plain reader reads, and refuses what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from maskwright.document.values import Instance
from maskwright.errors import FormatError
from maskwright.formats import json_stream
from maskwright.formats.coco import export_coco, read_coco
from maskwright.formats.coco.parse import polygon_instance_of
from maskwright.formats.coco.stream import CocoStream

COUNT = 30
TARGET = '"id": 20, "image_id": 2, "category_id": 1, "segmentation": [[2, 2, 6.5, 2, 6, 6]]'


def text_of() -> str:
    annotations = [
        {"id": i, "image_id": 1 + i // 15, "category_id": 1, "segmentation": [[2, 2, 6.5, 2, 6, 6]],
         "area": 8, "bbox": [2, 2, 4.5, 4], "iscrowd": 0}
        for i in range(1, COUNT + 1)
    ]  # fmt: skip
    images = [{"id": i, "file_name": f"{i}.png", "width": 20, "height": 10} for i in (1, 2, 3)]
    return json.dumps({"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cell"}]})


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "WHOLE_BYTES", 0)
    monkeypatch.setattr(json_stream, "WINDOW_BYTES", 700)


def streamed(path: Path) -> tuple[dict[int, Instance], int]:
    stream = CocoStream(path)
    found: dict[int, Instance] = {}
    for batch in stream.annotations():
        if not isinstance(batch, list):
            columns = zip(batch.ids, batch.category_ids, batch.records, strict=True)
            found |= {id_: polygon_instance_of(json.loads(text), category, id_) for id_, category, text in columns}
            continue
        for each in batch:
            if len(each) == 5:
                id_, _, category_id, _, record = each
                found[id_] = polygon_instance_of(json.loads(record), category_id, id_)
            else:
                found[each[1].id] = each[1]
    return found, sum(problem.effect == "skipped" for problem in stream.problems)


@pytest.mark.parametrize(
    "damage",
    [
        TARGET,
        TARGET.replace("6.5", "6.5e0"),
        TARGET.replace("6.5", "1000001"),
        TARGET.replace("6.5", "-1000001.5"),
        TARGET.replace("6.5", "-3"),
        TARGET.replace("6.5", "NaN"),
        TARGET.replace("6.5", "Infinity"),
        TARGET.replace("6.5", "null"),
        TARGET.replace(", 2, 6, 6", ", 2, 6"),
        TARGET.replace(", 2, 6, 6", ""),
        TARGET.replace("[[2", "[[[2]"),
        TARGET.replace("[[2, 2, 6.5, 2, 6, 6]]", "[]"),
        TARGET.replace("[[2, 2, 6.5, 2, 6, 6]]", '{"size": [10, 20], "counts": [5, 10, 185]}'),
        TARGET.replace("]]", "], [1, 1, 5, 1, 5, 5]]"),
        TARGET.replace("20,", "0,", 1),
        TARGET.replace("20,", "19,", 1),
        TARGET.replace("20,", "1,", 1),
        TARGET.replace('"image_id": 2', '"image_id": 9'),
        TARGET.replace('"image_id": 2', '"image_id": "2"'),
        TARGET.replace('"category_id": 1', '"category_id": 2'),
        TARGET + ', "score": 0.5',
        TARGET + ', "note": "}, {"',
        TARGET + ', "more": [{"a": 1}, {"b": 2}]',
    ],
)
def test_the_stream_agrees_with_the_plain_reader(tmp_path: Path, damage: str) -> None:
    (tmp_path / "in.json").write_text(text_of().replace(TARGET, damage))
    plain = read_coco(tmp_path / "in.json")
    expected = {each.id: each for image in plain.images() for each in plain.instances(image.id)}
    found, skipped = streamed(tmp_path / "in.json")
    assert {id_: each.polygons for id_, each in found.items()} == {id_: each.polygons for id_, each in expected.items()}
    assert skipped == sum(problem.effect == "skipped" for problem in plain.problems)


@pytest.mark.parametrize("damage", ["6..5", "06.5", "6.5,", "", "+6", "6.", ".5", "0x6", "6 5"], ids=repr)
def test_numbers_that_are_not_json_are_refused(tmp_path: Path, damage: str) -> None:
    (tmp_path / "in.json").write_text(text_of().replace(TARGET, TARGET.replace("6.5", damage)))
    with pytest.raises(FormatError, match="not valid JSON from byte"):
        streamed(tmp_path / "in.json")


@pytest.mark.parametrize("cut", [50, 300, 900, 2500], ids=str)
def test_files_that_break_off_are_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "in.json").write_text(text_of()[:-cut])
    with pytest.raises(FormatError):
        streamed(tmp_path / "in.json")


def test_annotations_in_no_order_are_remembered_so(tmp_path: Path) -> None:
    value: Any = json.loads(text_of())
    value["annotations"].reverse()
    (tmp_path / "in.json").write_text(json.dumps(value))
    stream = CocoStream(tmp_path / "in.json")
    list(stream.annotations())
    assert stream.settings["coco.order"]["annotations"] == list(range(COUNT, 0, -1))


def test_an_area_that_is_no_number_is_measured_anew(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(text_of().replace(f'{TARGET}, "area": 8', f'{TARGET}, "area": NaN'))
    source = read_coco(tmp_path / "in.json")
    assert any("recomputed" in problem.reason for problem in source.problems)
    export_coco(source, tmp_path / "out.json")
    (record,) = [each for each in json.loads((tmp_path / "out.json").read_text())["annotations"] if each["id"] == 20]
    assert record["area"] == 7.0
