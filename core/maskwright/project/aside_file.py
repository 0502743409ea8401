"""Writes edits that were set aside as a COCO file: the objects as the edits left them, to view or to import
again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.document.values import Category, ImageRecord, ImageState, Instance
from maskwright.project.set_aside import EditSetAside

if TYPE_CHECKING:
    from maskwright.project.store import Project


def write_set_aside(project: "Project", edits: Sequence[EditSetAside], path: Path) -> int:
    """Write the objects of `edits` to `path`, in their latest form; returns their number.

    Raises FormatError if the file cannot be written.
    """
    from maskwright.formats.coco import CocoExportOptions, export_coco

    options = CocoExportOptions(include_proposals=True, include_unreviewed=True, include_provenance=True)
    return export_coco(_Aside(project, edits), path, options).instance_count


class _Aside:
    """The objects of edits, in images and classes that may no longer exist."""

    def __init__(self, project: "Project", edits: Sequence[EditSetAside]) -> None:
        self._found: dict[int, dict[int, Instance]] = {}
        for edit in edits:
            for id_, _, after in edit.change or ():
                on_image = self._found.setdefault(edit.image_id, {})
                if after is not None:
                    on_image[id_] = after
        names = {edit.image_id: edit.file_name for edit in edits}
        known = {record.id: record for record in project.images.records(list(self._found))}
        self._images = [known.get(id_) or self._lost(id_, names[id_]) for id_ in sorted(self._found)]
        classes = {category.id: category for category in project.categories.listed()}
        used = {each.category_id for on_image in self._found.values() for each in on_image.values()}
        self._categories = [classes.get(id_) or Category(id_, f"class {id_}") for id_ in sorted(used)]

    def categories(self) -> Sequence[Category]:
        return self._categories

    def images(self) -> Iterator[ImageRecord]:
        return iter(self._images)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return list(self._found.get(image_id, {}).values())

    def _lost(self, image_id: int, file_name: str) -> ImageRecord:
        """Stands for an image that the project no longer has; as large as its objects."""
        corners = [each.bounds_xyxy for each in self._found[image_id].values() if each.polygons]
        width = max([1.0, *(corner[2] for corner in corners)])
        height = max([1.0, *(corner[3] for corner in corners)])
        name = file_name or f"image-{image_id}"
        return ImageRecord(image_id, name, int(width) + 1, int(height) + 1, ImageState.IN_PROGRESS)
