"""From a model's candidates to a project's proposals: the unit of work, without threads.

The one place that combines thresholds, classes left out, the mapping of the model's classes to the project's, and the
estimate of corrections; used by the batch, the window's sliders and a second model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from maskwright.document.change import Change
from maskwright.document.values import Provenance
from maskwright.images import read_image
from maskwright.inference.candidate_cache import ModelMark
from maskwright.inference.candidates import Candidates
from maskwright.inference.labels import ModelCategory
from maskwright.inference.model import Model
from maskwright.inference.thresholds import Thresholds
from maskwright.prelabel.mapping import project_categories
from maskwright.project import Project
from maskwright.project.layer import ImageProposals
from maskwright.project.proposals import ModelProposal
from maskwright.review.uncertainty import NAME as UNCERTAINTY
from maskwright.review.uncertainty import image_uncertainty


def prelabel_one(model: Model, image_path: Path, thresholds: Thresholds) -> list[ModelProposal]:
    """Read, infer, select, trace; categories are the model's. Raises ImageError and ModelError."""
    same = {category.id: category.id for category in model.labels}
    proposer = Proposer(ModelMark(model.name, model.content_hash), thresholds, same)
    return proposer.proposals(model.predict(read_image(image_path).bgr_u8))


@dataclass(frozen=True, slots=True)
class Proposer:
    """Turns one model's candidates into a project's proposals at certain thresholds."""

    model: ModelMark
    thresholds: Thresholds
    """In terms of the model, see `Thresholds.within`."""
    category_ids: Mapping[int, int]
    """{the model's id: the project's}; classes without an entry are not proposed."""

    @classmethod
    def of(
        cls, project: Project, model: "Model | ModelMark", labels: Iterable[ModelCategory], thresholds: Thresholds
    ) -> Self:
        """With the project's own mapping; new classes are created. Raises ProjectError."""
        category_ids = project_categories(project, labels, model.content_hash)
        return cls(ModelMark(model.name, model.content_hash), thresholds.within(category_ids), category_ids)

    @property
    def covers(self) -> frozenset[int]:
        """The project's classes that it can propose."""
        wanted = self.thresholds.categories
        return frozenset(ours for own, ours in self.category_ids.items() if wanted is None or own in wanted)

    def at(self, thresholds: Thresholds) -> Self:
        """The same model and classes at other thresholds."""
        return replace(self, thresholds=thresholds.within(self.category_ids))

    def proposals(self, candidates: Candidates, *, packs_dense: bool = True) -> list[ModelProposal]:
        """Best first. packs_dense: include `dense`, which only proposals to be stored need, as they need `signals`."""
        proposals: list[ModelProposal] = []
        for prediction in candidates.selected(self.thresholds, notes_looseness=packs_dense):
            category_id = self.category_ids.get(prediction.category_id)
            if category_id is not None and prediction.polygons:
                dense = prediction.dense if packs_dense else None
                outline, is_box = prediction.polygons, prediction.is_box
                proposals.append(ModelProposal(category_id, prediction.score, outline, dense, is_box=is_box))
        return proposals

    def provenance(self, candidates: Candidates, when: str | None = None) -> Provenance:
        """The origin of proposals at these thresholds; `when`: ISO 8601, None for now."""
        own, model = self.thresholds.over(candidates.defaults), self.model
        mask_threshold, min_iou = self.thresholds.mask_threshold, self.thresholds.min_iou
        when = when if when is not None else datetime.now(UTC).isoformat(timespec="seconds")
        return Provenance(model.name, model.content_hash, own.score, own.nms_iou, when, mask_threshold, min_iou)

    def signals(self, candidates: Candidates) -> dict[str, tuple[float, Any]]:
        """{name: (value, detail)}: how much a user will probably have to correct, for the review order.

        Classes that are not proposed are left out.
        """
        wanted = self.thresholds.categories
        proposed = tuple(id_ for id_ in self.category_ids if wanted is None or id_ in wanted)
        found = image_uncertainty(candidates, replace(self.thresholds, categories=proposed))
        return {UNCERTAINTY: (found.value, found.detail)}

    def store(self, project: Project, image_id: int, candidates: Candidates, when: str | None = None) -> Change:
        """Replace the image's open proposals; returns the change. Raises ProjectError.

        For one image of many: classes left without objects stay listed until `project.categories.release`.
        """
        found = ImageProposals(image_id, self.proposals(candidates), self.signals(candidates))
        provenance = self.provenance(candidates, when)
        return project.proposals.put_many([found], provenance=provenance).get(image_id, Change.of(()))
