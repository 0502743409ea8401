"""`maskwright prelabel`: turns a folder of images into a COCO file or a project."""

from pathlib import Path
from typing import Annotated, Any

import typer

from maskwright.assist.refine import Verdict
from maskwright.cli.batch import BatchOutcome, prelabel_folder
from maskwright.cli.output import (
    messages,
    print_failures,
    print_json,
    reports_errors,
    require_two_outputs,
    results_beside,
    summary,
)
from maskwright.errors import MaskwrightError
from maskwright.formats.atomic import require_nothing_there
from maskwright.inference.thresholds import Thresholds
from maskwright.words import count_of

_ROW = "Thresholds (default: the model's own)"
_RUN = "How it runs"


@reports_errors
def prelabel(
    images: Annotated[
        list[Path], typer.Argument(help='A folder of images, one or more files, or a pattern such as "a/*.jpg".')
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Model file (.xml, .onnx) or the name of a bundled model.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="COCO file for the result.")] = None,
    project: Annotated[
        Path | None, typer.Option("--project", "-p", help="Project for the proposals; created if missing.")
    ] = None,
    score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Lowest score of a proposal.", rich_help_panel=_ROW)
    ] = None,
    nms_iou: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="Overlap (IoU) above which the lower-scoring box is dropped.", rich_help_panel=_ROW
        ),
    ] = None,
    max_instances: Annotated[int | None, typer.Option(min=1, help="Per image.", rich_help_panel=_ROW)] = None,
    mask_threshold: Annotated[
        float,
        typer.Option(min=0, max=1, help="Probability above which a pixel belongs to the mask.", rich_help_panel=_ROW),
    ] = 0.5,
    class_agnostic: Annotated[
        bool, typer.Option(help="Also suppress overlaps between different classes.", rich_help_panel=_ROW)
    ] = False,
    min_iou: Annotated[
        float,
        typer.Option(min=0.5, max=1, help="Least IoU of a polygon with its mask; 1: exact.", rich_help_panel=_ROW),
    ] = 0.98,
    classes: Annotated[
        str | None, typer.Option(help="Only these classes, by name or id, separated by commas.", rich_help_panel=_ROW)
    ] = None,
    class_map: Annotated[
        str | None,
        typer.Option(
            "--map",
            help='Rename model classes: "person=human, car=vehicle, kite=" (empty: leave out). Stored in the project.',
            rich_help_panel=_ROW,
        ),
    ] = None,
    refine: Annotated[
        str | None,
        typer.Option(
            help="Refine the proposals with an assistant: assist (bundled), grabcut, the name of an installed one, or "
            "a file. A new outline is used only if the assistant is sure of it and it still fits the proposal.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="A device that `maskwright devices` lists, or AUTO.", rich_help_panel=_RUN)
    ] = "CPU",
    precision: Annotated[str | None, typer.Option(help="f32, bf16 or f16.", rich_help_panel=_RUN)] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads for inference.", rich_help_panel=_RUN)] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Include subfolders.", rich_help_panel=_RUN)
    ] = False,
    resume: Annotated[
        bool, typer.Option(help="Continue an interrupted batch with the same model and settings.", rich_help_panel=_RUN)
    ] = False,
    untouched: Annotated[
        bool,
        typer.Option("--untouched", help="Only images that nobody has worked on.", rich_help_panel=_RUN),
    ] = False,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend",
            help="Keep unreviewed proposals of classes that this model does not know, unless it finds something else "
            "there.",
            rich_help_panel=_RUN,
        ),
    ] = False,
    candidates: Annotated[
        bool,
        typer.Option(
            help="Also store what the model found below the thresholds (up to 4 GB), so that the window can change "
            "them without running the model again.",
            rich_help_panel=_RUN,
        ),
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.", rich_help_panel=_RUN)] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON on standard output.", rich_help_panel=_RUN)
    ] = False,
) -> int:
    """Pre-label a folder of images, or some of them.

    Give --out for a COCO file, --project for a project to correct in the window, or both. Without --project the work
    in progress is kept in OUT.maskwright beside the output until it is complete.
    """
    if out is not None:
        require_two_outputs(out, as_json=as_json)
        require_nothing_there(out, may_replace=force)
    if out is None and project is None:
        raise MaskwrightError("choose where the result goes", hint="--out FILE.json, --project FOLDER, or both")
    settings = Thresholds(
        score=score,
        nms_iou=nms_iou,
        max_instances=max_instances,
        is_class_agnostic=class_agnostic,
        mask_threshold=mask_threshold,
        min_iou=min_iou,
    )
    outcome = prelabel_folder(
        images,
        model,
        settings,
        out=out,
        project_path=project,
        classes=classes.split(",") if classes else None,
        class_map=class_map,
        load={"device": device, "precision": precision, "num_threads": threads},
        is_recursive=recursive,
        resume=resume,
        only_untouched=untouched,
        extends=extend,
        keeps_candidates=candidates,
        assistant_name=refine,
    )
    if as_json:
        print_json(_as_json(outcome))
    else:
        _print(outcome, out)
    return outcome.exit_code


def _print(outcome: BatchOutcome, out: Path | None) -> None:
    report = outcome.report
    print_failures(outcome.failures)
    if outcome.device_note is not None:
        messages().print(outcome.device_note, style="yellow")
    if report.stopped_because is not None:
        messages().print(f"stopped: {report.stopped_because}", style="red")
    rate = f", {report.images_per_s:.1f} images/s" if report.images_per_s else ""
    failed = f", {len(outcome.failures)} failed" if outcome.failures else ""
    rest = f", {report.remaining} still to do (--resume continues)" if report.remaining else ""
    console = summary() if out is None else results_beside(out)
    images, objects = count_of(report.done, "image"), count_of(outcome.instance_count, "object")
    console.print(f"{images} pre-labelled{failed}{rest}: {objects}{rate}")
    if outcome.has_boxes_only and outcome.refined is None:
        console.print("this model finds boxes, not masks; --refine assist outlines the objects in them")
    if outcome.refined is not None:
        counts = outcome.refined.counts
        console.print(f"{counts[Verdict.TAKEN]} of {count_of(sum(counts.values()), 'proposal')} refined")
    for place in (outcome.out, outcome.project_path):
        if place is not None:
            console.print(f"-> {place}")


def _as_json(outcome: BatchOutcome) -> dict[str, Any]:
    report = outcome.report
    return {
        "done": report.done,
        "failed": len(outcome.failures),
        "remaining": report.remaining,
        "instances": outcome.instance_count,
        "seconds": round(report.seconds, 3),
        "images_per_s": report.images_per_s,
        "device": outcome.device,
        "device_note": outcome.device_note,
        "stopped_because": report.stopped_because,
        "out": str(outcome.out) if outcome.out is not None else None,
        "project": str(outcome.project_path) if outcome.project_path is not None else None,
        "refined": None if outcome.refined is None else {str(key): n for key, n in outcome.refined.counts.items()},
        "failures": [{"file_name": name, "reason": reason} for name, reason in outcome.failures],
        "exit_code": outcome.exit_code,
    }
