"""`maskwright evaluate`: COCO metrics for a model, a project or a file against a ground truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson
from maskwright.cli.output import messages, print_failures, print_json, progress_bar, reports_errors, results
from maskwright.errors import MaskwrightError
from maskwright.words import count_of

if TYPE_CHECKING:
    from maskwright.evaluation import EvaluationReport


@reports_errors
def evaluate(
    truth: Annotated[Path, typer.Argument(help="COCO file with the ground truth.")],
    model: Annotated[str | None, typer.Option(help="Model file or name of a bundled model to run.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the ground truth's images; required with --model.")
    ] = None,
    predictions: Annotated[Path | None, typer.Option(help="Instead of a model: a project or a COCO file.")] = None,
    score: Annotated[float, typer.Option(min=0, max=1, help="Lowest score that counts as a detection.")] = 0.05,
    nms_iou: Annotated[float | None, typer.Option(min=0, max=1, help="Default: the model's own.")] = None,
    max_instances: Annotated[int | None, typer.Option(min=1, help="Per image. Default: the model's own.")] = None,
    device: Annotated[str, typer.Option(help="A device that `maskwright devices` lists.")] = "CPU",
    precision: Annotated[str | None, typer.Option(help="f32 gives comparable figures.")] = None,
    as_json: AsJson = False,
) -> int:
    """Print average precision and recall (pycocotools) of boxes and masks."""
    if (model is None) == (predictions is None):
        raise MaskwrightError("give either --model (with --images) or --predictions")
    if predictions is not None:
        report = _of_predictions(predictions, truth)
    else:
        load = {"device": device, "precision": precision}
        report = _of_model(str(model), truth, images, score, nms_iou, max_instances, load)
    if as_json:
        print_json(_as_json(report))
    else:
        _print(report)
    print_failures(report.failures)
    return exit_codes.SOME_FAILED if report.failures else exit_codes.OK


def _of_model(
    model_name: str,
    truth: Path,
    images: Path | None,
    score: float,
    nms_iou: float | None,
    max_instances: int | None,
    load: Mapping[str, Any],
) -> "EvaluationReport":
    from maskwright.evaluation import evaluate_model
    from maskwright.inference.model import load_model

    if images is None or not images.is_dir():
        raise MaskwrightError("the image folder is required", path=images, hint="--images FOLDER")
    model = load_model(model_name, **load)
    with progress_bar("evaluate", None) as show:
        return evaluate_model(
            model,
            truth,
            images,
            score=score,
            nms_iou=nms_iou,
            max_instances=max_instances,
            on_progress=lambda done, total: show(done, f"of {total}"),
        )


def _of_predictions(predictions: Path, truth: Path) -> "EvaluationReport":
    """`predictions`: a project, or a COCO file of results or annotations."""
    from maskwright.evaluation import evaluate_predictions, evaluate_project
    from maskwright.project import Project, find_project

    if find_project(predictions) is None:
        return evaluate_predictions(predictions, truth)
    with Project.open(predictions, read_only=True) as project:
        return evaluate_project(project, truth)


def _as_json(report: "EvaluationReport") -> dict[str, Any]:
    return {
        "bbox": dict(report.bbox),
        "segm": dict(report.segm),
        "max_dets": report.max_dets,
        "images": report.image_count,
        "truth": report.truth_count,
        "predictions": report.prediction_count,
        "failures": [{"file_name": name, "reason": reason} for name, reason in report.failures],
        "notes": list(report.notes),
    }


def _print(report: "EvaluationReport") -> None:
    table = Table("", "bbox", "segm", box=None)
    for name in report.segm:
        table.add_row(name, *(f"{kind[name]:.3f}" if kind[name] >= 0 else "-" for kind in (report.bbox, report.segm)))
    results().print(table)
    results().print(
        f"{count_of(report.prediction_count, 'detection')}, {count_of(report.truth_count, 'ground-truth object')}, "
        f"{count_of(report.image_count, 'image')}"
    )
    for note in report.notes:
        messages().print(note)
