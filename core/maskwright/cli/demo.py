"""`maskwright demo`: pre-labels the bundled samples with the bundled model; nothing is downloaded."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from maskwright.cli.batch import run_with_bar
from maskwright.cli.output import messages, print_json, progress_bar, reports_errors, results
from maskwright.cli.window import has_display, open_window
from maskwright.formats.coco import CocoExportOptions, export_coco
from maskwright.inference.model import load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.samples.project import OVERLAYS, open_sample_project, write_overlays
from maskwright.words import count_of

BUNDLED_MODEL = "nuclei"
ANNOTATIONS = "annotations.json"


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """Where the results are."""

    project: Path
    image_count: int
    instance_count: int
    annotations: Path | None = None
    overlays: Path | None = None


@reports_errors
def demo(
    folder: Annotated[Path, typer.Option(help="Where to unpack the samples; created if missing.")] = Path(
        "maskwright-demo"
    ),
    window: Annotated[
        bool | None, typer.Option("--window/--no-window", help="Open the window (default: if there is a display).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output; opens no window.")] = False,
) -> int:
    """Pre-label twelve sample images with the bundled model and open the window on them.

    Without a display it writes the COCO file and overlay pictures instead. Run it again to continue where you left off.
    """
    wants_window = (has_display() if window is None else window) and not as_json
    outcome = prepare(folder, writes_files=not wants_window)
    if as_json:
        print_json(_as_json(outcome))
        return 0
    results().print(
        f"{count_of(outcome.image_count, 'sample image')} pre-labelled: {count_of(outcome.instance_count, 'object')}"
    )
    results().print(f"-> {outcome.project}")
    if wants_window:
        return open_window(outcome.project)
    if window is None:
        messages().print("no display, so no window; the results were written instead")
    results().print(f"-> {outcome.annotations} (COCO)")
    results().print(f"-> {outcome.overlays} (pictures)")
    return 0


def prepare(folder: Path, *, writes_files: bool) -> DemoOutcome:
    """Unpack the samples, pre-label those not done yet, and with `writes_files` export. Raises MaskwrightError."""
    with open_sample_project(folder) as project:
        model = load_model(BUNDLED_MODEL)
        run_with_bar(project, model, Thresholds(), resume=True, keeps_candidates=True)
        records = list(project.images.all())
        outcome = DemoOutcome(project.path, len(records), sum(record.instance_count for record in records))
        if not writes_files:
            return outcome
        annotations, overlays = folder / ANNOTATIONS, folder / OVERLAYS
        export_coco(project.source, annotations, CocoExportOptions(include_proposals=True))
        with progress_bar("overlays", len(records)) as show:
            written: list[Path] = []

            def count(path: Path) -> None:
                written.append(path)
                show(len(written), "")

            write_overlays(project, overlays, on_image=count)
    return DemoOutcome(outcome.project, outcome.image_count, outcome.instance_count, annotations, overlays)


def _as_json(outcome: DemoOutcome) -> dict[str, str | int | None]:
    return {
        "project": str(outcome.project),
        "images": outcome.image_count,
        "instances": outcome.instance_count,
        "annotations": str(outcome.annotations) if outcome.annotations else None,
        "overlays": str(outcome.overlays) if outcome.overlays else None,
    }
