"""A second model over the whole project, as a second opinion; run as an `Operation`."""

from pathlib import Path
from typing import TYPE_CHECKING

from maskwright.monitor import Monitor

if TYPE_CHECKING:
    from maskwright.project.store import Project


def compare(project: "Project", model_path: Path, progress: Monitor) -> int:
    """How many images were compared. Raises ModelError and ProjectError; cancelled between two images."""
    from maskwright.inference.model import load_model
    from maskwright.inference.thresholds import Thresholds
    from maskwright.operations.comparing import compare_with

    progress.report(0, None, f"Loading {model_path.name}")
    model = load_model(model_path)
    return compare_with(project, model, Thresholds(), progress)
