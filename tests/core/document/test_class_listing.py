"""A list of classes that grows leaves in place what a user knows by heart."""

import pytest

from maskwright.document.class_listing import ClassListing
from maskwright.document.values import Category


def classes(*ids: int) -> list[Category]:
    return [Category(id_, f"class {id_}") for id_ in ids]


def listed(listing: ClassListing, *ids: int) -> list[int]:
    return [each.id for each in listing.sorted(classes(*ids))]


def test_a_class_that_occurs_later_takes_no_digit_from_another() -> None:
    listing = ClassListing().settled(classes(1, 64, 72)).settled(classes(1, 23, 64, 72))
    assert listing.keys == {1: 1, 2: 64, 3: 72, 4: 23}
    assert listed(listing, 1, 23, 64, 72) == [1, 64, 72, 23]


def test_classes_are_reordered_among_those_that_are_out_of_sight() -> None:
    listing = ClassListing().settled(classes(1, 2, 3, 4)).reordered((4, 1, 3))
    assert listed(listing, 1, 2, 3, 4) == [4, 2, 1, 3]
    assert listing.keys == {1: 1, 2: 2, 3: 3, 4: 4}


def test_a_hidden_class_gives_its_digit_away_and_takes_the_next_free_one_when_it_is_shown_again() -> None:
    listing = ClassListing().settled(classes(1, 2, 3)).with_hidden(1, True).settled(classes(1, 2, 3))
    assert listing.keys == {2: 2, 3: 3}
    shown = listing.with_hidden(1, False).settled(classes(1, 2, 3, 4))
    assert shown.keys == {1: 1, 2: 2, 3: 3, 4: 4}


def test_a_class_that_comes_back_gets_its_digit_from_the_class_that_took_it_over() -> None:
    listing = ClassListing().settled(classes(*range(1, 12)))
    gone = listing.settled(classes(1, *range(3, 12)))
    assert gone.keys[2] == 10
    assert gone.settled(classes(*range(1, 12))) == listing


def test_a_digit_that_the_user_gave_to_another_class_meanwhile_stays_there() -> None:
    gone = ClassListing().settled(classes(1, 2, 3)).settled(classes(1, 3))
    back = gone.with_key(3, 2).settled(classes(1, 2, 3))
    assert back.keys == {1: 1, 2: 3, 3: 2}


def test_what_is_kept_comes_back() -> None:
    listing = ClassListing().settled(classes(5, 3, 7)).with_hidden(3, True).settled(classes(5, 3))
    assert ClassListing.from_json(listing.to_json(), listing.keys_to_json()) == listing


@pytest.mark.parametrize("stored", [None, [], {"order": 3}, {"order": ["a", None], "hidden": {}}], ids=str)
def test_what_is_no_listing_counts_as_none(stored: object) -> None:
    assert ClassListing.from_json(stored, stored) == ClassListing()
