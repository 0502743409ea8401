"""YOLO data sets as people have them: every spelling of a class table, every layout, nothing read as another class."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from maskwright.document.values import ImageState, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.boxes import is_box
from maskwright.formats.data_set import DataSet
from maskwright.formats.registry import format_named, recognised

SQUARE = "0.25 0.2 0.5 0.2 0.5 0.4 0.25 0.4"
BOX = "0.5 0.5 0.5 0.2"


def image(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(place), np.zeros((30, 40), np.uint8))


def text(place: Path, content: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(content, "utf-8")


def data_set(folder: Path, table: str, lines: str = f"1 {SQUARE}\n") -> DataSet:
    text(folder / "data.yaml", table)
    text(folder / "labels" / "a.txt", lines)
    image(folder / "images" / "a.png")
    return format_named("yolo").read(folder)


def names(data: DataSet) -> list[str]:
    return [category.name for category in data.categories()]


def class_of_first(data: DataSet) -> str:
    return next(each.name for each in data.categories() if each.id == data.instances(1)[0].category_id)


@pytest.mark.parametrize(
    "table",
    [
        "names: {0: person, 1: traffic light}",
        "names: [person,\n  traffic\n  light]",
        "names:\n  # the classes\n  0: person\n\n  1: traffic light # of all colours\nnc: 2",
        "names:\n  '0': person\n  \"1\": 'traffic light'",
        "names:\n- person\n- traffic light",
        "nc: 2\nnames: &all ['person', \"traffic light\"]",
        "\ufeffnames: [person, traffic light]\r\n",
        "---\nnames: [person, traffic light]\n",
        "names: {1: traffic light, 0: person}",
    ],
    ids=repr,
)
def test_a_class_table_in_any_spelling_names_the_same_classes(tmp_path: Path, table: str) -> None:
    data = data_set(tmp_path, table)
    assert set(names(data)) == {"person", "traffic light"}
    assert class_of_first(data) == "traffic light"
    assert data.problems == ()


@pytest.mark.parametrize("name", ["no", "1.0", "a, b", "null ", "2024-01-01", "~x", "Straße", "ヒト", "a & b", "'x'"])
def test_a_class_keeps_the_name_that_is_written(tmp_path: Path, name: str) -> None:
    data = data_set(tmp_path, f'names: [first, "{name}"]')
    assert names(data) == ["first", name.strip()]


def test_plain_words_of_yaml_stay_words(tmp_path: Path) -> None:
    assert names(data_set(tmp_path, "names: [yes, no]")) == ["yes", "no"]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("names: [a, b]\nnc: 80", "`nc` says 80"),
        ("names: {0: a, 0: b}", "twice"),
        ("names: [a]\nnames: [b]", "twice"),
        ("names: [a, ]\n]", "YAML in line 2"),
        ("names: [a, null]", "no name"),
        ("names: [a, [b]]", "no name"),
        ("names: {x: a}", "integer"),
        ("names: a", "list or a numbered table"),
        ("train: images", "`names:` is missing"),
        ("- a", "expected a table"),
        ("names: " + "[" * 3000, "nested"),
        ("a: &a [x]\nnames: *b", "YAML"),
        ("names: !!python/object/apply:os.system [ls]", "list or a numbered table|no name"),
    ],
    ids=lambda value: value[:30],
)
def test_a_damaged_class_table_is_refused(tmp_path: Path, table: str, reason: str) -> None:
    if "!!python" in table:  # nodes are read, nothing is made of them
        assert names(data_set(tmp_path, table, "")) == ["ls"]
        return
    with pytest.raises(FormatError, match=reason):
        data_set(tmp_path, table)


def test_half_a_surrogate_pair_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="class 1 is not text"):
        data_set(tmp_path, 'names:\n  0: a\n  1: "\\ud800"\n')


def test_a_number_without_a_name_is_no_class(tmp_path: Path) -> None:
    data = data_set(tmp_path, "names: {0: a, 5: b}", f"5 {SQUARE}\n3 {SQUARE}\n")
    assert class_of_first(data) == "b"
    assert ["class 3 is not among the 2 class names" in str(each) for each in data.problems] == [True]


def test_two_numbers_of_one_name_stay_two_classes(tmp_path: Path) -> None:
    data = data_set(tmp_path, "names: [a, a]", f"0 {SQUARE}\n1 {SQUARE}\n")
    assert len({each.category_id for each in data.instances(1)}) == 2


def test_boxes_are_boxes_and_scores_make_proposals(tmp_path: Path) -> None:
    data = data_set(tmp_path, "names: [a, b]", f"0 {BOX}\n1 {BOX} 0.75\n0 {SQUARE} 0.5\n0 {SQUARE}\n")
    found = data.instances(1)
    assert [is_box(each) for each in found] == [True, True, False, False]
    assert [each.score for each in found] == [None, 0.75, 0.5, None]
    assert [each.state is InstanceState.PROPOSED for each in found] == [False, True, True, False]


def test_keypoints_are_not_taken_for_an_outline(tmp_path: Path) -> None:
    data = data_set(tmp_path, "names: [a]\nkpt_shape: [2, 3]", f"0 {BOX} 0.1 0.1 2 0.2 0.2 2\n")
    assert is_box(data.instances(1)[0])
    assert "keypoints" in str(data.problems[0])


def test_an_image_whose_objects_were_all_skipped_stays_open(tmp_path: Path) -> None:
    data = data_set(tmp_path, "names: [a]", f"7 {SQUARE}\n")
    assert [each.state for each in data.images()] == [ImageState.UNSEEN]
    assert "not marked as done" in str(data.problems[-1])


def test_parts_in_folders_of_their_own_are_one_set(tmp_path: Path) -> None:
    text(tmp_path / "data.yaml", "names: [a]\ntrain: ../train/images\nval: ../valid/images")
    for part in ("train", "valid"):
        text(tmp_path / part / "labels" / "x.txt", f"0 {SQUARE}")
        image(tmp_path / part / "images" / "x.png")
    data = format_named("yolo").read(tmp_path)
    assert [each.file_name for each in data.images()] == ["train/images/x.png", "valid/images/x.png"]


@pytest.mark.parametrize("table", ["classes.txt", "obj.names", "labels/classes.txt"])
def test_lists_of_names_are_class_tables(tmp_path: Path, table: str) -> None:
    text(tmp_path / table, "a\nb\n")
    folder = "labels" if "/" in table else "obj_train_data"
    text(tmp_path / folder / "x.txt", f"1 {BOX}")
    image(tmp_path / ("images" if "/" in table else folder) / "x.png")
    assert recognised(tmp_path).name == "yolo"
    data = format_named("yolo").read(tmp_path)
    assert class_of_first(data) == "b"
    assert data.problems == ()


def test_a_list_with_a_gap_is_refused(tmp_path: Path) -> None:
    text(tmp_path / "classes.txt", "a\n\nb\n")
    with pytest.raises(FormatError, match="line 2"):
        format_named("yolo").read(tmp_path)
