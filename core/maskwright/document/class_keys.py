"""Which class each of the digits 1-9 gives: the first nine as they come, but for what a person has chosen."""

from collections.abc import Mapping, Sequence

from maskwright.document.values import Category

DIGITS = range(1, 10)

ClassKeys = Mapping[int, int]
"""{digit: category id}; digits without a class are left out."""


def class_keys(categories: Sequence[Category], chosen: ClassKeys) -> dict[int, int]:
    """The keys in force. What was chosen for a class that is gone falls to the first class without a key."""
    ids = [category.id for category in categories]
    kept = {digit: id_ for digit, id_ in chosen.items() if digit in DIGITS and id_ in ids}
    others = iter([id_ for id_ in ids if id_ not in kept.values()])
    keys = {digit: kept.get(digit) or next(others, 0) for digit in DIGITS}
    return {digit: id_ for digit, id_ in keys.items() if id_}


def with_key(keys: ClassKeys, category_id: int, digit: int) -> dict[int, int]:
    """`digit` for the class; the class that had it gets the key that becomes free, if any. All other keys stay."""
    former = next((known for known, id_ in keys.items() if id_ == category_id), None)
    changed = {known: id_ for known, id_ in keys.items() if known != former}
    if former is not None and digit in keys:
        changed[former] = keys[digit]
    return {**changed, digit: category_id}


def class_keys_from_json(stored: object) -> dict[int, int]:
    """What a project keeps, {"1": id}; nothing for anything else."""
    if not isinstance(stored, dict):
        return {}
    pairs = ((str(digit), id_) for digit, id_ in stored.items() if type(id_) is int)
    return {int(digit): id_ for digit, id_ in pairs if len(digit) == 1 and digit.isdecimal()}
