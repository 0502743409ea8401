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
    """Whose word an instance is. Only PROPOSED belongs to a model; all others are a user's decision."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    EDITED = "edited"
    DRAWN = "drawn"
    REJECTED = "rejected"

    @property
    def is_exported(self) -> bool:
        """Whether the instance is part of the corrected data set (proposals only if a user asks for them)."""
        return self in (InstanceState.ACCEPTED, InstanceState.EDITED, InstanceState.DRAWN)


class ImageState(StrEnum):
    """How far the work on an image is."""

    UNSEEN = "unseen"
    PRELABELLED = "prelabelled"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    EMPTY = "empty"
    """A user looked and there is nothing to annotate."""

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has worked on the image yet."""
        return self in (ImageState.UNSEEN, ImageState.PRELABELLED)


class ImageStanding(StrEnum):
    """Whether an image belongs to the set. Its objects and its history are kept in any case."""

    LISTED = "listed"
    EXCLUDED = "excluded"
    """Shown as such, and left out of batches, counts, exports and learning."""
    REMOVED = "removed"
    """As excluded, and out of sight."""


@dataclass(frozen=True, slots=True)
class Category:
    """A class of the project. `id` is what COCO files carry; gaps are fine, 0 never occurs."""

    id: int
    name: str
    supercategory: str = ""
    colour: str = ""
    """`#rrggbb`; empty: the stable colour of the id."""
    extra: Mapping[str, Any] = field(default_factory=_empty, hash=False)
    """Unknown keys of an imported file, written back untouched."""


ASSISTED = "assist "
"""What the name of an origin begins with where an assistant did it alone; one that refined comes after " + "."""
BESIDE = " beside "
"""In the name of a model, before that of the one whose proposals it extends."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a proposal came from: the model, the thresholds that chose it, and when."""

    model_name: str
    model_hash: str
    score_threshold: float
    nms_iou: float
    created_at: str
    """ISO 8601, UTC."""
    mask_threshold: float | None = None
    """Probability from which a pixel belonged to it; None: not known, as with all that earlier versions proposed."""
    min_iou: float | None = None
    """How true its outline had to be to the mask, 1 for exactly; None: not known."""

    @property
    def is_by_assistant(self) -> bool:
        """Whether no model with thresholds is behind it: an assistant was pointed at it, or found it alike."""
        return self.model_name.startswith(ASSISTED)

    @property
    def beside(self) -> str:
        """Name of the model whose proposals it extends by a class that this one lacks; empty: of none."""
        return self.model_name.partition(BESIDE)[2]


@dataclass(frozen=True, slots=True)
class Instance:
    """One object on an image. `id` is unique in the project and never reused."""

    id: int
    category_id: int
    polygons: tuple[Polygon, ...]
    state: InstanceState = InstanceState.DRAWN
    score: float | None = None
    provenance: Provenance | None = None
    z: int = 0
    """Drawing order: higher is above; equal values are ordered by id."""
    is_visible: bool = True
    is_locked: bool = False
    is_crowd: bool = False
    extra: Mapping[str, Any] = field(default_factory=_empty, hash=False)
    """Unknown keys of an imported file, written back untouched."""
    dense: bytes | None = None
    """The outline with all its detail, packed (`geometry.dense`), where `polygons` is a simplified one of it."""
    edited_at: str = field(default="", compare=False)
    """When a user last touched it (ISO 8601, UTC), as the project knows; empty: nobody has."""

    @property
    def bounds_xyxy(self) -> tuple[float, float, float, float]:
        return polygons_bounds_xyxy(self.polygons)

    @property
    def vertex_count(self) -> int:
        return sum(polygon.vertex_count for polygon in self.polygons)


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of a project. `width` and `height` are those after EXIF orientation."""

    id: int
    file_name: str
    """Relative to the project's image root, forward slashes."""
    width: int
    height: int
    state: ImageState = ImageState.UNSEEN
    instance_count: int = 0
    extra: Mapping[str, Any] = field(default_factory=_empty, hash=False)
    standing: ImageStanding = ImageStanding.LISTED
