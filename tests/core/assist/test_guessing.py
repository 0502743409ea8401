"""A class is guessed only where what is known tells."""

import numpy as np
import pytest

from maskwright.assist.guessing import ClassMemory


def memory(count: int = 8) -> ClassMemory:
    """Classes 1 and 2, which differ in one number of eight."""
    known = ClassMemory()
    for number in range(count):
        known.put(number, 1 + number % 2, seen(1 + number % 2, number))
    return known


def seen(category_id: int, number: int) -> np.ndarray:
    descriptor = np.full(8, 5, np.float32) + np.random.default_rng(number).normal(0, 0.2, 8).astype(np.float32)
    descriptor[category_id] += 2
    return descriptor


@pytest.mark.parametrize("category_id", [1, 2])
def test_the_class_of_the_like_is_guessed(category_id: int) -> None:
    assert memory().guess(seen(category_id, 99)) == category_id


def test_what_lies_between_the_classes_gets_no_guess() -> None:
    middle = np.mean([seen(1 + number % 2, number) for number in range(8)], axis=0)
    assert memory().guess(middle) is None


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_objects_tell_nothing(count: int) -> None:
    assert memory(count).guess(seen(1, 99)) is None


def test_one_class_alone_tells_nothing() -> None:
    known = memory()
    for number in range(8):
        known.set_category(number, 1)
    assert known.guess(seen(1, 99)) is None


def test_a_changed_class_counts_and_a_forgotten_object_does_not() -> None:
    known = memory()
    for number in range(0, 8, 2):
        known.set_category(number, 3)
    assert known.guess(seen(1, 99)) == 3
    for number in range(0, 8, 2):
        known.forget(number)
    assert len(known) == 4


def test_descriptors_of_another_network_are_refused() -> None:
    with pytest.raises(ValueError, match="another network"):
        memory().put(99, 1, np.zeros(4, np.float32))


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskwright.assist.guessing._MOST", 3)
    known = memory()
    assert [number in known for number in range(8)] == [False] * 5 + [True] * 3
