"""What an import would bring, before it does: images found and missing, objects, classes, what is left out."""

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
    name: str
    object_count: int
    known_as: str | None
    """What the project calls a class of the same name; None where it has none."""


@dataclass(frozen=True, slots=True)
class MissingImage:
    """An image of the file that is not in the image folder under its name."""

    name: str
    size_wh: tuple[int, int]
    object_count: int
    files: tuple[str, ...]
    """Of the image folder, of this size, the likeliest first: the same name elsewhere, or with another ending."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    path: Path
    format_title: str
    result: ImportResult
    """As it would be with every class under its own name, and `image_names` as they are."""
    image_count: int
    missing: tuple[MissingImage, ...]
    """At most a thousand of `missing_count`, those that may be a file here first."""
    missing_count: int
    classes: tuple[IncomingClass, ...]
    """Empty for a results list of a detector, whose classes are numbers of the project's."""
    problems: tuple[Group, ...]
    """What would be left out or come otherwise, by reason."""
    image_names: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """{missing image: the only file that it can be}."""
    names: frozenset[str] = frozenset()
    """Of all images in the file."""


def preview_import(project: Project, path: Path, monitor: Monitor = SILENT) -> ImportPreview:
    """Reads all of the file; the project stays as it is. Raises FormatError and ProjectError as an import does."""
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
    """What a file that the user chose for a missing image is called in the image folder.

    Raises InputError where it does not lie there or has another size, ImageError for what is no image.
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
    """{image: its file} where there is one, and no other image that it may be."""
    claims = Counter(file for each in missing for file in each.files)
    return MappingProxyType(
        {each.name: each.files[0] for each in missing if len(each.files) == 1 and claims[each.files[0]] == 1}
    )
