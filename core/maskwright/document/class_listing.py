"""How the classes of a project are listed: in which order, which of them are hidden, and the digit of each.

What a user has once seen stays so: a class that occurs later is listed last and takes a digit that is free. Digits go
to the first nine classes as they come, but for those that the user has chosen.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from maskwright.document.values import Category

DIGITS = range(1, 10)

ClassKeys = Mapping[int, int]
"""{digit: category id}; digits without a class are left out."""


def class_keys(categories: Sequence[Category], chosen: ClassKeys) -> dict[int, int]:
    """The current keys. What was chosen for a class that is gone falls to the first class without a key."""
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


@dataclass(frozen=True, slots=True)
class ClassListing:
    """As a project keeps it. Ids that are no longer listed are kept, too: undo may bring such a class back."""

    order: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    keys: ClassKeys = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def from_json(cls, stored: object, stored_keys: object) -> "ClassListing":
        """What `to_json` made, and the digits in a setting of their own; nothing for anything else."""
        content: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
        order, hidden = (_ids(content.get(name)) for name in ("order", "hidden"))
        return cls(tuple(dict.fromkeys(order)), frozenset(hidden), class_keys_from_json(stored_keys))

    def to_json(self) -> dict[str, list[int]]:
        return {"order": list(self.order), "hidden": sorted(self.hidden)}

    def keys_to_json(self) -> dict[str, int]:
        return {str(digit): id_ for digit, id_ in self.keys.items()}

    def sorted(self, categories: Collection[Category]) -> tuple[Category, ...]:
        """Those not yet in the order come last, by their ids."""
        place = {id_: at for at, id_ in enumerate(self.order)}
        return tuple(sorted(categories, key=lambda each: (place.get(each.id, len(place)), each.id)))

    def settled(self, categories: Collection[Category]) -> "ClassListing":
        """With a place for each of these, and with the current digits; hidden classes have none."""
        ordered = self.sorted(categories)
        known = set(self.order)
        order = (*self.order, *(each.id for each in ordered if each.id not in known))
        return replace(
            self, order=order, keys=class_keys([each for each in ordered if each.id not in self.hidden], self.keys)
        )

    def reordered(self, ids: Sequence[int]) -> "ClassListing":
        """These in this order, at the places that they have among all others now."""
        wanted, moved = iter(ids), set(ids)
        return replace(self, order=tuple(next(wanted) if id_ in moved else id_ for id_ in self.order))

    def with_hidden(self, category_id: int, is_hidden: bool) -> "ClassListing":
        hidden = self.hidden | {category_id} if is_hidden else self.hidden - {category_id}
        return replace(self, hidden=hidden)


def _ids(stored: object) -> list[int]:
    return [id_ for id_ in stored if type(id_) is int] if isinstance(stored, list) else []
