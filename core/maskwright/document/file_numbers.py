"""The mapping between a project's ids and a file's, where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_NONE: NDArray[np.int64] = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Pairs of differing ids, both columns (N,) int64 and `ids` ascending; all other ids map to themselves."""

    ids: NDArray[np.int64] = field(default_factory=lambda: _NONE)
    file_ids: NDArray[np.int64] = field(default_factory=lambda: _NONE)

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[int, int]]) -> "Numbers":
        """From (project id, file id) pairs."""
        found = np.array(sorted(pairs), np.int64).reshape(-1, 2)
        return cls(found[:, 0].copy(), found[:, 1].copy())

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, id_: int) -> int:
        """The file's id."""
        at = int(np.searchsorted(self.ids, id_)) if len(self.ids) else 0
        return int(self.file_ids[at]) if at < len(self.ids) and self.ids[at] == id_ else id_

    def inverse(self) -> "Numbers":
        """From the file's ids to the project's."""
        order = np.argsort(self.file_ids)
        return Numbers(self.file_ids[order], self.ids[order])


@dataclass(frozen=True, slots=True)
class FileNumbers:
    """The mappings of images, categories and instances."""

    images: Numbers = field(default_factory=Numbers)
    categories: Numbers = field(default_factory=Numbers)
    instances: Numbers = field(default_factory=Numbers)

    def __bool__(self) -> bool:
        return any(map(len, (self.images, self.categories, self.instances)))

    def inverse(self) -> "FileNumbers":
        return FileNumbers(self.images.inverse(), self.categories.inverse(), self.instances.inverse())
