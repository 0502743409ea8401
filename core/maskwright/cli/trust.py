"""`maskwright trust`: let a project from someone else read images from the folder that it names."""

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, ProjectArgument
from maskwright.cli.output import print_json, reports_errors, results
from maskwright.project import Project
from maskwright.project.image_folders import trust as allow


@reports_errors
def trust(
    project: ProjectArgument,
    as_json: AsJson = False,
) -> int:
    """Let a project that was made elsewhere read images from a folder that is not beside it."""
    with Project.open(project, read_only=True, trusts_images=True) as opened:
        allow(opened.path, opened.mark, opened.image_root)
        root = opened.image_root
    if as_json:
        print_json({"image_root": str(root)})
    else:
        results().print(f"images will be read from {root}")
    return exit_codes.OK
