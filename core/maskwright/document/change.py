"""A reversible change of one image's instances: the only thing that edits, undo and the store exchange.

It also carries the user's effort and the image's state afterwards."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from maskwright.document.values import ImageState, Instance, InstanceState

IDLE_S = 30.0
"""In a longer pause only this many seconds count; the rest is idle time."""


@dataclass(frozen=True, slots=True)
class UserEffort:
    """What a user did since the previous step."""

    clicks: int = 0
    keys: int = 0
    active_s: float = 0.0
    """Without idle time."""


@dataclass(frozen=True, slots=True)
class Change:
    """{instance id: (before, after)}; before is None if created, after is None if deleted."""

    entries: Mapping[int, tuple[Instance | None, Instance | None]]

    @classmethod
    def of(cls, pairs: Iterable[tuple[Instance | None, Instance | None]]) -> "Change":
        """Build from (before, after) pairs; pairs without a difference are dropped.

        Raises ValueError if both sides are None, their ids differ or an id occurs twice.
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
        """A change that adds these instances."""
        return cls.of((None, instance) for instance in instances)

    @classmethod
    def delete(cls, instances: Iterable[Instance]) -> "Change":
        """A change that removes these instances."""
        return cls.of((instance, None) for instance in instances)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not self.entries

    def inverse(self) -> "Change":
        """The change that undoes this one."""
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
"""States that an edit turns into "in progress"."""


def after_edit(state: ImageState) -> ImageState:
    """The image's state after a user has edited an object."""
    return ImageState.IN_PROGRESS if state in UNTOUCHED else state


def is_work(change: Change) -> bool:
    """Whether a step is a user's decision about the image; one that only alters proposals is not."""
    sides = (instance for _, before, after in change for instance in (before, after) if instance is not None)
    return any(instance.state is not InstanceState.PROPOSED for instance in sides)


def after_proposals(state: ImageState) -> ImageState:
    """The image's state after a model has proposed."""
    return ImageState.PRELABELLED if state is ImageState.UNSEEN else state
