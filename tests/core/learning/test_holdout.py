"""The same images judge in every round, and none of them ever teaches."""

from hypothesis import given
from hypothesis import strategies as st

from maskwright.learning.holdout import Split, split_images


def split(count: int, *, classes=None, before: Split | None = None) -> Split:
    names = {number: f"image-{number}.png" for number in range(1, count + 1)}
    kinds = classes or {number: frozenset({1}) for number in names}
    held, taught = (before.held_out, before.training) if before is not None else ((), ())
    return split_images(names, kinds, held_before=held, taught=taught)


def test_below_ten_images_all_of_them_teach() -> None:
    assert split(9).held_out == ()


def test_one_in_five_is_held_out() -> None:
    assert [len(split(count).held_out) for count in (10, 20, 40)] == [2, 4, 8]


@given(st.lists(st.integers(0, 15), min_size=1, max_size=6))
def test_roles_never_change_from_ten_images_on(steps: list[int]) -> None:
    count, before = 10, split(10)
    for step in steps:
        count += step
        after = split(count, before=before)
        assert set(before.held_out) <= set(after.held_out)
        assert set(before.training) <= set(after.training)
        before = after


def test_images_that_taught_while_there_were_few_do_not_judge_later() -> None:
    early = split(6)

    later = split(12, before=early)

    assert not set(early.training) & set(later.held_out)


def test_class_on_one_image_only_is_learned() -> None:
    plain = split(10)
    classes = {number: frozenset({1}) for number in range(1, 11)} | {plain.held_out[0]: frozenset({1, 2})}

    assert plain.held_out[0] in split(10, classes=classes).training


def test_class_that_is_left_on_held_out_images_only_makes_one_of_them_teach() -> None:
    before = split(10)
    classes = {number: frozenset({1}) for number in range(1, 11)} | {before.held_out[0]: frozenset({2})}

    assert before.held_out[0] in split(10, classes=classes, before=before).training


def test_pages_of_one_file_stay_together() -> None:
    names = {number: f"stack-{(number - 1) // 2}.tif#page={number % 2}" for number in range(1, 41)}

    found = split_images(names, dict.fromkeys(names, frozenset({1})), held_before=(), taught=())

    held = {names[number].split("#")[0] for number in found.held_out}
    assert found.held_out
    assert not held & {names[number].split("#")[0] for number in found.training}


def test_split_does_not_depend_on_the_order_of_images() -> None:
    names = {number: f"image-{number}.png" for number in range(20, 0, -1)}

    turned = split_images(names, dict.fromkeys(names, frozenset({1})), held_before=(), taught=())

    assert set(turned.held_out) == set(split(20).held_out)
