"""Annotated images in memory: what every reader makes and every writer takes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.problems import Problem


@dataclass(frozen=True, slots=True)
class DataSet:
    """Categories, images and their instances, and what of the file could not be read."""

    path: Path
    category_list: tuple[Category, ...]
    image_list: tuple[ImageRecord, ...]
    instances_by_image: Mapping[int, tuple[Instance, ...]]
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What a project has to remember to write the file again; JSON values."""
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    has_own_ids: bool = True
    """Whether objects go by ids that the file gives them; else they are numbered by their place in it."""

    def categories(self) -> Sequence[Category]:
        return self.category_list

    def images(self) -> Iterator[ImageRecord]:
        return iter(self.image_list)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return self.instances_by_image.get(image_id, ())

    def setting(self, key: str) -> Any:
        return self.settings.get(key)

    def instance_ids(self) -> Sequence[int]:
        """Of all images, image by image."""
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
