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
from maskwright.learning.judge import DEFAULT_SCORE, figures_of, score_of_training
from maskwright.learning.looks import LOOKS_NAME, HeldOutComparison, HeldOutImage, looks_of

_log = logging.getLogger(__name__)


FEW_OBJECTS = 20
"""Below this many held-out objects, their best threshold is mostly chance."""
_LEAST_F1_SHARE = 0.5
"""A threshold from the training images must reach this share of the best F1 on the held-out ones."""


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

    def at_work(self, model: Model, best: Figures | None) -> tuple[float, Figures | None]:
        """The new model's score threshold for proposals, and its figures there.

        The threshold is the best one on the held-out images if these have enough objects, else one from the training
        images, on which a model is surer than on new ones. best: its figures at its best threshold, on all held-out
        images.
        """
        if best is not None and not self._is_chance(best):
            return best.score, best
        return self._at(self._from_training(model, self._own, lowers=True), model, best)

    def compared(self, new: Model, figures: Figures | None) -> tuple[Figures | None, Figures | None]:
        """The old model's figures on the images it has not seen, and the new one's on those if they are not all.

        figures: the new model's, as `at_work` returns them; the old one's threshold is found in the same way. What both
        find there is written to the work folder.
        """
        if self._truth is None or figures is None:
            return None, None
        looks: tuple[HeldOutImage, ...] = ()
        old = compared = None
        loaded = self._old_model()
        try:
            if loaded is not None:
                classes = self._old_classes(loaded)
                old = self._old_at_work(loaded, classes, is_chance=self._is_chance(figures))
                looks = self._looks(loaded, old, classes, only=self._job.old_judged_on)
        except MaskwrightError as error:
            _log.warning("%s cannot be evaluated: %s", self._job.old_model, error)
        if old is not None and old.images != figures.images:
            compared = self.figures(new, only=self._job.old_judged_on, score=figures.score)
        try:
            HeldOutComparison(self._looks(new, figures, self._own), looks).write(self._folder / LOOKS_NAME)
        except MaskwrightError as error:  # only for viewing: not worth failing a round
            _log.warning("the model's results cannot be stored: %s", error)
        return old, compared

    def _is_chance(self, figures: Figures) -> bool:
        """Whether the best threshold on the held-out images says little, and there are other images to take it from."""
        return figures.objects < FEW_OBJECTS and self._job.taught is not None

    def _old_at_work(self, model: Model, classes: Mapping[int, int], *, is_chance: bool) -> Figures | None:
        """An earlier round brings its threshold from its own training images; another model has not learned from any,
        so the best one there suits new images, too.
        """
        best = self.figures(model, only=self._job.old_judged_on, classes=classes)
        if best is None or not is_chance:
            return best
        is_own = self._job.old_is_own
        score = model.default_score if is_own else self._from_training(model, classes, lowers=False)
        return self._at(score, model, best, only=self._job.old_judged_on, classes=classes)[1]

    def _from_training(self, model: Model, classes: Mapping[int, int], *, lowers: bool) -> float:
        if self._job.taught is None:
            return DEFAULT_SCORE
        taught = self._folder / self._job.taught
        try:
            found = score_of_training(model, taught, Path(self._job.image_root), classes=classes, lowers=lowers)
        except MaskwrightError as error:
            _log.warning("the operating point is the usual one: %s", error)
            return DEFAULT_SCORE
        return found if found is not None else DEFAULT_SCORE

    def _at(
        self,
        score: float,
        model: Model,
        best: Figures | None,
        *,
        only: Sequence[int] | None = None,
        classes: Mapping[int, int] | None = None,
    ) -> tuple[float, Figures | None]:
        """`score` and the figures there; the best ones if `score` fails on the held-out images."""
        if best is None:
            return score, None
        found = self.figures(model, only=only, classes=classes, score=score)
        if found is None or found.f1 < _LEAST_F1_SHARE * best.f1:
            return best.score, best
        return score, found

    def _looks(
        self,
        model: Model,
        figures: Figures | None,
        classes: Mapping[int, int],
        only: Sequence[int] | None = None,
    ) -> tuple[HeldOutImage, ...]:
        if self._truth is None or figures is None:
            return ()
        root = Path(self._job.image_root)
        return looks_of(model, self._truth, root, score=figures.score, classes=classes, only=only)

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
