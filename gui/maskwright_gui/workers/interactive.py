"""One image through the model, stage by stage, so that a newer wish can stop it in between."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maskwright.document.values import Provenance
from maskwright.errors import MaskwrightError, ProjectError
from maskwright_gui.workers.narrowing import narrowed
from maskwright_gui.workers.requests import PredictRequest, PredictResult

if TYPE_CHECKING:
    from maskwright.inference.model import Model


log = logging.getLogger(__name__)


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
    request.project.forget_failure(request.image_id)
    note_uncertainty(request.project, request.image_id, candidates, settings, category_ids)
    return PredictResult(request, change, candidates, category_ids, len(proposals), time.perf_counter() - started)


def note_failure(request: PredictRequest, error: MaskwrightError) -> None:
    """Keep it for the list of failures; where even that cannot be written, the message on screen has to do."""
    try:
        request.project.note_failure(request.image_id, error.reason)
    except ProjectError as unwritten:
        log.warning("the failure on %s is not kept: %s", request.path, unwritten)


def _provenance(request: PredictRequest, model: "Model") -> Provenance:
    settings = request.settings
    score = model.default_score if settings.score is None else settings.score
    nms_iou = model.default_nms_iou if settings.nms_iou is None else settings.nms_iou
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return replace(settings, score=score, nms_iou=nms_iou).provenance(model.name, model.content_hash, now)
