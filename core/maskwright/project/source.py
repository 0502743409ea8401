"""A project as the writers of formats see it: a source of annotated images."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskwright.document.file_numbers import FileNumbers
from maskwright.document.values import Category, ImageRecord, Instance
from maskwright.formats.gate import DamagedRow
from maskwright.project.categories import CategoryRepository
from maskwright.project.damage import DamageRepository
from maskwright.project.database import Database
from maskwright.project.images import ImageRepository
from maskwright.project.instances import InstanceRepository
from maskwright.project.numbers import read_file_numbers
from maskwright.project.repository import Repository
from maskwright.project.rows import read_setting


class ProjectSource(Repository):
    """A `CocoSource` that also knows its imported file, the ids there and its damaged rows."""

    def __init__(self, database: Database, images: ImageRepository, instances: InstanceRepository) -> None:
        super().__init__(database)
        self._images, self._instances = images, instances
        self._categories, self._damage = CategoryRepository(database), DamageRepository(database)

    @property
    def image_root(self) -> Path:
        """The folder that file names are relative to."""
        return self._images.root

    def categories(self) -> tuple[Category, ...]:
        """The listed ones."""
        return self._categories.listed()

    def images(self) -> Iterator[ImageRecord]:
        """In order of adding."""
        return self._images.all()

    def instances(self, image_id: int) -> Sequence[Instance]:
        """By id."""
        return self._instances.of(image_id)

    def setting(self, key: str) -> Any:
        """The JSON value stored under `key`; None if there is none."""
        with self._database.read() as connection:
            return read_setting(connection, key)

    def instance_ids(self) -> Sequence[int]:
        """The ids of all instances, ascending."""
        return self._instances.ids()

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids are left out."""
        return self._instances.find(ids)

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        """See `InstanceRepository.stored`."""
        return self._instances.stored(ids)

    def file_numbers(self) -> FileNumbers:
        """The ids to be written to a COCO file, where they differ from the project's own."""
        with self._database.read() as connection:
            return read_file_numbers(connection)

    def damaged_rows(self) -> Iterator[DamagedRow]:
        """Damaged rows."""
        return self._damage.rows()

    def damaged_objects(self) -> Iterator[tuple[int, str]]:
        """(id, reason) of objects that cannot be read; reads all of them."""
        return self._damage.objects()
