"""A second model as a second opinion: it proposes nothing, it only shows where to look."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ImageError, MaskwrightError
from maskwright.images import read_image
from maskwright.inference.async_runner import AsyncRunner
from maskwright.inference.model import Model
from maskwright.prelabel import CancelToken, PrelabelSettings, candidates_to_proposals, project_categories
from maskwright.project import Project
from maskwright.review.disagreement import NAME, disagreement


def compare_with(
    project: Project,
    model: Model,
    settings: PrelabelSettings,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cancel: CancelToken | None = None,
) -> int:
    """Run `model` over all images and note on each how far it disagrees with what is there; how many were done.

    Images that cannot be read or inferred are passed over. Raises ProjectError when the project cannot be written.
    """
    token = cancel if cancel is not None else CancelToken()
    category_ids = project_categories(project, model.labels, model.content_hash)
    total, done = len(project.image_ids()), 0
    with AsyncRunner[int](model) as runner:
        for image_id, outcome in runner.run(_pixels(project, token)):
            if isinstance(outcome, MaskwrightError):
                continue
            there = candidates_to_proposals(outcome, settings, category_ids)
            found = disagreement(project.instances(image_id), there)
            detail = found.detail | {"model": model.name, "model_hash": model.content_hash}
            project.set_signals(NAME, {image_id: (found.value, detail)})
            done += 1
            on_progress(done, total)
    return done


def _pixels(project: Project, token: CancelToken) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for record in project.images():
        if token.is_cancelled:
            return
        try:
            yield record.id, read_image(project.image_path(record)).bgr_u8
        except ImageError:
            continue
