from itertools import combinations

import numpy as np
import pytest

from colour_vision import EYES, ciede2000, seen_as_lab
from maskwright.document.palette import category_colour, coloured, colours_apart, line_colour, stable_colour
from maskwright.document.values import Category

SEEN_APART = 6.5
"""CIEDE2000; about 1 is just noticeable side by side, 5 is another colour at a glance."""
NEVER_THE_SAME = 3.0


def closest(class_count: int, eye: str) -> tuple[float, int, int]:
    labs = seen_as_lab([stable_colour(id_) for id_ in range(1, class_count + 1)], eye)
    return min((ciede2000(labs[a], labs[b]), a + 1, b + 1) for a, b in combinations(range(class_count), 2))


@pytest.mark.parametrize("eye", EYES)
def test_the_first_twelve_classes_are_told_apart_by_all_eyes(eye: str) -> None:
    assert closest(12, eye) >= (SEEN_APART, 0, 0)


@pytest.mark.parametrize("eye", EYES)
def test_no_two_of_eighty_classes_look_the_same(eye: str) -> None:
    assert closest(80, eye) >= (NEVER_THE_SAME, 0, 0)


def test_all_colours_are_seen_on_dark_pictures() -> None:
    labs = seen_as_lab([stable_colour(id_) for id_ in range(1, 97)], "normal")
    assert labs[:, 0].min() > 45


def test_a_colour_of_ones_own_comes_before_the_stable_one() -> None:
    assert category_colour(Category(3, "cell", colour="#102030")) == (16, 32, 48)
    assert category_colour(Category(3, "cell")) == stable_colour(3)


@pytest.mark.parametrize("colour", [(0, 0, 0), (0, 0, 96), (200, 0, 0), (16, 16, 16)])
def test_a_line_is_light_enough_for_dark_pictures_whatever_colour_its_class_was_given(colour) -> None:
    assert seen_as_lab([line_colour(colour)], "normal")[0, 0] > 60


def test_a_line_of_a_light_colour_is_of_that_colour() -> None:
    assert line_colour((245, 230, 70)) == (245, 230, 70)


# pairs 1, 7, 17 and 19 of the test data published with the formula
@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ],
)
def test_the_distance_is_the_published_one(first, second, distance: float) -> None:
    assert ciede2000(np.array(first), np.array(second)) == pytest.approx(distance, abs=1e-4)


LIKE_ANOTHER = 8.0
"""CIEDE2000: less than that apart, as COCO's person and oven were, two are taken for one another on a photograph."""


def colours(*ids: int) -> list[tuple[int, int, int]]:
    categories = [Category(id_, str(id_)) for id_ in ids]
    return [category_colour(each) for each in coloured(categories, colours_apart(categories, {}))]


@pytest.mark.parametrize(
    "listed", [(1, 79), (1, 27, 44, 47, 51, 67, 81, 79), tuple(range(1, 90, 5))], ids=["two", "kitchen", "eighteen"]
)
def test_classes_that_are_listed_together_do_not_look_alike(listed: tuple[int, ...]) -> None:
    labs = seen_as_lab(colours(*listed), "normal")
    assert min(ciede2000(one, other) for one, other in combinations(labs, 2)) > LIKE_ANOTHER


def test_no_class_changes_its_colour_when_others_come_or_go() -> None:
    def decide(decided: dict[int, str], *ids: int) -> dict[int, str]:
        return colours_apart([Category(id_, str(id_)) for id_ in ids], decided)

    first = decide({}, 44, 79)
    more = decide(first, 1, 44, 67, 79)  # 1 looks like 79, which has been there before
    assert {id_: more[id_] for id_ in first} == first
    assert len(set(more.values())) == 4
    assert decide(decide(more, 1), 1, 44, 67, 79) == more


def test_a_colour_of_ones_own_is_never_changed_and_others_give_way() -> None:
    own = Category(90, "cell", colour="#56b4e9")
    both = [Category(1, "person"), own]
    first, second = coloured(both, colours_apart(both, {}))
    assert second == own
    assert category_colour(first) != stable_colour(1)


def test_the_order_of_the_list_says_nothing_about_the_colours() -> None:
    assert colours(1, 79, 44) == [colours(44, 1, 79)[place] for place in (1, 2, 0)]
