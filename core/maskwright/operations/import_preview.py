"""What an import would bring, before anything is taken in."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from maskwright.formats.folder_contents import files_below
from maskwright.formats.problems import Group, grouped
from maskwright.formats.recognition import is_results
from maskwright.formats.registry import format_of
from maskwright.images.pages import page_source
from maskwright.project import Project
from maskwright.project.import_values import ImportOptions, ImportResult

_MOST_NAMED = 1000


@dataclass(frozen=True, slots=True)
class IncomingClass:
    name: str
    object_count: int
    known_as: str | None
    """What the project calls a class of the same name; None where it has none."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    path: Path
    format_title: str
    result: ImportResult
    """As it would be with every class under its own name."""
    image_count: int
    missing: tuple[str, ...]
    """Names of images that are not in the image folder; at most a thousand of `missing_count`."""
    missing_count: int
    classes: tuple[IncomingClass, ...]
    """Empty for a results list of a detector, whose classes are numbers of the project's."""
    problems: tuple[Group, ...]
    """What would be left out or come otherwise, by reason."""


def preview_import(project: Project, path: Path) -> ImportPreview:
    """Reads all of the file; the project stays as it is. Raises FormatError and ProjectError as an import does."""
    trial = ImportOptions(is_trial=True, may_lack_images=True)
    if is_results(path):
        result, problems = project.imports.add_file(path, options=trial)
        title = "COCO results"
        return ImportPreview(path, title, result, result.image_count, (), 0, (), tuple(grouped(problems)))
    data = project.imports.read(path)
    result = project.imports.add(data, trial)
    here = files_below(project.image_root)
    names = [image.file_name for image in data.images()]
    missing = [name for name in names if page_source(Path(name))[0].as_posix() not in here]
    counts = Counter(each.category_id for image in data.images() for each in data.instances(image.id))
    known = {category.name.casefold(): category.name for category in project.categories.listed()}
    classes = tuple(
        IncomingClass(each.name, counts[each.id], known.get(each.name.casefold())) for each in data.categories()
    )
    return ImportPreview(
        path,
        format_of(path).title,
        result,
        len(names),
        tuple(missing[:_MOST_NAMED]),
        len(missing),
        classes,
        tuple(grouped(data.problems)),
    )
