"""Ids of a foreign file made whole numbers from 1: kept where they are, replaced where they are not."""

from collections.abc import Collection, Iterable
from typing import Any

_LARGEST = 2**53
"""JSON readers that use doubles lose ids above."""


class IdTable:
    """File ids to ours: numbers from 1 stay; 0, negative, text, missing and repeated ones get new ids above."""

    def __init__(self) -> None:
        self._ours: dict[Any, int] = {}
        self._used: set[int] = set()
        self._next = 1

    def reserve(self, ids: Iterable[Any]) -> None:
        """Announce the ids that will come, so that a new one never takes the place of an old one."""
        self._next = max((id_ for id_ in ids if _is_good(id_)), default=0) + 1

    def occupy(self, ids: Collection[int]) -> None:
        """These are taken, too."""
        self._used.update(ids)
        self._next = max(self._next, max(ids, default=0) + 1)

    def take(self, file_id: Any) -> tuple[int, bool]:
        """Our id for the next record, and whether it is another than the file's."""
        if _is_good(file_id) and file_id not in self._used:
            ours = int(file_id)
        else:
            ours = self._next
            self._next += 1
        self._used.add(ours)
        if isinstance(file_id, int | str | float):
            self._ours.setdefault(_key(file_id), ours)
        return ours, ours != file_id or type(file_id) is not int

    def known(self, file_id: Any) -> int:
        """Our id of a record taken before; 0, which no record has, for an unknown one."""
        return self._ours.get(_key(file_id), 0) if isinstance(file_id, int | str | float) else 0


def _is_good(file_id: Any) -> bool:
    return type(file_id) is int and 1 <= file_id < _LARGEST


def _key(file_id: int | str | float) -> int | str:
    """1 and 1.0 and "1" mean the same record: exporters disagree with themselves about the type."""
    if isinstance(file_id, float):
        return int(file_id) if file_id.is_integer() else str(file_id)
    if isinstance(file_id, str):
        return int(file_id) if file_id.isascii() and file_id.isdigit() and len(file_id) < 16 else file_id
    return int(file_id)
