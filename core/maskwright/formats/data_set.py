"""Annotated images in memory, which every reader returns and every writer accepts, and the problems that a reader
found."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from maskwright.document.values import Category, ImageRecord, Instance


@dataclass(frozen=True, slots=True)
class Problem:
    """`skipped`: missing from the result; `changed`: there, but not as in the file."""

    where: str
    """For the user: "annotation 17", "images[3]"."""
    reason: str
    effect: Literal["skipped", "changed"] = "skipped"

    def __str__(self) -> str:
        return f"{self.where}: {self.reason} ({self.effect})"


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one kind; `examples` are the first of them."""

    effect: Literal["skipped", "changed"]
    count: int
    examples: tuple[Problem, ...]


_DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|[^\s'\"“]*\d[^\s,;:)]*")
_EXAMPLES = 3


def grouped(problems: Iterable[Problem]) -> Sequence[Group]:
    """Grouped by reason, ignoring names and numbers in it: skipped before changed, then by count."""
    found: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        found.setdefault((problem.effect, _DETAIL.sub("…", problem.reason)), []).append(problem)
    groups = [Group(same[0].effect, len(same), tuple(same[:_EXAMPLES])) for same in found.values()]
    return sorted(groups, key=lambda group: (group.effect != "skipped", -group.count))


@dataclass(frozen=True, slots=True)
class DataSet:
    """Categories, images and instances, and the problems found while reading them."""

    path: Path
    category_list: tuple[Category, ...]
    image_list: tuple[ImageRecord, ...]
    instances_by_image: Mapping[int, tuple[Instance, ...]]
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What a project has to remember to write the file again; JSON values."""
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    has_own_ids: bool = True
    """Whether the file gives its objects ids; otherwise they are numbered by position."""

    def categories(self) -> Sequence[Category]:
        return self.category_list

    def images(self) -> Iterator[ImageRecord]:
        return iter(self.image_list)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return self.instances_by_image.get(image_id, ())

    def setting(self, key: str) -> Any:
        """The setting under `key`; None if there is none."""
        return self.settings.get(key)

    def instance_ids(self) -> Sequence[int]:
        """The ids of all instances, image by image."""
        return [instance.id for image in self.image_list for instance in self.instances(image.id)]

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids are left out."""
        wanted = set(ids)
        return {
            instance.id: (image_id, instance)
            for image_id, instances in self.instances_by_image.items()
            for instance in instances
            if instance.id in wanted
        }
