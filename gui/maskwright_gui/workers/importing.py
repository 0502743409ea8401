"""Annotations made elsewhere into a project; run as an `Operation`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.monitor import Monitor

if TYPE_CHECKING:
    from maskwright.project.store import Project


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """`notes`: what was skipped, renumbered or is missing, a sentence each."""

    image_count: int
    instance_count: int
    notes: tuple[str, ...]


def import_annotations(project: "Project", path: Path, progress: Monitor) -> ImportOutcome:
    """All or nothing. Raises FormatError and ProjectError."""
    progress.report(0, None, f"Taking {path.name} in")
    intake, problems = project.take_in_file(path)
    notes = [str(problem) for problem in problems]
    if intake.renumbered_count:
        notes.append(f"{intake.renumbered_count} objects got new ids: theirs were taken.")
    notes += [f"{name} has another size than the project knows and was left out." for name in intake.resized]
    missing = len(project.missing_images())
    if missing:
        notes.append(f"{missing} images are not in the image folder.")
    return ImportOutcome(intake.image_count, intake.instance_count, tuple(notes))
