"""`maskwright export`: a project's annotations as a COCO file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from maskwright.cli import exit_codes
from maskwright.cli.output import print_json, progress_bar, reports_errors, results
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.project import Project


@reports_errors
def export(
    project: Annotated[Path, typer.Argument(help="A project, or the image folder it lives in.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The COCO file to write.")],
    proposals: Annotated[bool, typer.Option(help="Also what the model suggests and nobody decided on.")] = False,
    unreviewed: Annotated[bool, typer.Option(help="Also images that nobody looked at, without annotations.")] = False,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Leave out proposals under this score.")] = 0.0,
    holes: Annotated[Literal["keyhole", "rle"], typer.Option(help="How objects with holes are written.")] = "keyhole",
    provenance: Annotated[bool, typer.Option(help="State, score and model of each object as attributes.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> int:
    """Write a project's annotations to a COCO file: what a person accepted, corrected or drew."""
    options = CocoExportOptions(
        include_proposals=proposals,
        include_unreviewed=unreviewed,
        min_score=min_score,
        holes=holes,
        include_provenance=provenance,
    )
    with Project.open(project, read_only=True) as source, progress_bar("export", None) as show:
        report = export_coco(source, out, options, on_image=lambda done: show(done, ""))
    if as_json:
        print_json(
            {
                "path": str(report.path),
                "images": report.image_count,
                "instances": report.instance_count,
                "unreviewed": report.unreviewed_count,
                "left_out": [
                    {"image_id": item.image_id, "instance_id": item.instance_id, "reason": item.reason}
                    for item in report.left_out
                ],
            }
        )
        return exit_codes.OK
    results().print(f"{report.instance_count} objects on {report.image_count} images -> {report.path}")
    if report.unreviewed_count:
        results().print(
            f"{report.unreviewed_count} images left out: nobody has looked at them (--unreviewed, --proposals)"
        )
    if report.left_out:
        results().print(f"{len(report.left_out)} objects left out: they cover no pixel of their image")
    return exit_codes.OK
