"""`maskwright restore`: list the earlier copies of a project and bring one back."""

from pathlib import Path
from typing import Annotated

import typer

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, ProjectArgument
from maskwright.cli.output import print_json, reports_errors, results
from maskwright.errors import ProjectError
from maskwright.project.anew import set_aside
from maskwright.project.backup import list_backups
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.restoring import restore as put_back
from maskwright.project.salvage import salvage as salvage_file
from maskwright.project.store import find_project
from maskwright.words import count_of


@reports_errors
def restore(
    project: ProjectArgument,
    backup: Annotated[str | None, typer.Argument(help="Name of a copy; without it, the copies are listed.")] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Set aside a damaged project that has no intact copy, to start over.")
    ] = False,
    salvage: Annotated[
        bool,
        typer.Option("--salvage", help="Recover what can still be read from a damaged project and continue with it."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """List the earlier copies of a project, or restore one; the present file is kept as a copy, too."""
    file = find_project(project)
    if file is None:
        raise ProjectError("no project here", path=project)
    if salvage:
        return _take_out(file, as_json=as_json)
    if anew:
        return _set_aside(file, as_json=as_json)
    if backup is None:
        names = [path.name for path in list_backups(file)]
        if as_json:
            print_json({"backups": names})
        else:
            results().print("\n".join(names) or "no copies yet; one is made on each day that the project is opened")
        return exit_codes.OK
    if backup not in [path.name for path in list_backups(file)]:
        raise ProjectError(f"no copy is called {backup}", path=project, hint="leave out the name to list them")
    lock = ProjectLock.acquire(file.parent)
    if isinstance(lock, Holder):
        raise ProjectError(f"the project is open elsewhere: {lock}", path=project, hint="close it there first")
    try:
        kept = put_back(file, file.parent / "backups" / backup)
    finally:
        lock.release()
    if as_json:
        print_json({"restored": backup, "kept": str(kept)})
    else:
        results().print(f"{backup} restored; the previous project file is kept as {kept.name}")
    return exit_codes.OK


def _take_out(file: Path, *, as_json: bool) -> int:
    found = salvage_file(file)
    if as_json:
        print_json({"images": found.images, "objects": found.objects, "steps": found.steps, "kept": str(found.kept)})
    else:
        counts = [count_of(found.images, "image"), count_of(found.objects, "object"), count_of(found.steps, "step")]
        results().print(f"{', '.join(counts)} recovered; the damaged file is kept as {found.kept}")
    return exit_codes.SOME_FAILED


def _set_aside(file: Path, *, as_json: bool) -> int:
    kept = set_aside(file)
    if as_json:
        print_json({"kept": str(kept)})
    else:
        results().print(f"the damaged project is kept as {kept}; open the image folder to start over")
    return exit_codes.OK
