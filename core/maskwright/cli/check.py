"""`maskwright check`: what readers of an export would trip over."""

from typing import Annotated

import typer

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson, ProjectArgument
from maskwright.cli.output import print_json, progress_bar, reports_errors, results
from maskwright.formats.coco import CocoExportOptions
from maskwright.formats.gate import check as look_over
from maskwright.formats.gate import fix_all
from maskwright.project import Project
from maskwright.words import count_of


@reports_errors
def check(
    project: ProjectArgument,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what can be fixed without changing the meaning.")] = False,
    proposals: Annotated[bool, typer.Option(help="Also check proposals.")] = False,
    as_json: AsJson = False,
) -> int:
    """Check a project before exporting it. Exit code 3 if a reader would refuse or misread anything."""
    options = CocoExportOptions(include_proposals=proposals)
    fixed_count = 0
    with Project.open(project, read_only=not fix) as opened, progress_bar("check", None) as show:
        if fix:
            for image in filter(options.takes_image, list(opened.images.all())):
                taken = [each for each in opened.instances.of(image.id) if options.takes_instance(each)]
                change = fix_all(taken, image)
                opened.instances.apply(image.id, change, label="Fix geometry")
                fixed_count += len(change)
        found = list(
            look_over(opened.source, options, image_root=opened.image_root, on_image=lambda done: show(done, ""))
        )
    if as_json:
        rows = [
            {"kind": each.kind.value, "message": each.message, "image_id": each.image_id,
             "instance_id": each.instance_id, "is_error": each.is_error, "is_fixable": each.is_fixable}
            for each in found
        ]  # fmt: skip
        print_json({"fixed": fixed_count, "findings": rows})
    else:
        if fix:
            results().print(f"{count_of(fixed_count, 'object')} fixed")
        for each in found:
            where = f"image {each.image_id}, object {each.instance_id}: " if each.instance_id else ""
            results().print(f"{'error' if each.is_error else 'note'}: {each.kind.value}: {where}{each.message}")
        if not found:
            results().print("no problems found")
    return exit_codes.SOME_FAILED if any(each.is_error for each in found) else exit_codes.OK
