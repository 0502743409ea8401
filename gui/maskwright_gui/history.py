"""Undo and redo of each image: named, reversible steps without limit."""

from dataclasses import dataclass, field, replace
from typing import Literal

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
    """The steps of one image; `undone` holds what redo restores, last undone on top."""

    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    def push(self, step: Step) -> None:
        """Add a step; what was undone before is forgotten."""
        self.done.append(step)
        self.undone.clear()

    def step_back(self) -> Step | None:
        """Move the latest step to the redo side; None if there is none."""
        if not self.done:
            return None
        self.undone.append(self.done.pop())
        return self.undone[-1]

    def step_forward(self) -> Step | None:
        """Redo the step undone last."""
        if not self.undone:
            return None
        self.done.append(self.undone.pop())
        return self.done[-1]

    def repeat(self, label: str, change: Change, kind: Literal["edit", "undo", "redo"]) -> None:
        """Record what was applied to the image; undo and redo find their step even where it is not among these."""
        match kind:
            case "edit":
                self.push(Step(label, change))
            case "undo":
                if self.step_back() is None:
                    self.undone.append(Step(label, change.inverse()))
            case "redo":
                if self.step_forward() is None:
                    self.done.append(Step(label, change))

    @property
    def undo_label(self) -> str | None:
        """Label of the latest step; None if there is none."""
        return self.done[-1].label if self.done else None

    @property
    def redo_label(self) -> str | None:
        """Label of the step undone last; None if there is none."""
        return self.undone[-1].label if self.undone else None


class Histories:
    """The histories of all images edited or viewed; what the project cannot read now follows later."""

    def __init__(self) -> None:
        self._known: dict[int, History] = {}
        self._partial: set[int] = set()

    def __contains__(self, image_id: int) -> bool:
        return image_id in self._known

    def get(self, image_id: int) -> History | None:
        """The history of the image, as far as it is known."""
        return self._known.get(image_id)

    def keep(self, image_id: int, history: History, *, is_partial: bool = False) -> History:
        """is_partial: it has only the steps of this session."""
        self._known[image_id] = history
        if is_partial:
            self._partial.add(image_id)
        return history

    def forget(self, image_id: int) -> None:
        """Read the history of the image again when needed."""
        self._known.pop(image_id, None)

    def clear(self) -> None:
        """Forget all: another project is open."""
        self._known.clear()
        self._partial.clear()

    @property
    def has_partial(self) -> bool:
        """Whether only this session's steps of some image are known."""
        return bool(self._partial)

    def forget_partial(self) -> None:
        """Read them again when needed."""
        for image_id in self._partial:
            self.forget(image_id)
        self._partial.clear()


def rebased(change: Change, document: Document) -> Change:
    """`change` as it applies to `document`, whatever state it was made for: its outcome wins.

    A user's gesture keeps its result even if a model ran in between, except for a class that it did not touch, since
    that may have been merged into another or separated. What is already so is left out, and so is what only a preview
    of other thresholds showed (ids below 0), for it never was an object.
    """
    pairs = (
        (now, _in_class_of(now, before, after))
        for id_, before, after in change
        if id_ > 0
        for now in (document.instances.get(id_),)
    )
    return Change.of(pair for pair in pairs if pair != (None, None))


def _in_class_of(now: Instance | None, before: Instance | None, after: Instance | None) -> Instance | None:
    """`after`, with the class of `now` unless the step changed the class."""
    if now is None or before is None or after is None or before.category_id != after.category_id:
        return after
    return replace(after, category_id=now.category_id)


def difference(before: Document, after: Document) -> Change:
    """The change from one state of an image to another."""
    ids = before.instances.keys() | after.instances.keys()
    return Change.of((before.instances.get(id_), after.instances.get(id_)) for id_ in sorted(ids))
