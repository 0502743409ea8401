"""`maskwright duplicates`: images that show the same picture."""

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, ProjectArgument
from maskwright.cli.output import print_json, progress_monitor, reports_errors, results
from maskwright.project import Project
from maskwright.words import count_of


@reports_errors
def duplicates(
    project: ProjectArgument,
    as_json: AsJson = False,
) -> int:
    """List groups of images that look alike: copies, other sizes, other compression."""
    from maskwright.operations.duplicates import find_duplicates

    with Project.open(project) as opened:
        with progress_monitor("look", len(opened.images.ids())) as monitor:
            groups = find_duplicates(opened, monitor)
        names = [[record.file_name for record in opened.images.records(group)] for group in groups]
    if as_json:
        print_json({"groups": names})
        return exit_codes.OK
    for group in names:
        results().print("  ".join(group))
    results().print(f"{count_of(len(names), 'group')} of images that look alike")
    return exit_codes.OK
