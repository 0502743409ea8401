"""The values of an annotated image: categories, images and instances, all frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from maskwright.geometry.polygon import Polygon, polygons_bounds_xyxy


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


class InstanceState(StrEnum):
    """Who decided about an instance. PROPOSED is a model's; all others are a user's decision."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    EDITED = "edited"
    DRAWN = "drawn"
    REJECTED = "rejected"

    @property
    def is_exported(self) -> bool:
        """Whether the instance is part of the corrected data set (proposals are exported only on request)."""
        return self in (InstanceState.ACCEPTED, InstanceState.EDITED, InstanceState.DRAWN)


class ImageState(StrEnum):
    """How far the work on an image has come."""

    UNSEEN = "unseen"
    PRELABELLED = "prelabelled"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    EMPTY = "empty"
    """A user looked and found nothing to annotate."""

    @property
    def is_untouched(self) -> bool:
        """Whether no user has worked on the image yet."""
        return self in (ImageState.UNSEEN, ImageState.PRELABELLED)


class ImageStanding(StrEnum):
    """Whether an image belongs to the data set. Its objects and history are kept in any case."""

    LISTED = "listed"
    EXCLUDED = "excluded"
    """Shown as excluded, and left out of batches, counts, exports and learning."""
    REMOVED = "removed"
    """As excluded, and hidden from the list."""


@dataclass(frozen=True, slots=True)
class Category:
    """A class of the project. `id` is the one in COCO files; ids may have gaps, 0 never occurs."""

    id: int
    name: str
    supercategory: str = ""
    colour: str = ""
    """`#rrggbb`; empty: the stable colour of the id."""
    extra: Mapping[str, Any] = field(default_factory=_empty, hash=False)
    """Unknown keys of an imported file, written back untouched."""


ASSISTED = "assist "
"""Prefix of the provenance if an assistant worked alone; one that refined a model's outline is named after " + "."""
BESIDE = " beside "
"""In the provenance's model name: precedes the model whose proposals this one extends."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a proposal came from: the model, the thresholds that selected it, and when."""

    model_name: str
    model_hash: str
    score_threshold: float
    nms_iou: float
    created_at: str
    """ISO 8601, UTC."""
    mask_threshold: float | None = None
    """Probability above which a pixel belonged to the mask; None: unknown, as for proposals of early versions."""
    min_iou: float | None = None
    """Least IoU of the outline with the mask, 1 for exact; None: unknown."""

    @property
    def is_by_assistant(self) -> bool:
        """Whether no model with thresholds was involved: an assistant outlined it or found it as similar."""
        return self.model_name.startswith(ASSISTED)

    @property
    def beside(self) -> str:
        """Name of the model whose proposals this one extends; empty if none."""
        return self.model_name.partition(BESIDE)[2]


@dataclass(frozen=True, slots=True)
class Instance:
    """One object in an image. `id` is unique in the project and never reused."""

    id: int
    category_id: int
    polygons: tuple[Polygon, ...]
    state: InstanceState = InstanceState.DRAWN
    score: float | None = None
    provenance: Provenance | None = None
    z: int = 0
    """Drawing order: higher is on top; equal values are ordered by id."""
    is_visible: bool = True
    is_locked: bool = False
    is_crowd: bool = False
    extra: Mapping[str, Any] = field(default_factory=_empty, hash=False)
    """Unknown keys of an imported file, written back untouched."""
    dense: bytes | None = None
    """The full outline, packed (`geometry.dense`), if `polygons` is a simplified version of it."""
    edited_at: str = field(default="", compare=False)
    """When a user last changed it (ISO 8601, UTC); empty: never."""

    @property
    def bounds_xyxy(self) -> tuple[float, float, float, float]:
        """Bounds of all parts, image pixels."""
        return polygons_bounds_xyxy(self.polygons)

    @property
    def vertex_count(self) -> int:
        """Number of vertices of all rings."""
        return sum(polygon.vertex_count for polygon in self.polygons)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of a project. `width` and `height` are those after EXIF rotation."""

    id: int
    file_name: str
    """Relative to the project's image root, with forward slashes."""
    width: int
    height: int
    state: ImageState = ImageState.UNSEEN
    instance_count: int = 0
    extra: Mapping[str, Any] = field(default_factory=_empty, hash=False)
    standing: ImageStanding = ImageStanding.LISTED
