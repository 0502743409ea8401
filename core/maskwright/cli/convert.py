"""`maskwright convert` and `maskwright import`: annotations from one format to another, or into a project."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from maskwright.cli import exit_codes
from maskwright.cli.output import messages, print_json, reports_errors, require_two_outputs, results
from maskwright.cli.written import report_as_json, require_as_meant, show_reports
from maskwright.formats.atomic import readable_place
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.data_set import DataSet
from maskwright.formats.problems import Problem
from maskwright.formats.registry import FORMATS, format_named, recognised
from maskwright.project import Project, find_project
from maskwright.project.store import INSIDE_IMAGES

_NAMES = ", ".join(sorted(known.name for known in FORMATS))
_MOST_LISTED = 20


@reports_errors
def convert(
    source: Annotated[Path, typer.Argument(help="The file or folder to read.")],
    out: Annotated[Path, typer.Argument(help="The file or folder to write.")],
    to: Annotated[str, typer.Option("--to", help=f"Format to write: {_NAMES}.")],
    read_as: Annotated[str | None, typer.Option("--from", help="Format to read; else it is recognised.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> int:
    """Convert annotations from one format to another; images are not touched."""
    require_two_outputs(out, as_json=as_json)
    target = format_named(to)
    data = _read(source, read_as)
    with readable_place(out) as place:
        report = replace(target.write_verified(data, place, CocoExportOptions()), path=out)
    if as_json:
        problems = [str(problem) for problem in data.problems]
        print_json({**report_as_json(report), "losses": list(report.losses), "problems": problems})
    else:
        show_reports([report], report.losses, out)
        _show(data.problems)
    require_as_meant([report])
    return _exit_code(data.problems)


@reports_errors
def import_(
    project: Annotated[Path, typer.Argument(help="A project, or an image folder, which becomes one.")],
    source: Annotated[Path, typer.Argument(help="The annotations: a file or folder of any known format.")],
    read_as: Annotated[str | None, typer.Option("--from", help=f"{_NAMES}; else it is recognised.")] = None,
    relocate: Annotated[
        bool, typer.Option("--relocate", help="Look for missing images in other folders, by name and size.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> int:
    """Bring annotations made elsewhere into a project, all or nothing; untouched ones are exported as they came."""
    kind = recognised(source) if read_as is None else format_named(read_as)  # before a project is made
    with _opened(project) as opened:
        intake, problems = opened.take_in_file(source, format_name=kind.name, alone=True)
        missing = opened.missing_images()
        moved = opened.find_moved(missing) if relocate else {}
        opened.relocate(moved)
        lost = [image.file_name for image in missing if image.id not in moved]
    if as_json:
        print_json(
            {
                "images": intake.image_count,
                "instances": intake.instance_count,
                "categories": intake.category_count,
                "renumbered": intake.renumbered_count,
                "resized": list(intake.resized),
                "missing": lost,
                "relocated": list(moved.values()),
                "problems": [str(problem) for problem in problems],
            }
        )
        return _exit_code(problems)
    results().print(f"{intake.instance_count} objects on {intake.image_count} images, {intake.category_count} classes")
    if intake.renumbered_count:
        results().print(f"{intake.renumbered_count} objects got new ids: theirs were taken")
    _list("images of another size than the project knows, left out", intake.resized)
    _list("images found elsewhere in the image folder", list(moved.values()))
    _list("images that are not in the image folder", lost)
    _show(problems)
    return _exit_code(problems)


def _read(source: Path, read_as: str | None) -> DataSet:
    kind = recognised(source) if read_as is None else format_named(read_as)
    return kind.read(source)


@contextmanager
def _opened(path: Path) -> Iterator[Project]:
    """The project, or a new one in an image folder, which does not stay if the import fails."""
    if find_project(path) is not None or not path.is_dir():
        with Project.open(path) as project:
            yield project
        return
    place = path / INSIDE_IMAGES
    was_there = place.exists()
    try:
        with Project.create(place, image_root=path) as project:
            yield project
    except BaseException:
        if not was_there:
            shutil.rmtree(place, ignore_errors=True)
        raise


def _exit_code(problems: Sequence[Problem]) -> int:
    return exit_codes.SOME_FAILED if any(problem.effect == "skipped" for problem in problems) else exit_codes.OK


def _show(problems: Sequence[Problem]) -> None:
    _list("things in the file that were skipped or changed", [str(problem) for problem in problems])


def _list(what: str, items: Sequence[str]) -> None:
    if not items:
        return
    messages().print(f"{len(items)} {what}:")
    for item in items[:_MOST_LISTED]:
        messages().print(f"  {item}")
    if len(items) > _MOST_LISTED:
        messages().print(f"  and {len(items) - _MOST_LISTED} more (--json lists all)")
