"""Builds a data set from formats that identify classes by name and objects by their position in a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.errors import FormatError
from maskwright.formats.boxes import box_extra
from maskwright.formats.data_set import DataSet, Problem
from maskwright.formats.json_stream import parsed
from maskwright.geometry.polygon import Polygon
from maskwright.plain_words import in_plain_words
from maskwright.regular_files import read_regular


@dataclass(frozen=True, slots=True)
class ParsedObject:
    """One object of a file. `category`: the name of its class, or an id returned by `add_category`."""

    category: str | int
    polygons: tuple[Polygon, ...]
    is_box: bool = False
    """The file has a box without an outline; `polygons` are its rectangle."""
    score: float | None = None
    is_proposal: bool = False
    """A model's proposal that no user has confirmed."""
    is_crowd: bool = False
    z: int = 0
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class DataSetBuilder:
    """Collects images, objects and problems. Ids count from 1 in the order of adding."""

    def __init__(self, path: Path, names: Iterable[str] = ()) -> None:
        self._path = path
        self._categories: list[Category] = []
        self._by_name: dict[str, int] = {}
        self._images: dict[str, ImageRecord] = {}
        self._instances: dict[int, tuple[Instance, ...]] = {}
        self._next_instance = 1
        self._has_skipped = False
        self.problems: list[Problem] = []
        for name in names:
            self.category_id(name)

    def add_category(self, name: str, *, id: int = 0, supercategory: str = "", colour: str = "") -> int:
        """Add a class and return its id: `id` if that is free. Another class of the same name is kept apart, because
        files that number their classes may have two of a name.
        """
        taken = {category.id for category in self._categories}
        new_id = id if id > 0 and id not in taken else max(taken, default=0) + 1
        category = Category(new_id, name, supercategory, colour)
        self._categories.append(category)
        self._by_name.setdefault(name, category.id)
        return category.id

    def category_id(self, name: str) -> int:
        """The id of the class of this name, which is added if it is new."""
        return self._by_name[name] if name in self._by_name else self.add_category(name)

    def category_ids(self) -> list[int]:
        """The ids of the classes so far, in the order of adding."""
        return [category.id for category in self._categories]

    def add_image(
        self,
        file_name: str,
        size_wh: tuple[int, int],
        objects: Sequence[tuple[str, tuple[Polygon, ...]] | ParsedObject],
        *,
        is_finished: bool = True,
    ) -> None:
        """Add an image. `objects`: parsed objects, or (class name, parts). A repeated image is a problem, not an error.

        An image whose objects were all skipped is not verified as empty: it stays open, and so does one that the file
        marks as unfinished.
        """
        has_skipped, self._has_skipped = self._has_skipped, False
        if file_name in self._images:
            self.skip(file_name, "is described twice")
            return
        described = [each if isinstance(each, ParsedObject) else ParsedObject(*each) for each in objects]
        if has_skipped and not described:
            self.change(file_name, "all its objects were skipped; the image is not marked as done")
        image_id = len(self._images) + 1
        state = _state(described, is_finished and not has_skipped)
        self._images[file_name] = ImageRecord(image_id, file_name, *size_wh, state, len(described))
        made = [self._instance(each) for each in described]
        if made:
            self._instances[image_id] = tuple(made)

    def skip(self, where: str, reason: object) -> None:
        """Report a file or image that is missing from the result."""
        self._has_skipped = False
        self.problems.append(Problem(where, _words(reason)))

    def skip_object(self, where: str, reason: object) -> None:
        """Report a missing object of the image that is added next."""
        self._has_skipped = True
        self.problems.append(Problem(where, _words(reason)))

    def change(self, where: str, reason: object) -> None:
        """Report something that differs between the result and the file."""
        self.problems.append(Problem(where, _words(reason), "changed"))

    def finished(self) -> DataSet:
        """The data set built so far."""
        return DataSet(
            self._path,
            tuple(self._categories),
            tuple(self._images.values()),
            MappingProxyType(self._instances),
            problems=tuple(self.problems),
            has_own_ids=False,
        )

    def _instance(self, described: ParsedObject) -> Instance:
        category_id = (
            described.category if isinstance(described.category, int) else self.category_id(described.category)
        )
        state = InstanceState.PROPOSED if described.is_proposal else InstanceState.ACCEPTED
        extra = described.extra
        if described.is_box:
            extra = MappingProxyType({**extra, **box_extra(described.polygons)})
        instance = Instance(
            self._next_instance, category_id, described.polygons, state, described.score, z=described.z,
            is_crowd=described.is_crowd, extra=extra,
        )  # fmt: skip
        self._next_instance += 1
        return instance


def _state(described: Sequence[ParsedObject], is_whole: bool) -> ImageState:
    if not described:
        return ImageState.EMPTY if is_whole else ImageState.UNSEEN
    if all(each.is_proposal for each in described):
        return ImageState.PRELABELLED
    return ImageState.DONE if is_whole else ImageState.IN_PROGRESS


def json_documents(path: Path, builder: DataSetBuilder) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """(name for messages, folder relative to the set's root, content) of each JSON object below a folder, or of one
    file.

    Files that cannot be read are reported as problems.
    """
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    root = path if path.is_dir() else path.parent
    for file in files:
        where = file.relative_to(root).as_posix()
        try:
            content = parsed(read_regular(file), file)
        except (OSError, FormatError) as error:
            builder.skip(where, error)
            continue
        if isinstance(content, dict):
            yield where, file.parent.relative_to(root), content


def _words(reason: object) -> str:
    return in_plain_words(reason) if isinstance(reason, BaseException) else str(reason)
