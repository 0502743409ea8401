"""Undo and redo of each image: named, reversible steps without limit."""

from dataclasses import dataclass, field, replace

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance


@dataclass(frozen=True, slots=True)
class Step:
    """One gesture: `change` as it was applied, `label` as the menu names it."""

    label: str
    change: Change


@dataclass(slots=True)
class History:
    """The steps of one image; `undone` holds what redo brings back, last undone on top."""

    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    def push(self, step: Step) -> None:
        """A new step forgets what was undone before it."""
        self.done.append(step)
        self.undone.clear()

    def step_back(self) -> Step | None:
        """Move the latest step to the redo side; None when there is none."""
        if not self.done:
            return None
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def step_forward(self) -> Step | None:
        """Do again the step undone last."""
        if not self.undone:
            return None
        self.done.append(self.undone.pop())
        return self.done[-1]

    @property
    def undo_label(self) -> str | None:
        """Of the latest step; None where there is none."""
        return self.done[-1].label if self.done else None

    @property
    def redo_label(self) -> str | None:
        """Of the step undone last; None where there is none."""
        return self.undone[-1].label if self.undone else None


class Histories:
    """Those of all images that were edited or looked at; what a project cannot tell at the moment follows later."""

    def __init__(self) -> None:
        self._known: dict[int, History] = {}
        self._partial: set[int] = set()

    def __contains__(self, image_id: int) -> bool:
        return image_id in self._known

    def get(self, image_id: int) -> History | None:
        """That of an image, as far as it is known."""
        return self._known.get(image_id)

    def keep(self, image_id: int, history: History, *, is_partial: bool = False) -> History:
        """`is_partial`: it has the steps of this session only."""
        self._known[image_id] = history
        if is_partial:
            self._partial.add(image_id)
        return history

    def forget(self, image_id: int) -> None:
        """It is to be read again."""
        self._known.pop(image_id, None)

    def clear(self) -> None:
        """Another project: none of them is worth anything."""
        self._known.clear()
        self._partial.clear()

    @property
    def has_partial(self) -> bool:
        """Whether of some image only this session's steps are known."""
        return bool(self._partial)

    def forget_partial(self) -> None:
        """Read them again when they are asked for."""
        for image_id in self._partial:
            self.forget(image_id)
        self._partial.clear()


def rebased(change: Change, document: Document) -> Change:
    """`change` as it applies to `document`, whatever state it was made for: its outcome wins.

    A user's gesture that met a model run in between keeps its result, but for a class that it did not touch: that of
    the object may have been merged into another, or parted from it. What was already so is left out, and so is what
    only a preview of other thresholds showed (ids below 0), for it never was an object.
    """
    pairs = (
        (now, _in_class_of(now, before, after))
        for id_, before, after in change
        if id_ > 0
        for now in (document.instances.get(id_),)
    )
    return Change.of(pair for pair in pairs if pair != (None, None))


def _in_class_of(now: Instance | None, before: Instance | None, after: Instance | None) -> Instance | None:
    """`after`, in the class of `now` where the step did not give it another."""
    if now is None or before is None or after is None or before.category_id != after.category_id:
        return after
    return replace(after, category_id=now.category_id)


def difference(before: Document, after: Document) -> Change:
    """The change that leads from one state of an image to another."""
    ids = before.instances.keys() | after.instances.keys()
    return Change.of((before.instances.get(id_), after.instances.get(id_)) for id_ in sorted(ids))
