"""A reversible change of one image's instances: the only thing that edits, undo and the store ever exchange.

With it goes what the step took of the user, and how far the image is afterwards.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from maskwright.document.values import ImageState, Instance, InstanceState

IDLE_S = 30.0
"""A longer pause counts as so many seconds of looking; the rest of it is idle."""


@dataclass(frozen=True, slots=True)
class UserEffort:
    """What a user did since the step before."""

    clicks: int = 0
    keys: int = 0
    active_s: float = 0.0
    """Idle time is cut."""


@dataclass(frozen=True, slots=True)
class Change:
    """{instance id: (before, after)}; None before means created, None after means deleted."""

    entries: Mapping[int, tuple[Instance | None, Instance | None]]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Instance | None, Instance | None]]) -> "Change":
        """From (before, after) pairs; pairs that change nothing are left out.

        Raises ValueError when both sides are None, the two sides' ids differ or an id occurs twice.
        """
        entries: dict[int, tuple[Instance | None, Instance | None]] = {}
        for before, after in pairs:
            known = before if before is not None else after
            if known is None:
                raise ValueError("expected an instance before or after, got neither")
            if before is not None and after is not None and before.id != after.id:
                raise ValueError(f"expected one id, got {before.id} and {after.id}")
            if known.id in entries:
                raise ValueError(f"instance {known.id} occurs twice in one change")
            if before != after:
                entries[known.id] = (before, after)
        return cls(MappingProxyType(entries))

    @classmethod
    def create(cls, instances: Iterable[Instance]) -> "Change":
        return cls.of((None, instance) for instance in instances)

    @classmethod
    def delete(cls, instances: Iterable[Instance]) -> "Change":
        return cls.of((instance, None) for instance in instances)

    @property
    def is_empty(self) -> bool:
        return not self.entries

    def inverse(self) -> "Change":
        """The change that takes this one back."""
        return Change(MappingProxyType({id_: (after, before) for id_, (before, after) in self.entries.items()}))

    def then(self, later: "Change") -> "Change":
        """Both changes as one, this one first."""
        merged = dict(self.entries)
        for id_, (before, after) in later.entries.items():
            first = merged[id_][0] if id_ in merged else before
            merged[id_] = (first, after)
        return Change(MappingProxyType({id_: pair for id_, pair in merged.items() if pair[0] != pair[1]}))

    def __iter__(self) -> Iterator[tuple[int, Instance | None, Instance | None]]:
        return ((id_, before, after) for id_, (before, after) in self.entries.items())

    def __len__(self) -> int:
        return len(self.entries)


UNTOUCHED = (ImageState.UNSEEN, ImageState.PRELABELLED, ImageState.EMPTY)
"""An edit makes them "in progress"."""


def after_edit(state: ImageState) -> ImageState:
    """When a user has changed an object."""
    return ImageState.IN_PROGRESS if state in UNTOUCHED else state


def is_work(change: Change) -> bool:
    """Whether a step is the user's decision on the image; one that leaves proposals proposals is not."""
    sides = (instance for _, before, after in change for instance in (before, after) if instance is not None)
    return any(instance.state is not InstanceState.PROPOSED for instance in sides)


def after_proposals(state: ImageState) -> ImageState:
    """When a model has said what it sees."""
    return ImageState.PRELABELLED if state is ImageState.UNSEEN else state
