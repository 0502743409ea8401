"""What a check before or after an export found, in a form that a list can show and jump from."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong."""

    DUPLICATE_ID = "duplicate id"
    FEW_POINTS = "fewer than three points"
    ZERO_AREA = "covers no pixel"
    SELF_INTERSECTION = "outline crosses itself"
    SLIVER = "sliver"
    OUTSIDE = "outside the image"
    NEAR_DUPLICATE = "near-duplicate"
    UNKNOWN_CLASS = "unknown class"
    UNUSED_CLASS = "unused class"
    MISSING_IMAGE = "image missing"
    CHANGED_IMAGE = "image changed"
    TURNED_IMAGE = "image orientation differs"
    PAGE_OF_FILE = "page of a file"
    NAME_COLLISION = "name collision"
    BOX_ONLY = "box without outline"
    UNVERIFIED_EMPTY = "empty but not verified"
    WRONG_IN_FILE = "wrong in the file"
    DAMAGED_ROW = "damaged in the project"


_ERRORS = frozenset({
    Kind.DUPLICATE_ID, Kind.FEW_POINTS, Kind.ZERO_AREA, Kind.UNKNOWN_CLASS, Kind.CHANGED_IMAGE, Kind.TURNED_IMAGE,
    Kind.WRONG_IN_FILE, Kind.DAMAGED_ROW,
})  # fmt: skip
_FIXABLE = frozenset({Kind.FEW_POINTS, Kind.ZERO_AREA, Kind.SELF_INTERSECTION, Kind.SLIVER, Kind.OUTSIDE})


@dataclass(frozen=True, slots=True)
class DamagedRow:
    """A row of a project that cannot be read; `row` says which, such as "object 17"."""

    row: str
    reason: str
    image_id: int | None = None
    """The image that it belongs to, where it belongs to one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`image_id` and `instance_id` say where to jump; 0 where the whole set is meant."""

    kind: Kind
    message: str
    image_id: int = 0
    instance_id: int = 0

    @property
    def is_error(self) -> bool:
        """Whether a consumer would refuse or misread the file; the others are worth a look."""
        return self.kind in _ERRORS

    @property
    def is_fixable(self) -> bool:
        """Whether `gate.fixed` can mend it without changing what is meant."""
        return self.kind in _FIXABLE
