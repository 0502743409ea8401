"""One image to proposals, and to how sure the model is of them: the unit of work, without threads."""

from collections.abc import Mapping
from pathlib import Path

from maskwright.images import read_image
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model
from maskwright.prelabel.settings import PrelabelSettings
from maskwright.project import Project
from maskwright.project.proposals import Proposal
from maskwright.review.uncertainty import NAME as UNCERTAINTY
from maskwright.review.uncertainty import image_uncertainty


def prelabel_one(model: Model, image_path: Path, settings: PrelabelSettings) -> list[Proposal]:
    """Read, infer, select, trace; categories are the model's. Raises ImageError and ModelError."""
    return candidates_to_proposals(model.predict(read_image(image_path).bgr_u8), settings)


def candidates_to_proposals(
    candidates: Candidates,
    settings: PrelabelSettings,
    category_ids: Mapping[int, int] | None = None,
    *,
    packs_dense: bool = True,
) -> list[Proposal]:
    """Best first. `category_ids` {the model's: the project's}; what it lacks is left out, None keeps the model's.

    packs_dense: whether they get their `dense`, which only those need that are to be stored.
    """
    proposals: list[Proposal] = []
    for prediction in settings.select(candidates):
        category_id = prediction.category_id if category_ids is None else category_ids.get(prediction.category_id)
        if category_id is not None and prediction.polygons:
            dense = prediction.dense if packs_dense else None
            proposals.append(Proposal(category_id, prediction.score, prediction.polygons, dense))
    return proposals


def note_uncertainty(
    project: Project,
    image_id: int,
    candidates: Candidates,
    settings: PrelabelSettings,
    category_ids: Mapping[int, int] | None = None,
) -> None:
    """Keep how much a person is likely to have to correct, for the order of review. Raises ProjectError.

    Classes that are not proposed raise no doubts: see `candidates_to_proposals` for `category_ids`.
    """
    wanted = settings.categories
    if category_ids is not None:
        wanted = tuple(id_ for id_ in category_ids if wanted is None or id_ in wanted)
    is_agnostic = settings.is_class_agnostic
    doubt = image_uncertainty(
        candidates, settings.score, settings.nms_iou, class_agnostic=is_agnostic, categories=wanted
    )
    project.set_signals(UNCERTAINTY, {image_id: (doubt.value, doubt.detail)})
