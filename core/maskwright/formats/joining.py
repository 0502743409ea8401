"""Joins several data sets into one: the parts of a split, or the files of one set."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.data_set import DataSet, Problem
from maskwright.words import count_of


def joined_sets(path: Path, parts: Sequence[tuple[str, DataSet]]) -> DataSet:
    """`parts`: (folder of the images, "" for none, data set). Ids are kept unless they collide.

    An image listed by two parts is one image, and an object of the same class and outline in both is one object;
    classes are the same if id and name match, or else the name alone.
    """
    if len(parts) == 1 and not parts[0][0]:
        return replace(parts[0][1], path=path)
    joiner = _Joiner()
    for folder, data in parts:
        joiner.add(folder, data)
    return DataSet(
        path,
        tuple(joiner.categories.values()),
        tuple(joiner.images.values()),
        MappingProxyType({id_: tuple(found) for id_, found in joiner.instances.items()}),
        problems=tuple(joiner.problems),
        has_own_ids=all(data.has_own_ids for _, data in parts),
    )


class _Joiner:
    """The joined set in progress."""

    def __init__(self) -> None:
        self.categories: dict[int, Category] = {}
        self.images: dict[int, ImageRecord] = {}
        self.instances: dict[int, list[Instance]] = {}
        self.problems: list[Problem] = []
        self._image_of: dict[str, int] = {}
        self._used: set[int] = set()
        self._next = 1

    def add(self, folder: str, data: DataSet) -> None:
        """Add one set."""
        category_ids = {category.id: self._category(category) for category in data.categories()}
        for image in data.images():
            name = f"{folder}/{image.file_name}" if folder else image.file_name
            image_id = self._image(replace(image, file_name=name))
            before = {(each.category_id, each.polygons) for each in self.instances.get(image_id, ())}
            objects = data.instances(image.id)
            new = [each for each in objects if (category_ids[each.category_id], each.polygons) not in before]
            if len(new) < len(objects):
                note = f"{count_of(len(objects) - len(new), 'object')} of it already came with another file"
                self.problems.append(Problem(name, note, "changed"))
            for instance in new:
                id_ = instance.id if instance.id not in self._used else self._next
                self._used.add(id_)
                self._next = max(self._next, id_ + 1)
                moved = replace(instance, id=id_, category_id=category_ids[instance.category_id])
                self.instances.setdefault(image_id, []).append(moved)
            found = len(self.instances.get(image_id, ()))
            self.images[image_id] = replace(self.images[image_id], instance_count=found)
        where = f"{folder or data.path.name}: "
        self.problems += [replace(problem, where=where + problem.where) for problem in data.problems]

    def _category(self, category: Category) -> int:
        known = self.categories.get(category.id)
        if known is not None and known.name == category.name:
            return category.id
        named = next((each.id for each in self.categories.values() if each.name == category.name), None)
        if named is not None:
            return named
        id_ = self._free(category.id, self.categories)
        self.categories[id_] = replace(category, id=id_)
        return id_

    def _image(self, image: ImageRecord) -> int:
        known = self._image_of.get(image.file_name)
        if known is None:
            known = self._free(image.id, self.images)
            self._image_of[image.file_name] = known
            self.images[known] = replace(image, id=known)
            return known
        if (self.images[known].width, self.images[known].height) != (image.width, image.height):
            self.problems.append(Problem(image.file_name, "has different sizes in two files", "changed"))
        elif image.instance_count:
            self.images[known] = replace(self.images[known], state=image.state)
        return known

    @staticmethod
    def _free(id_: int, taken: Mapping[int, object]) -> int:
        return id_ if id_ not in taken else max(taken, default=0) + 1
