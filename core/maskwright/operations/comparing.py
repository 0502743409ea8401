"""A second model as a second opinion: it proposes nothing, but shows where to look."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ImageError, MaskwrightError
from maskwright.images import read_image
from maskwright.inference.async_runner import AsyncRunner
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.monitor import SILENT, Monitor
from maskwright.prelabel.proposing import Proposer
from maskwright.project import Project
from maskwright.review.disagreement import NAME, disagreement


def compare_with(project: Project, model: Model, thresholds: Thresholds, monitor: Monitor = SILENT) -> int:
    """Run `model` on all images and record how much it disagrees with each; returns the number of images done.

    Images that cannot be read or inferred are skipped. Raises ProjectError if the project cannot be written.
    """
    proposer = Proposer.of(project, model, model.labels, thresholds)
    total, done = len(project.images.ids()), 0
    with AsyncRunner[int](model) as runner:
        for image_id, outcome in runner.run(_pixels(project, monitor)):
            if isinstance(outcome, MaskwrightError):
                continue
            found = disagreement(project.instances.of(image_id), proposer.proposals(outcome, packs_dense=False))
            detail = found.detail | {"model": model.name, "model_hash": model.content_hash}
            project.signals.set(NAME, {image_id: (found.value, detail)})
            done += 1
            monitor.report(done, total, f"Comparing: {done} of {total}")
    return done


def compare_with_file(project: Project, model_path: Path, monitor: Monitor = SILENT) -> int:
    """Like `compare_with`, at the model's own thresholds. Also raises ModelError."""
    monitor.report(0, None, f"Loading {model_path.name}")
    return compare_with(project, load_model(model_path), Thresholds(), monitor)


def _pixels(project: Project, monitor: Monitor) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for record in project.images.all():
        monitor.check()
        try:
            yield record.id, read_image(project.image_path(record)).bgr_u8
        except ImageError:
            continue
