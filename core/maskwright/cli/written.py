"""What an export or a conversion wrote, and what verifying it found, as text and as JSON."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskwright.cli.output import messages, results_beside
from maskwright.formats.data_set import Problem, grouped
from maskwright.formats.selection import WriteReport
from maskwright.formats.verification import Verification
from maskwright.words import count_of


def report_as_json(report: WriteReport) -> dict[str, Any]:
    """The JSON of one written set."""
    counts = {"path": str(report.path), "images": report.image_count, "instances": report.instance_count}
    return counts | verification_as_json(report.verification)


def verification_as_json(result: Verification | None) -> dict[str, Any]:
    """The JSON of a verification; None if there was none."""
    if result is None:
        return {}
    counts = {"compared": result.compared, "exact": result.exact, "hidden": result.hidden}
    findings = [finding.message for finding in result.findings]
    return {"verified": {**counts, "lowest_iou": round(result.lowest_iou, 6), "findings": findings}}


def show_reports(reports: Sequence[WriteReport], losses: Sequence[str], out: Path, *, is_trial: bool = False) -> None:
    """Print what was written and what the format could not hold."""
    console = results_beside(out)
    for report in reports:
        objects, images = count_of(report.instance_count, "object"), count_of(report.image_count, "image")
        console.print(f"{'would write ' if is_trial else ''}{objects} on {images} -> {report.path}")
        if report.verification is not None:
            console.print(str(report.verification))
    if losses:
        console.print(f"not written: {', '.join(losses)}")


def show_problems(problems: Sequence[Problem]) -> None:
    """Print problems by reason, with the first examples of each."""
    console = messages()
    for group in grouped(problems):
        first = group.examples[0]
        console.print(f"{count_of(group.count, 'item')} {group.effect}: {first.where}: {first.reason}")
        for example in group.examples[1:]:
            console.print(f"  also {example.where}: {example.reason}")
        if group.count > len(group.examples):
            console.print(f"  and {group.count - len(group.examples):,} more (--json lists all)")
