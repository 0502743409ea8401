import pytest

from maskwright.document.class_listing import class_keys, class_keys_from_json, with_key
from maskwright.document.values import Category


def classes(*ids: int) -> list[Category]:
    return [Category(id_, f"class {id_}") for id_ in ids]


def test_the_first_nine_classes_have_the_digits_in_order() -> None:
    assert class_keys(classes(*range(1, 81)), {}) == {digit: digit for digit in range(1, 10)}
    assert class_keys(classes(4, 7), {}) == {1: 4, 2: 7}


def test_a_class_gets_the_key_that_it_is_given_and_all_others_keep_theirs() -> None:
    keys = with_key(class_keys(classes(*range(1, 81)), {}), 62, 3)
    assert class_keys(classes(*range(1, 81)), keys) == {1: 1, 2: 2, 3: 62, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9}


def test_two_classes_with_keys_change_places() -> None:
    assert with_key({1: 10, 2: 20, 3: 30}, 30, 1) == {1: 30, 2: 20, 3: 10}


def test_the_key_of_a_class_that_is_gone_falls_to_the_next_one() -> None:
    assert class_keys(classes(1, 2, 4, 5), {1: 3, 2: 5}) == {1: 1, 2: 5, 3: 2, 4: 4}


@pytest.mark.parametrize("stored", [None, [], {"x": 1}, {"1": "a"}, {"1": None}, {"²": 1}], ids=str)
def test_what_is_no_table_of_keys_counts_as_none(stored: object) -> None:
    assert class_keys_from_json(stored) == {}
