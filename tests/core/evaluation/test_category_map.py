"""Classes of a model meet those of a ground truth by name, else by id, else where each side has but one."""

from maskwright.evaluation.truth import category_map

CELL, DOG = {"id": 5, "name": "cell"}, {"id": 6, "name": "dog"}


def test_names_decide_whatever_the_ids() -> None:
    assert category_map([(6, "Cell"), (5, "cat")], [CELL, DOG])[0] == {6: 5}


def test_equal_ids_do_where_no_name_fits() -> None:
    assert category_map([(6, "hund"), (9, "katze")], [CELL, DOG])[0] == {6: 6}


def test_a_single_class_is_paired_with_a_single_class() -> None:
    found, notes = category_map([(1, "nucleus")], [CELL])
    assert found == {1: 5}
    assert notes == ("evaluated under another name: nucleus as cell",)


def test_a_single_class_is_not_paired_with_one_of_several() -> None:
    assert category_map([(1, "nucleus")], [CELL, DOG])[0] == {}
