"""`maskwright queue`: which images to review first, and why."""

from typing import Annotated, Literal

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import ProjectArgument
from maskwright.cli.output import print_json, progress_monitor, reports_errors, results
from maskwright.project import Project


@reports_errors
def queue(
    project: ProjectArgument,
    order: Annotated[
        Literal["uncertainty", "disagreement", "rarity", "name"], typer.Option(help="Which images come first.")
    ] = "uncertainty",
    second_model: Annotated[
        str | None, typer.Option(help="First run this model on all images to find where it disagrees.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Number of images to list.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output; lists all images.")] = False,
) -> int:
    """List images in the order in which reviewing them helps most."""
    from maskwright.review.order import ordered_images, reason

    with Project.open(project, read_only=second_model is None) as opened:
        if second_model is not None:
            _compare(opened, second_model)
        ids = ordered_images(opened, order).tolist()
        if as_json:
            names = [record.file_name for record in opened.images.records(ids)]
            print_json({"order": order, "images": names})
            return exit_codes.OK
        table = Table("image", "why", box=None)
        for record in opened.images.records(ids[:count]):
            table.add_row(record.file_name, reason(opened, order, record.id))
        results().print(table)
    return exit_codes.OK


def _compare(project: Project, model_name: str) -> None:
    from maskwright.inference.model import load_model
    from maskwright.inference.thresholds import Thresholds
    from maskwright.operations.comparing import compare_with

    model = load_model(model_name)
    with progress_monitor("compare", len(project.images.ids())) as monitor:
        compare_with(project, model, Thresholds(), monitor)
