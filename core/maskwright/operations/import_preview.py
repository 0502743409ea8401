"""Previews an import: images found and missing, objects, classes, and what would be left out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from maskwright.document.values import ImageRecord
from maskwright.errors import ImageError, InputError
from maskwright.formats.data_set import Group, grouped
from maskwright.formats.folder_contents import files_below
from maskwright.formats.naming import similar_names
from maskwright.formats.registry import format_of, is_results
from maskwright.formats.renaming import with_images
from maskwright.images.header import probe_image
from maskwright.images.pages import page_source
from maskwright.monitor import SILENT, Monitor
from maskwright.project.import_values import ImportOptions, ImportResult
from maskwright.project.store import Project

_MOST_NAMED = 1000
_STEP = 200


@dataclass(frozen=True, slots=True)
class IncomingClass:
    """A class of a file to be imported."""

    name: str
    object_count: int
    known_as: str | None
    """The project's class of the same name; None if there is none."""


@dataclass(frozen=True, slots=True)
class MissingImage:
    """An image of the file with no file of its name in the image folder."""

    name: str
    size_wh: tuple[int, int]
    object_count: int
    files: tuple[str, ...]
    """Files of this size in the image folder, the likeliest first: the same name elsewhere, or with another suffix."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would do."""

    path: Path
    format_title: str
    result: ImportResult
    """The result if every class keeps its name and `image_names` are used."""
    image_count: int
    missing: tuple[MissingImage, ...]
    """At most a thousand of `missing_count`, those with a possible file first."""
    missing_count: int
    classes: tuple[IncomingClass, ...]
    """Empty for a detector's results list, whose classes are the project's ids."""
    problems: tuple[Group, ...]
    """What would be left out or changed, by reason."""
    image_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """{missing image: the only possible file}."""
    names: frozenset[str] = frozenset()
    """Names of all images in the file."""


def preview_import(project: Project, path: Path, monitor: Monitor = SILENT) -> ImportPreview:
    """Reads the whole file; the project is not changed. Raises FormatError and ProjectError as an import does."""
    monitor.report(0, None, f"Reading {path.name}")
    trial = ImportOptions(is_trial=True, may_lack_images=True)
    if is_results(path):
        result, problems = project.imports.add_file(path, options=trial)
        title = "COCO results"
        return ImportPreview(path, title, result, result.image_count, (), 0, (), tuple(grouped(problems)))
    data = project.imports.read(path)
    records = {image.file_name: image for image in data.images()}
    counts = {image.id: len(data.instances(image.id)) for image in records.values()}
    missing = _missing(records, counts, project.image_root, monitor)
    only = _only_files(missing)
    result = project.imports.add(with_images(data, only), trial)
    objects = Counter(each.category_id for image in data.images() for each in data.instances(image.id))
    known = {category.name.casefold(): category.name for category in project.categories.listed()}
    classes = tuple(
        IncomingClass(each.name, objects[each.id], known.get(each.name.casefold())) for each in data.categories()
    )
    return ImportPreview(
        path,
        format_of(path).title,
        result,
        len(data.image_list),
        tuple(sorted(missing, key=lambda each: not each.files)[:_MOST_NAMED]),
        len(missing),
        classes,
        tuple(grouped(data.problems)),
        only,
        frozenset(records),
    )


def file_for(project: Project, image: MissingImage, path: Path) -> str:
    """The name in the image folder of a file that the user chose for a missing image.

    Raises InputError if it is not in that folder or has another size, ImageError if it is not an image.
    """
    try:
        name = path.resolve().relative_to(project.image_root.resolve()).as_posix()
    except ValueError:
        raise InputError("it is not in the project's image folder", path=path) from None
    size_wh = probe_image(path).size_wh
    if size_wh != image.size_wh:
        own, other = ("{} × {}".format(*each) for each in (size_wh, image.size_wh))
        raise InputError(f"it has {own} pixels, and the annotations are for {other}", path=path)
    return name


def _missing(
    records: Mapping[str, ImageRecord], counts: Mapping[int, int], root: Path, monitor: Monitor
) -> list[MissingImage]:
    """In the file's order."""
    here = files_below(root)
    gone = [name for name in records if page_source(Path(name))[0].as_posix() not in here]
    similar = similar_names(gone, here - records.keys())
    found = []
    for done, name in enumerate(gone):
        if done % _STEP == 0:
            monitor.report(done, len(gone), "Searching for missing images")
        record = records[name]
        size_wh = record.width, record.height
        files = tuple(file for file in similar[name] if _size_of(root / file) == size_wh)
        found.append(MissingImage(name, size_wh, counts[record.id], files))
    return found


def _size_of(path: Path) -> tuple[int, int] | None:
    try:
        return probe_image(path).size_wh
    except ImageError:
        return None


def _only_files(missing: Sequence[MissingImage]) -> Mapping[str, str]:
    """{image: its file} if there is only one, and it fits no other image."""
    claims = Counter(file for each in missing for file in each.files)
    return MappingProxyType(
        {each.name: each.files[0] for each in missing if len(each.files) == 1 and claims[each.files[0]] == 1}
    )
