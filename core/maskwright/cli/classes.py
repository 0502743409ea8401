"""`maskwright classes`: list, rename or merge the classes of a project, for all images at once."""

from typing import Annotated

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, ProjectArgument
from maskwright.cli.output import print_json, reports_errors, results
from maskwright.errors import ProjectError
from maskwright.project import Project


@reports_errors
def classes(
    project: ProjectArgument,
    rename: Annotated[
        tuple[str, str] | None, typer.Option(help="A class, by name or id, and its new name.", metavar="A B")
    ] = None,
    merge: Annotated[
        tuple[str, str] | None, typer.Option(help="Turn all objects of class A into class B.", metavar="A B")
    ] = None,
    undo_merge: Annotated[bool, typer.Option("--undo-merge", help="Undo the latest merge.")] = False,
    as_json: AsJson = False,
) -> int:
    """List the classes and how many objects they have; rename or merge classes, or undo the latest merge."""
    changes = rename is not None or merge is not None or undo_merge
    with Project.open(project, read_only=not changes) as opened:
        if changes and opened.read_only_reason is not None:
            raise ProjectError(f"nothing was changed: {opened.read_only_reason}", path=opened.path)
        if rename is not None:
            opened.categories.rename(_named(opened, rename[0]), rename[1])
        if merge is not None:
            opened.merges.make(_named(opened, merge[0]), _named(opened, merge[1]))
        if undo_merge:
            _undo_latest(opened)
        _show(opened, as_json=as_json)
    return exit_codes.OK


def _named(project: Project, name: str) -> int:
    """By name, ignoring case if that is unambiguous; by id if several share the name."""
    known = project.categories.listed()
    wanted = name.strip()
    exact = [each.id for each in known if each.name == wanted]
    found = exact or [each.id for each in known if each.name.casefold() == wanted.casefold()]
    found = found or [each.id for each in known if str(each.id) == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(map(str, found))
        hint = f"give the id: {numbers}"
        raise ProjectError(f"{len(found)} classes are called “{name}”", path=project.path, hint=hint)
    hint = f"known: {', '.join(each.name for each in known)}"
    raise ProjectError(f"the project has no class “{name}”", path=project.path, hint=hint)


def _undo_latest(project: Project) -> None:
    merges = project.merges.all()
    if not merges:
        raise ProjectError("this project has no merged classes", path=project.path)
    project.merges.undo(merges[-1].id)


def _show(project: Project, *, as_json: bool) -> None:
    uses = [(category, project.categories.use(category.id)) for category in project.categories.listed()]
    if as_json:
        listed = [
            {"id": category.id, "name": category.name, "objects": use.instances, "images": use.images}
            for category, use in uses
        ]
        merged = [
            {"name": merge.source.name, "into": merge.target_id, "at": merge.at} for merge in project.merges.all()
        ]
        print_json({"classes": listed, "merged": merged})
        return
    table = Table("id", "class", "objects", "images", box=None)
    for category, use in uses:
        table.add_row(str(category.id), category.name, str(use.instances), str(use.images))
    results().print(table)
