"""`maskwright convert` and `maskwright import`: annotations from one format to another, or into a project."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, DryRun, Force
from maskwright.cli.output import messages, print_json, reports_errors, require_two_outputs, summary
from maskwright.cli.written import report_as_json, show_problems, show_reports
from maskwright.errors import FormatError, ProjectError
from maskwright.formats.atomic import readable_source, require_nothing_there, written_place
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.data_set import Problem
from maskwright.formats.package import require_as_meant, require_suffix
from maskwright.formats.registry import FORMATS, format_named, format_of, is_results
from maskwright.project import Project
from maskwright.project.import_values import ImportOptions, ImportResult, require_whole
from maskwright.project.making import is_left_over
from maskwright.project.store import FILE_NAME, INSIDE_IMAGES, has_project
from maskwright.words import count_of

_NAMES = ", ".join(sorted(known.name for known in FORMATS))
_MOST_LISTED = 20


@reports_errors
def convert(
    source: Annotated[Path, typer.Argument(help="The file or folder to read; - for standard input.")],
    out: Annotated[Path, typer.Argument(help="The file or folder to write; - for standard output.")],
    to: Annotated[str, typer.Option("--to", help=f"Format to write: {_NAMES}.")],
    read_as: Annotated[str | None, typer.Option("--from", help="Format to read; default: detected.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Write nothing unless everything can be read.")] = False,
    force: Force = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Convert annotations from one format to another; images are not touched. Exit code 3: not all could be read."""
    require_two_outputs(out, as_json=as_json)
    target = format_named(to)
    require_suffix(out, target)
    require_nothing_there(out, may_replace=force or dry_run)
    with readable_source(source) as place:
        data = format_of(place, read_as).read(place)
    require_whole(data.problems, source, ImportOptions(is_strict=strict))
    with written_place(out, is_trial=dry_run) as place:
        report = replace(target.write_verified(data, place, CocoExportOptions()), path=out)
    if as_json:
        problems = [str(problem) for problem in data.problems]
        print_json({**report_as_json(report), "losses": list(report.losses), "problems": problems})
    else:
        show_reports([report], report.losses, out, is_trial=dry_run)
        show_problems(data.problems)
    require_as_meant([report])
    return _exit_code(data.problems)


@reports_errors
def import_(
    project: Annotated[
        Path, typer.Argument(help="A project, or an image folder to turn into one; created if missing.")
    ],
    source: Annotated[
        Path, typer.Argument(help="The annotations: a file or folder of any known format; - for standard input.")
    ],
    read_as: Annotated[str | None, typer.Option("--from", help=f"{_NAMES}; default: detected.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Import nothing unless everything can be imported (else exit code 1).")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only report what would happen, with the exit code of the real run.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Add objects even if the project has them already.")] = False,
    images: Annotated[
        Path | None, typer.Option(help="The image folder of a new project; default: the folder of the annotations.")
    ] = None,
    relocate: Annotated[
        bool, typer.Option("--relocate", help="Search other folders for missing images, by name and size.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Bring annotations made elsewhere into a project; untouched ones are exported as they came.

    Objects that are already there are updated from the file, unless someone has changed them since. Exit code
    3: something could not be imported and is listed.
    """
    options = ImportOptions(is_strict=strict, is_trial=dry_run, adds_again=again, may_lack_images=relocate)
    with readable_source(source) as place:
        if read_as is not None or not is_results(place):  # refused before a project is created
            read_as = format_of(place, read_as).name
        root = images or (source if source.is_dir() else source.parent)
        with _opened(project, root, is_trial=dry_run) as opened:
            result, problems = opened.imports.add_file(place, format_name=read_as, alone=True, options=options)
            missing = [] if dry_run else opened.image_folder.missing()
            moved = opened.image_folder.find_moved(missing) if relocate else {}
            opened.image_folder.relocate(moved)
            lost = [image.file_name for image in missing if image.id not in moved]
            if relocate and lost and len(lost) == result.image_count:
                raise FormatError("none of its images is in the image folder", path=opened.image_root)
    if as_json:
        print_json(_as_json(result, problems, lost, list(moved.values()), dry_run=dry_run))
        return exit_codes.SOME_FAILED if result.resized else _exit_code(problems)
    _show_result(result, dry_run=dry_run)
    resized = count_of(len(result.resized), "image")
    _list(resized, "left out: the size differs from the annotations'", result.resized)
    _list(count_of(len(moved), "image"), "found elsewhere in the image folder", list(moved.values()))
    _list(count_of(len(lost), "image"), "not in the image folder (--relocate searches by name and size)", lost)
    show_problems(problems)
    return exit_codes.SOME_FAILED if result.resized else _exit_code(problems)


def _as_json(
    result: ImportResult, problems: Sequence[Problem], lost: Sequence[str], moved: Sequence[str], *, dry_run: bool
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "images": result.image_count,
        "instances": result.instance_count,
        "added": result.added_count,
        "updated": result.updated_count,
        "kept": result.kept_count,
        "categories": result.category_count,
        "renumbered": result.renumbered_count,
        "resized": list(result.resized),
        "missing": list(lost),
        "relocated": list(moved),
        "problems": [str(problem) for problem in problems],
    }


def _show_result(result: ImportResult, *, dry_run: bool) -> None:
    objects, images = count_of(result.instance_count, "object"), count_of(result.image_count, "image")
    classes = count_of(result.category_count, "class")
    summary().print(f"{'would import ' if dry_run else ''}{objects} on {images}, {classes}")
    if result.news:
        summary().print(result.news)
    if result.renumbered_count:
        objects = count_of(result.renumbered_count, "object")
        summary().print(f"{objects} got new ids because theirs were taken")


@contextmanager
def _opened(path: Path, image_root: Path, *, is_trial: bool) -> Iterator[Project]:
    """The project, or a new one, which is removed if the import fails or was only a trial."""
    if has_project(path):
        with Project.open(path) as project:
            yield project
        return
    is_begun = is_left_over(path) or (path / FILE_NAME).exists()  # an earlier creation was interrupted
    is_folder = path.is_dir() and not is_begun
    image_root = path if is_folder else image_root
    if is_trial:
        with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder), image_root=image_root) as project:
            yield project
        return
    if path.exists() and not path.is_dir():
        raise ProjectError("neither a project nor a folder", path=path)
    place = path / INSIDE_IMAGES if is_folder else path
    was_there = place.exists()
    try:
        with Project.create(place, image_root=image_root) as project:
            yield project
    except BaseException:
        if not was_there:
            shutil.rmtree(place, ignore_errors=True)
        raise


def _exit_code(problems: Sequence[Problem]) -> int:
    return exit_codes.SOME_FAILED if any(problem.effect == "skipped" for problem in problems) else exit_codes.OK


def _list(count: str, what: str, items: Sequence[str]) -> None:
    if not items:
        return
    messages().print(f"{count} {what}:")
    for item in items[:_MOST_LISTED]:
        messages().print(f"  {item}")
    if len(items) > _MOST_LISTED:
        messages().print(f"  and {len(items) - _MOST_LISTED} more (--json lists all)")
