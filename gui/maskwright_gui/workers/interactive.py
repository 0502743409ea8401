"""One image through the model, stage by stage, so that a newer wish can stop it in between."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maskwright.document.values import Provenance
from maskwright_gui.workers.narrowing import narrowed
from maskwright_gui.workers.requests import PredictRequest, PredictResult

if TYPE_CHECKING:
    from maskwright.inference.model import Model


class SupersededError(Exception):
    """Raised between two stages when the request is not wanted any more."""


def predict_image(request: PredictRequest, load: Callable[[], "Model"], is_wanted: Callable[[], bool]) -> PredictResult:
    """Load, decode, infer, select, store. Raises SupersededError, or the MaskwrightError of the stage that failed."""
    from maskwright.images.decode import read_image
    from maskwright.images.identity import SeenFile
    from maskwright.prelabel.mapping import project_categories
    from maskwright.prelabel.proposing import candidates_to_proposals, note_uncertainty

    def check() -> None:
        if not is_wanted():
            raise SupersededError

    started = time.perf_counter()
    model = load()
    check()
    seen = SeenFile.now(request.path)
    pixels = read_image(request.path).bgr_u8
    check()
    candidates = model.predict(pixels)
    check()
    request.cache.put(model, request.image_id, candidates, seen)
    category_ids = project_categories(request.project, model.labels, model.content_hash)
    settings = narrowed(request.settings, request.left_out, category_ids)
    proposals = candidates_to_proposals(candidates, settings, category_ids)
    check()
    change = request.project.put_proposals(request.image_id, proposals, provenance=_provenance(request, model))
    note_uncertainty(request.project, request.image_id, candidates, request.settings)
    return PredictResult(request, change, candidates, category_ids, len(proposals), time.perf_counter() - started)


def _provenance(request: PredictRequest, model: "Model") -> Provenance:
    score, nms_iou = request.settings.score, request.settings.nms_iou
    return Provenance(
        model.name,
        model.content_hash,
        model.default_score if score is None else score,
        model.default_nms_iou if nms_iou is None else nms_iou,
        datetime.now(UTC).isoformat(timespec="seconds"),
    )
