"""Builds a data set from formats that know classes by name and objects by their place in a file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.formats.data_set import DataSet
from maskwright.formats.problems import Problem
from maskwright.geometry.polygon import Polygon


class DataSetBuilder:
    """Ids from 1 in the order of adding."""

    def __init__(self, path: Path, names: Iterable[str] = ()) -> None:
        self._path = path
        self._categories: dict[str, Category] = {}
        self._images: dict[str, ImageRecord] = {}
        self._instances: dict[int, tuple[Instance, ...]] = {}
        self._next_instance = 1
        self.problems: list[Problem] = []
        for name in names:
            self.category_id(name)

    def category_id(self, name: str) -> int:
        """Of the class of this name, made at its first use."""
        if name not in self._categories:
            self._categories[name] = Category(len(self._categories) + 1, name)
        return self._categories[name].id

    def add_image(
        self, file_name: str, size_wh: tuple[int, int], objects: Sequence[tuple[str, tuple[Polygon, ...]]]
    ) -> None:
        """`objects`: (class name, parts). An image added twice is a problem, not an error."""
        if file_name in self._images:
            self.problems.append(Problem(file_name, "is described twice"))
            return
        image_id = len(self._images) + 1
        state = ImageState.DONE if objects else ImageState.EMPTY
        self._images[file_name] = ImageRecord(image_id, file_name, *size_wh, state, len(objects))
        made = []
        for name, polygons in objects:
            made.append(Instance(self._next_instance, self.category_id(name), polygons, InstanceState.ACCEPTED))
            self._next_instance += 1
        if made:
            self._instances[image_id] = tuple(made)

    def skip(self, where: str, reason: object) -> None:
        self.problems.append(Problem(where, str(reason)))

    def finished(self) -> DataSet:
        return DataSet(
            self._path,
            tuple(self._categories.values()),
            tuple(self._images.values()),
            MappingProxyType(self._instances),
            problems=tuple(self.problems),
        )
