"""Evaluation on a round's held-out images: figures of the new and the previous model, and their objects for
viewing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from maskwright.errors import MaskwrightError
from maskwright.evaluation.truth import category_map, read_truth
from maskwright.inference.model import Model, load_model
from maskwright.learning.gate import Figures
from maskwright.learning.job import LearningJob
from maskwright.learning.judge import DEFAULT_SCORE, figures_of, score_for_new_images
from maskwright.learning.looks import LOOKS_NAME, HeldOutComparison, HeldOutImage, looks_of

_log = logging.getLogger(__name__)


FEW_OBJECTS = 20
"""Below this many held-out objects, their best threshold is mostly chance."""


class HeldOut:
    """Held-out images in a round's work folder; empty if too few images are done."""

    def __init__(self, job: LearningJob, folder: Path) -> None:
        self._job, self._folder = job, folder
        self._truth = folder / job.truth if job.truth is not None else None
        self._own = {id_: id_ for id_ in job.category_ids}

    def figures(
        self,
        model: Model,
        *,
        only: Sequence[int] | None = None,
        classes: Mapping[int, int] | None = None,
        score: float | None = None,
    ) -> Figures | None:
        """classes: {the model's id: the project's}; None for the new model, which has the project's own.

        score: as `figures_of` takes it.
        """
        if self._truth is None:
            return None
        own = self._own if classes is None else classes
        return figures_of(model, self._truth, Path(self._job.image_root), only=only, classes=own, score=score)

    def cut(self, model: Model, best: Figures | None) -> float:
        """The score threshold for proposals: the best one on the held-out images if these have enough objects, else
        one from the training images, on which a model is surer than on new ones.

        best: the new model's figures on the held-out images.
        """
        if best is not None and (best.objects >= FEW_OBJECTS or self._job.taught is None):
            return best.score
        if self._job.taught is None:
            return DEFAULT_SCORE
        try:
            taught = self._folder / self._job.taught
            found = score_for_new_images(model, taught, Path(self._job.image_root), classes=self._own)
        except MaskwrightError as error:
            _log.warning("the operating point is the usual one: %s", error)
            return DEFAULT_SCORE
        return found if found is not None else DEFAULT_SCORE

    def compared(self, new: Model, best: Figures | None) -> tuple[Figures | None, Figures | None]:
        """The old model's figures on the images it has not seen, and the new one's on those if they are not all.

        best: the new model's figures on all of them. What both find is written to the work folder.
        """
        if self._truth is None or best is None:
            return None, None
        looks: tuple[HeldOutImage, ...] = ()
        old = compared = None
        loaded = self._old_model()
        try:
            if loaded is not None:
                classes = self._old_classes(loaded)
                old = self.figures(loaded, only=self._job.old_judged_on, classes=classes)
                looks = self._looks(loaded, old, classes)
        except MaskwrightError as error:
            _log.warning("%s cannot be evaluated: %s", self._job.old_model, error)
        if old is not None and old.images != best.images:
            compared = self.figures(new, only=self._job.old_judged_on)
        try:
            HeldOutComparison(self._looks(new, best, self._own), looks).write(self._folder / LOOKS_NAME)
        except MaskwrightError as error:  # only for viewing: not worth failing a round
            _log.warning("the model's results cannot be stored: %s", error)
        return old, compared

    def _looks(self, model: Model, figures: Figures | None, classes: Mapping[int, int]) -> tuple[HeldOutImage, ...]:
        if self._truth is None or figures is None:
            return ()
        return looks_of(model, self._truth, Path(self._job.image_root), score=figures.score, classes=classes)

    def _old_model(self) -> Model | None:
        job = self._job
        if job.old_model is None or not job.old_judged_on:
            return None
        try:
            return load_model(job.old_model, num_threads=job.threads)
        except MaskwrightError as error:
            _log.warning("%s cannot be loaded: %s", job.old_model, error)
            return None

    def _old_classes(self, model: Model) -> dict[int, int]:
        """The previous model's classes in the project, named as for its proposals."""
        decided = dict(self._job.old_classes)
        if self._job.old_is_own or self._truth is None:
            return decided
        truth = read_truth(self._truth)
        by_name, _ = category_map(((label.id, label.name) for label in model.labels), truth["categories"])
        return by_name | decided
