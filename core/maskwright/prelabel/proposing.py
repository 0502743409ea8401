"""One image to proposals: the unit of work, without a project and without threads."""

from collections.abc import Mapping
from pathlib import Path

from maskwright.images import read_image
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model
from maskwright.prelabel.settings import PrelabelSettings
from maskwright.project.proposals import Proposal


def prelabel_one(model: Model, image_path: Path, settings: PrelabelSettings) -> list[Proposal]:
    """Read, infer, select, trace; categories are the model's. Raises ImageError and ModelError."""
    return candidates_to_proposals(model.predict(read_image(image_path).bgr_u8), settings)


def candidates_to_proposals(
    candidates: Candidates, settings: PrelabelSettings, category_ids: Mapping[int, int] | None = None
) -> list[Proposal]:
    """Best first. `category_ids` {the model's: the project's}; what it lacks is left out, None keeps the model's."""
    proposals: list[Proposal] = []
    for prediction in settings.select(candidates):
        category_id = prediction.category_id if category_ids is None else category_ids.get(prediction.category_id)
        if category_id is not None and prediction.polygons:
            proposals.append(Proposal(category_id, prediction.score, prediction.polygons, prediction.dense))
    return proposals
