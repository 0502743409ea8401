"""Rows of a large import with the project's ids, and the file's ids."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from maskwright.project.instance_rows import keep_ids_above
from maskwright.project.numbers import name_in_files

Row = tuple[Any, ...]
"""Starts with id, image id and category id."""


@dataclass(frozen=True, slots=True)
class FileOrder:
    """The project's ids of a file's objects, in the file's order."""

    ids: list[int]
    is_natural: bool
    """Sorted by image and, within, by id."""


class Renumbering:
    """Assigns ids to objects in the order of the file."""

    def __init__(self, image_ids: Mapping[int, int], category_ids: Mapping[int, int], first: int | None) -> None:
        """`first`: their ids count from there; None to keep the file's."""
        self._image_ids, self._category_ids, self._first = image_ids, category_ids, first
        self._file_ids, self._images = array("q"), array("q")

    def rows(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with the project's ids."""
        images, classes, first = self._image_ids, self._category_ids, self._first
        found = [(row[0], images[row[1]], classes[row[2]], *row[3:]) for row in rows]
        if first is not None:
            start = first + len(self._file_ids)
            found = [(id_, *row[1:]) for id_, row in enumerate(found, start=start)]
        self._file_ids.extend(row[0] for row in rows)
        self._images.extend(row[1] for row in found)
        return found

    def keep(self, connection: Connection) -> None:
        """Store the file's ids, and mark the new ones as used."""
        ids = self._ids()
        name_in_files(connection, "instance", zip(ids, self._file_ids, strict=True))
        keep_ids_above(connection, max(ids, default=0))

    def order(self, file_order: Sequence[int]) -> FileOrder:
        """`file_order`: the ids in the file, possibly including objects that were not imported."""
        known, wanted = np.array(self._file_ids, np.int64), np.array(file_order, np.int64)
        sorter = np.argsort(known)
        wanted = wanted[np.isin(wanted, known)]
        places = sorter[np.searchsorted(known, wanted, sorter=sorter)]
        ids, images = np.array(self._ids(), np.int64)[places], np.array(self._images, np.int64)[places]
        image_steps, id_steps = np.diff(images), np.diff(ids)
        return FileOrder(ids.tolist(), bool(((image_steps > 0) | ((image_steps == 0) & (id_steps > 0))).all()))

    def _ids(self) -> Sequence[int]:
        return self._file_ids if self._first is None else range(self._first, self._first + len(self._file_ids))
