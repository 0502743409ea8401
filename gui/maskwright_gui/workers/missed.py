"""The outline of an object that no proposal covers: the second model's, or that of a candidate under the threshold."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from maskwright.document.values import Provenance

if TYPE_CHECKING:
    from maskwright.inference.candidates import Candidates
    from maskwright.project.proposals import Proposal
    from maskwright.project.store import Project
    from maskwright.review.places import Place
    from maskwright_gui.workers.candidate_cache import CandidateCache

_NEAR_PX = 1.0


def outline_at(place: "Place", project: "Project", cache: "CandidateCache | None", image_id: int) -> "Proposal | None":
    """What is there, with a class of the project; None where nothing is known. Raises ProjectError."""
    from maskwright.prelabel.mapping import project_categories
    from maskwright.project.proposals import Proposal

    if place.polygons and place.category_id is not None:
        return Proposal(place.category_id, place.score or 0.0, place.polygons)
    found = cache.get(image_id) if cache is not None else None
    if found is None:
        return None
    mark, candidates = found
    category_ids = project_categories(project, candidates.categories, mark.content_hash)
    for prediction in _alone(candidates, place.box_xyxy).select(0.0, clip_to_box=True):
        if prediction.category_id in category_ids and prediction.polygons:
            return Proposal(category_ids[prediction.category_id], prediction.score, prediction.polygons)
    return None


def provenance_of(detail: Any, cache: "CandidateCache | None", image_id: int, place: "Place") -> Provenance | None:
    """Who found what was missed. `detail`: what the project keeps of the two models' disagreement."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if place.polygons:
        known = detail if isinstance(detail, dict) else {}
        return Provenance(str(known.get("model", "")), str(known.get("model_hash", "")), 0.0, 0.0, now)
    found = cache.get(image_id) if cache is not None else None
    return Provenance(found[0].name, found[0].content_hash, 0.0, 0.0, now) if found is not None else None


def _alone(candidates: "Candidates", box: tuple[float, float, float, float]) -> "Candidates":
    """Only the best of those with this box."""
    distance = np.abs(candidates.boxes_xyxy[candidates.rows] - np.asarray(box)).max(axis=1, initial=0.0)
    at = np.flatnonzero(distance <= _NEAR_PX)[:1]
    return replace(candidates, rows=candidates.rows[at], classes=candidates.classes[at], scores=candidates.scores[at])
