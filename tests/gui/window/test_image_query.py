"""The search field of the image list."""

import pytest

from maskwright.document.values import Category, InstanceState
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


def test_unfinished_number_is_no_condition() -> None:
    assert parse_search("score<", CLASSES) == ("score<", None)
