"""What a person chooses before a batch; None stands for the model's own operating point."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from maskwright.document.values import Provenance
from maskwright.errors import ModelError
from maskwright.inference.candidates import Candidates
from maskwright.inference.labels import ModelCategory
from maskwright.inference.prediction import Prediction


@dataclass(frozen=True, slots=True)
class PrelabelSettings:
    """Thresholds of a batch, meanings as in `Candidates.select`; `categories` are the model's ids, None for all."""

    score: float | None = None
    nms_iou: float | None = None
    max_instances: int | None = None
    is_class_agnostic: bool = False
    mask_threshold: float = 0.5
    min_iou: float | None = 0.98
    """How true the polygons stay to the masks; None: exactly."""
    categories: tuple[int, ...] | None = None

    def select(self, candidates: Candidates) -> tuple[Prediction, ...]:
        return candidates.select(
            self.score,
            self.nms_iou,
            self.max_instances,
            class_agnostic=self.is_class_agnostic,
            mask_threshold=self.mask_threshold,
            categories=self.categories,
            min_iou=self.min_iou,
            clip_to_box=True,
        )

    def provenance(self, model_name: str, model_hash: str, created_at: str) -> Provenance:
        """Of what these settings let pass; score and overlap are to be known."""
        score, nms_iou, min_iou = self.score or 0.0, self.nms_iou or 0.0, self.min_iou or 1.0
        return Provenance(model_name, model_hash, score, nms_iou, created_at, self.mask_threshold, min_iou)

    def to_json(self) -> dict[str, Any]:
        """Plain values; equal settings give equal dictionaries."""
        values = asdict(self)
        return values | {"categories": list(self.categories) if self.categories is not None else None}


def category_ids(wanted: Sequence[str], labels: Sequence[ModelCategory]) -> tuple[int, ...]:
    """The ids of categories given by name (without case) or number.

    Raises ModelError naming what is unknown and what there is.
    """
    by_name = {label.name.casefold(): label.id for label in labels} | {str(label.id): label.id for label in labels}
    unknown = [name for name in wanted if name.strip().casefold() not in by_name]
    if unknown:
        known = ", ".join(label.name for label in labels[:100])
        raise ModelError(f"the model has no class {', '.join(unknown)}", hint=f"it has: {known}")
    return tuple(sorted({by_name[name.strip().casefold()] for name in wanted}))
