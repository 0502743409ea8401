"""One image through the model for the window: a newer wish stops it between two stages, the image is decoded once."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import MaskwrightError, ProjectError
from maskwright.monitor import OperationCancelledError
from maskwright_gui.workers.requests import PredictRequest, PredictResult

if TYPE_CHECKING:
    from maskwright.images.identity import SeenFile
    from maskwright.inference.model import Model


log = logging.getLogger(__name__)

Decoded = Callable[[int, Path], "tuple[SeenFile, NDArray[np.uint8]] | None"]
"""(image id, path) to the file and its pixels where somebody has decoded them already, as `ImageLoader.decoded`."""


class WantedMonitor:
    """Cancels a request that is not wanted any more."""

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self.check()

    def check(self) -> None:
        if not self._is_wanted():
            raise OperationCancelledError


def answer(
    request: PredictRequest, load: Callable[[], "Model"], is_wanted: Callable[[], bool], decoded: Decoded
) -> PredictResult:
    """Load the model and run it. Raises OperationCancelledError, or the MaskwrightError of the stage that failed."""
    from maskwright.operations.proposing import predict_image

    monitor = WantedMonitor(is_wanted)
    model = load()
    monitor.check()
    outcome = predict_image(
        request.project,
        request.image_id,
        model,
        request.thresholds,
        cache=request.cache,
        pixels=decoded(request.image_id, request.path),
        monitor=monitor,
    )
    return PredictResult(request, outcome)


def note_failure(request: PredictRequest, error: MaskwrightError) -> None:
    """Keep it for the list of failures; where even that cannot be written, the message on screen has to do."""
    try:
        request.project.note_failure(request.image_id, error.reason)
    except ProjectError as unwritten:
        log.warning("the failure on %s is not kept: %s", request.path, unwritten)
