"""`maskwright images`: list the images of a project, exclude, remove or include some."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, ProjectArgument
from maskwright.cli.output import print_json, reports_errors, results
from maskwright.document.values import ImageRecord, ImageStanding
from maskwright.errors import ProjectError
from maskwright.project import Project

ImageNames = Annotated[
    list[str] | None,
    typer.Option(help="Images by file name or pattern, such as “blurred/*.jpg”; may be given several times."),
]
_TOLD = {
    ImageStanding.EXCLUDED: "excluded",
    ImageStanding.REMOVED: "removed",
    ImageStanding.LISTED: "part of the set again",
}


@reports_errors
def images(
    project: ProjectArgument,
    exclude: ImageNames = None,
    remove: ImageNames = None,
    include: ImageNames = None,
    as_json: AsJson = False,
) -> int:
    """List the images with their states; exclude some, remove them from the list, or include them again.

    Nothing is deleted: no model runs on an excluded or removed image, and it is neither counted nor exported.
    """
    wanted = (
        (ImageStanding.EXCLUDED, exclude or []),
        (ImageStanding.REMOVED, remove or []),
        (ImageStanding.LISTED, include or []),
    )
    changes = any(names for _, names in wanted)
    with Project.open(project, read_only=not changes) as opened:
        if changes and opened.read_only_reason is not None:
            raise ProjectError(f"nothing was changed: {opened.read_only_reason}", path=opened.path)
        # all patterns are checked before anything changes
        chosen = [(standing, _named(opened, names)) for standing, names in wanted if names]
        changed = {standing: opened.images.set_standing(ids, standing) for standing, ids in chosen}
        _show(opened, {_TOLD[standing]: len(ids) for standing, ids in changed.items()}, as_json=as_json)
    return exit_codes.OK


def _named(project: Project, patterns: Sequence[str]) -> list[int]:
    """Raises ProjectError for a pattern that matches no image."""
    known = list(project.images.all(standings=tuple(ImageStanding)))
    found: dict[int, None] = {}
    for pattern in patterns:
        ids = [image.id for image in known if _fits(image, pattern)]
        if not ids:
            raise ProjectError(f"the project has no image “{pattern}”; nothing was changed", path=project.path)
        found.update(dict.fromkeys(ids))
    return list(found)


def _fits(image: ImageRecord, pattern: str) -> bool:
    """An exact name counts before a pattern: a file may be called `a[1].png`."""
    return image.file_name == pattern or fnmatchcase(image.file_name, pattern)


def _show(project: Project, changed: dict[str, int], *, as_json: bool) -> None:
    listed = list(project.images.all(standings=tuple(ImageStanding)))
    if as_json:
        rows = [
            {"file_name": each.file_name, "state": each.state.value, "standing": each.standing.value}
            | {"objects": each.instance_count}
            for each in listed
        ]
        print_json({"images": rows, "changed": changed})
        return
    if changed:
        results().print(", ".join(f"{count:,} {told}" for told, count in changed.items()))
        return
    table = Table("image", "state", "objects", box=None)
    for each in listed:
        word = each.state.value if each.standing is ImageStanding.LISTED else each.standing.value
        table.add_row(each.file_name, word, str(each.instance_count))
    results().print(table)
