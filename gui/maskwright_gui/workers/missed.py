"""The outline of an object that no proposal covers: the second model's, or that of a candidate under the threshold."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from maskwright.document.values import Provenance

if TYPE_CHECKING:
    from maskwright.inference.candidate_cache import CandidateCache, ModelMark
    from maskwright.inference.candidates import Candidates
    from maskwright.project.proposals import Proposal
    from maskwright.project.store import Project
    from maskwright.review.places import Place

_NEAR_PX = 1.0


@dataclass(frozen=True, slots=True)
class Missed:
    """`proposal` has a class of the project."""

    proposal: "Proposal"
    provenance: Provenance


def missed_at(place: "Place", detail: Any, project: "Project", cache: "CandidateCache", image_id: int) -> Missed | None:
    """What is there; None where nothing is known. Raises ProjectError.

    detail: what the project keeps of the two models' disagreement on the image.
    """
    from maskwright.project.proposals import Proposal

    if place.polygons and place.category_id is not None:
        known = detail if isinstance(detail, dict) else {}
        proposal = Proposal(place.category_id, place.score or 0.0, place.polygons)
        model, model_hash = str(known.get("model", "")), str(known.get("model_hash", ""))
        return Missed(proposal, Provenance(model, model_hash, 0.0, 0.0, _now()))
    found = cache.get(image_id, project.image_path(project.image(image_id)))
    return _from_candidates(place, *found, project) if found is not None else None


def _from_candidates(place: "Place", mark: "ModelMark", candidates: "Candidates", project: "Project") -> Missed | None:
    from maskwright.prelabel.mapping import project_categories
    from maskwright.prelabel.settings import PrelabelSettings
    from maskwright.project.proposals import Proposal

    settings = PrelabelSettings(score=0.0)
    category_ids = project_categories(project, candidates.categories, mark.content_hash)
    for prediction in settings.select(_alone(candidates, place.box_xyxy)):
        if prediction.category_id in category_ids and prediction.polygons:
            proposal = Proposal(category_ids[prediction.category_id], prediction.score, prediction.polygons)
            return Missed(proposal, settings.provenance(mark.name, mark.content_hash, _now()))
    return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _alone(candidates: "Candidates", box: tuple[float, float, float, float]) -> "Candidates":
    """Only the best of those with this box."""
    distance = np.abs(candidates.boxes_xyxy[candidates.rows] - np.asarray(box)).max(axis=1, initial=0.0)
    at = np.flatnonzero(distance <= _NEAR_PX)[:1]
    return replace(candidates, rows=candidates.rows[at], classes=candidates.classes[at], scores=candidates.scores[at])
