"""`maskwright effort`: what correcting a project has cost, and which thresholds would cost less."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.output import print_json, reports_errors, results
from maskwright.project import Project
from maskwright.review.report import EffortReport, effort_report


@reports_errors
def effort(
    project: Annotated[Path, typer.Argument(help="A project, or the image folder it lives in.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> int:
    """Report the correction effort: accepted untouched, edited, refused, drawn; seconds; better score thresholds."""
    with Project.open(project, read_only=True) as opened:
        report = effort_report(opened)
        names = {category.id: category.name for category in opened.categories()}
    if as_json:
        print_json(asdict(report))
    else:
        _print(report, names)
    return exit_codes.OK


def _print(report: EffortReport, names: dict[int, str]) -> None:
    table = Table("class", "proposed", "untouched", "edited", "refused", "drawn", "s each", "score to use", box=None)
    for item in report.classes:
        suggestion = f"{item.suggested_score:.2f}" if item.suggested_score is not None else "too few yet"
        counts = (item.proposed, item.untouched, item.edited, item.refused, item.drawn)
        name = names.get(item.category_id, "(removed)")
        table.add_row(name, *(str(count) for count in counts), f"{item.median_seconds:.1f}", suggestion)
    results().print(table)
    by_score = Table("score", "answered", "untouched", box=None)
    for low, answered, untouched in report.answered_by_score:
        if answered:
            by_score.add_row(f"from {low:.1f}", str(answered), f"{untouched / answered:.0%}")
    results().print(by_score)
    results().print(
        f"{report.seconds / 60:.1f} active minutes on {report.images} images; drawing an object takes "
        f"{report.draw_seconds:.1f} s; the proposals saved about {report.saved_seconds / 60:.1f} minutes"
    )
