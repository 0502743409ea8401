"""Other thresholds for a whole project, from the candidates on disk; runs in a `Task`."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maskwright.document.values import ImageState
from maskwright.inference.candidate_cache import CandidateCache
from maskwright_gui.panels.thresholds import THRESHOLDS_SETTING, Thresholds
from maskwright_gui.workers.narrowing import narrowed
from maskwright_gui.workers.tasks import TaskProgress

if TYPE_CHECKING:
    from maskwright.project.store import Project

UNTOUCHED = (ImageState.UNSEEN, ImageState.PRELABELLED)
"""Images that a person has worked on keep their proposals as they were judged."""


def rethreshold(
    project: "Project",
    cache: CandidateCache,
    thresholds: Thresholds,
    leave_out: Collection[int],
    on_image: Callable[[int], None],
    progress: TaskProgress,
) -> int:
    """Replace the proposals of all untouched images with candidates, and the doubts; how many images that were.

    The thresholds become the project's. `on_image` is called with each id. Raises ProjectError.
    """
    project.set_setting(THRESHOLDS_SETTING, asdict(thresholds))
    wanted = set(project.image_ids(states=UNTOUCHED).tolist()) & set(cache.image_ids()) - set(leave_out)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for done, image_id in enumerate(sorted(wanted)):
        progress.report(done, len(wanted), f"Applying the thresholds: {done} of {len(wanted)}")
        if _has_rethresholded(project, cache, thresholds, image_id, now):
            on_image(image_id)
    return len(wanted)


def _has_rethresholded(
    project: "Project", cache: CandidateCache, thresholds: Thresholds, image_id: int, when: str
) -> bool:
    """False for an image without candidates; `when`: ISO 8601, one for all that a slider has changed."""
    from maskwright.prelabel.mapping import project_categories
    from maskwright.prelabel.proposing import candidates_to_proposals, note_uncertainty

    found = cache.get(image_id, project.image_path(project.image(image_id)))
    if found is None:
        return False
    mark, candidates = found
    category_ids = project_categories(project, candidates.categories, mark.content_hash)
    settings = narrowed(thresholds.settings(), thresholds.left_out, category_ids)
    proposals = candidates_to_proposals(candidates, settings, category_ids)
    provenance = settings.provenance(mark.name, mark.content_hash, when)
    project.put_proposals(image_id, proposals, provenance=provenance)
    note_uncertainty(project, image_id, candidates, settings, category_ids)
    return True
