"""The search field of the image list."""

import pytest
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot

from maskwright.document.values import Category, InstanceState
from maskwright_gui.app import Workbench
from maskwright_gui.panels.image_query import parse_search

CLASSES = (Category(1, "car"), Category(2, "cart"), Category(3, "potted plant"))


def test_plain_words_are_a_file_name() -> None:
    assert parse_search("street 07", CLASSES) == ("street 07", None)


@pytest.mark.parametrize(
    ("text", "ids"),
    [("class:car", (1, 2)), ('class:"potted plant"', (3,)), ("class:dog", ()), ("class:cart class:plant", (2, 3))],
    ids=["part", "quoted", "unknown", "several"],
)
def test_classes_by_name(text: str, ids: tuple[int, ...]) -> None:
    name, search = parse_search(text, CLASSES)
    assert (name, search.category_ids) == ("", ids)


def test_conditions_are_of_one_object() -> None:
    name, search = parse_search("dusk is:prop score>0.3 score<0.6 model:yolact", CLASSES)
    assert name == "dusk"
    assert search.states == (InstanceState.PROPOSED,)
    assert (search.min_score, search.max_score, search.model_name) == (0.3, 0.6, "yolact")


def test_state_is_another_word_for_is() -> None:
    assert parse_search("state:edited", CLASSES) == parse_search("is:edited", CLASSES)


def test_what_was_rejected_is_found_only_when_asked_for() -> None:
    searches = [parse_search(text, CLASSES)[1] for text in ("class:car", "class:car is:rejected")]
    assert [InstanceState.REJECTED in search.states for search in searches] == [False, True]


def test_counts_stand_with_the_filters(qtbot: QtBot, opened: Workbench) -> None:
    opened.images.done()
    qtbot.waitUntil(lambda: filter_texts(opened)[:2] == ["All images (6)", "Not done (5)"])
    opened.window.images.search("00")
    opened.window.images.search("003")
    found = next(label for label in opened.window.images.findChildren(QLabel) if "of 6" in label.text())
    assert (found.isHidden(), found.text().split(".")[0]) == (False, "1 of 6 images")
    found.linkActivated.emit("all")
    assert (opened.rows.rowCount(), found.isHidden()) == (6, True)


def filter_texts(bench: Workbench) -> list[str]:
    combo = bench.window.images.findChild(QComboBox)
    return [combo.itemText(place) for place in range(combo.count())]


def test_unfinished_number_is_no_condition() -> None:
    assert parse_search("score<", CLASSES) == ("score<", None)
