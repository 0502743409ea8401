"""`maskwright effort`: what correcting a project has cost, and which score thresholds would cost less."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import ProjectArgument
from maskwright.cli.output import print_json, reports_errors, results
from maskwright.errors import ProjectError
from maskwright.project import Project
from maskwright.review.effort import EffortLog, effort_log
from maskwright.review.report import EffortReport, summed_up
from maskwright.words import count_of


@reports_errors
def effort(
    project: ProjectArgument,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on standard output, with every object and image.")
    ] = False,
    record: Annotated[
        bool | None, typer.Option("--record/--no-record", help="Start or stop recording clicks, keys and times.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Erase the clicks, keys and times recorded so far.")] = False,
) -> int:
    """Report the correction effort: accepted untouched, edited, rejected, drawn; seconds; better score thresholds."""
    with Project.open(project, read_only=record is None and not forget) as opened:
        _keep(opened, record=record, forget=forget)
        is_recorded, log = opened.effort.is_recorded, effort_log(opened)
        names = {category.id: category.name for category in opened.categories.listed()}
    report = summed_up(log)
    if as_json:
        print_json({"is_recorded": is_recorded, **asdict(report), **_details(log)})
    else:
        _print(report, names)
        if not is_recorded:
            results().print("recording is off (--record turns it on)")
    return exit_codes.OK


def _keep(project: Project, *, record: bool | None, forget: bool) -> None:
    if (record is not None or forget) and project.read_only_reason is not None:
        raise ProjectError(f"nothing was changed: {project.read_only_reason}", path=project.path)
    if record is not None:
        project.effort.record(record)
    if forget:
        project.effort.forget()


def _details(log: EffortLog) -> dict[str, object]:
    """Time and presses for each object and image."""
    objects = [
        {
            "instance_id": item.instance_id,
            "image_id": item.image_id,
            "category_id": item.category_id,
            "score": item.score,
            "final_iou": item.final_iou,
            "vertices_changed": item.vertices_changed,
            "steps": item.steps,
            "clicks": item.clicks,
            "keys": item.keys,
            "seconds": item.seconds,
            "is_class_changed": item.is_class_changed,
            "is_deleted": item.final is None or item.is_refused,
            "is_drawn": item.proposed is None,
        }
        for item in log.instances.values()
    ]
    return {"objects": objects, "on_images": {str(id_): asdict(image) for id_, image in sorted(log.images.items())}}


def _print(report: EffortReport, names: dict[int, str]) -> None:
    table = Table("class", "proposed", "untouched", "edited", "rejected", "drawn", "s each", "score to use", box=None)
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
    assumed = " (assumed)" if report.is_draw_assumed else ""
    results().print(
        f"{report.seconds / 60:.1f} active minutes on {count_of(report.images, 'image')}; drawing an object takes "
        f"{report.draw_seconds:.1f} s{assumed}; the proposals saved about {report.saved_seconds / 60:.1f} minutes"
    )
