"""How a project's classes are listed: their order, which are hidden, and the digit key and colour of each.

What the user has once seen stays: a class that occurs later is listed last and takes a free digit. The first nine
classes get digits in order, apart from digits that the user has assigned. A class that disappears
and comes back, for example by undo, gets its old digit and colour."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from maskwright.document.palette import coloured, colours_apart
from maskwright.document.values import Category

DIGITS = range(1, 10)

ClassKeys = Mapping[int, int]
"""{digit: category id}; digits without a class are left out."""


def class_keys(categories: Sequence[Category], chosen: ClassKeys) -> dict[int, int]:
    """The current keys. A digit assigned to a class that no longer exists goes to the first class without one."""
    ids = [category.id for category in categories]
    kept = {digit: id_ for digit, id_ in chosen.items() if digit in DIGITS and id_ in ids}
    others = iter([id_ for id_ in ids if id_ not in kept.values()])
    keys = {digit: kept.get(digit) or next(others, 0) for digit in DIGITS}
    return {digit: id_ for digit, id_ in keys.items() if id_}


def with_key(keys: ClassKeys, category_id: int, digit: int) -> dict[int, int]:
    """Assign `digit` to a class; the class that had it gets the digit that becomes free, if any. Other keys stay."""
    former = next((known for known, id_ in keys.items() if id_ == category_id), None)
    changed = {known: id_ for known, id_ in keys.items() if known != former}
    if former is not None and digit in keys:
        changed[former] = keys[digit]
    return {**changed, digit: category_id}


def class_keys_from_json(stored: object) -> dict[int, int]:
    """Parse a project's stored keys, {"1": id}; empty for anything else."""
    if not isinstance(stored, dict):
        return {}
    pairs = ((str(digit), id_) for digit, id_ in stored.items() if type(id_) is int)
    return {int(digit): id_ for digit, id_ in pairs if len(digit) == 1 and digit.isdecimal()}


@dataclass(frozen=True, slots=True)
class ClassListing:
    """The listing as stored in a project. Ids no longer listed stay, because undo may bring such a class back."""

    order: tuple[int, ...] = ()
    hidden: frozenset[int] = frozenset()
    keys: ClassKeys = field(default_factory=lambda: MappingProxyType({}))
    lost_keys: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    """{category id: its digit} of classes that are not listed now."""
    colours: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    """{category id: `#rrggbb`}, see `colours_apart`."""

    @classmethod
    def from_json(cls, stored: object, stored_keys: object) -> "ClassListing":
        """Parse what `to_json` made and the digits, a separate setting; empty for anything else."""
        content: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
        order, hidden = (_ids(content.get(name)) for name in ("order", "hidden"))
        lost = {id_: digit for digit, id_ in class_keys_from_json(content.get("lost_keys")).items()}
        colours = {id_: text for id_, text in _pairs(content.get("colours")) if isinstance(text, str)}
        return cls(tuple(dict.fromkeys(order)), frozenset(hidden), class_keys_from_json(stored_keys), lost, colours)

    def to_json(self) -> dict[str, Any]:
        """Everything except the digits as JSON; for those see `keys_to_json`."""
        lost = {str(digit): id_ for id_, digit in self.lost_keys.items()}
        colours = {str(id_): colour for id_, colour in self.colours.items()}
        return {"order": list(self.order), "hidden": sorted(self.hidden), "lost_keys": lost, "colours": colours}

    def keys_to_json(self) -> dict[str, int]:
        """The digits as JSON."""
        return {str(digit): id_ for digit, id_ in self.keys.items()}

    def coloured(self, categories: Collection[Category]) -> tuple[Category, ...]:
        """The categories in listing order and in their colours here."""
        return coloured(self.sorted(categories), self.colours)

    def sorted(self, categories: Collection[Category]) -> tuple[Category, ...]:
        """The categories in listing order; those without a place come last, by id."""
        place = {id_: at for at, id_ in enumerate(self.order)}
        return tuple(sorted(categories, key=lambda each: (place.get(each.id, len(place)), each.id)))

    def settled(self, categories: Collection[Category]) -> "ClassListing":
        """With a place and a colour for each of these categories and the current digits; hidden classes have none."""
        ordered = self.sorted(categories)
        known = set(self.order)
        order = (*self.order, *(each.id for each in ordered if each.id not in known))
        shown = [each for each in ordered if each.id not in self.hidden]
        ids = {each.id for each in shown}
        back = {digit: id_ for id_, digit in self.lost_keys.items() if id_ in ids and id_ not in self.keys.values()}
        lost = {id_: digit for id_, digit in self.lost_keys.items() if id_ not in ids}
        lost |= {id_: digit for digit, id_ in self.keys.items() if id_ not in ids}
        colours = colours_apart(ordered, self.colours)
        keys = class_keys(shown, {**self.keys, **back})
        return replace(self, order=order, keys=keys, lost_keys=_latest_of_each_digit(lost), colours=colours)

    def with_key(self, category_id: int, digit: int) -> "ClassListing":
        """With `digit` assigned to a class by the function `with_key`; no unlisted class gets it back."""
        lost = {id_: known for id_, known in self.lost_keys.items() if known != digit}
        return replace(self, keys=with_key(self.keys, category_id, digit), lost_keys=lost)

    def reordered(self, ids: Sequence[int]) -> "ClassListing":
        """These ids in this order, in the places that they occupy now among all others."""
        wanted, moved = iter(ids), set(ids)
        return replace(self, order=tuple(next(wanted) if id_ in moved else id_ for id_ in self.order))

    def with_hidden(self, category_id: int, is_hidden: bool) -> "ClassListing":
        """With one class hidden or shown."""
        hidden = self.hidden | {category_id} if is_hidden else self.hidden - {category_id}
        return replace(self, hidden=hidden)


def _latest_of_each_digit(lost: Mapping[int, int]) -> dict[int, int]:
    owners = {digit: id_ for id_, digit in lost.items()}
    return {id_: digit for digit, id_ in owners.items()}


def _pairs(stored: object) -> list[tuple[int, object]]:
    """(id, value) of a JSON object by ids."""
    pairs = stored.items() if isinstance(stored, dict) else ()
    return [(int(key), value) for key, value in pairs if re.fullmatch("[0-9]{1,18}", key)]


def _ids(stored: object) -> list[int]:
    return [id_ for id_ in stored if type(id_) is int] if isinstance(stored, list) else []
