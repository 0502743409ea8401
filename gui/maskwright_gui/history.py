"""Undo and redo of each image: named, reversible steps without limit."""

from dataclasses import dataclass, field

from maskwright.document.change import Change
from maskwright.document.document import Document


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
        if not self.undone:
            return None
        self.done.append(self.undone.pop())
        return self.done[-1]

    @property
    def undo_label(self) -> str | None:
        return self.done[-1].label if self.done else None

    @property
    def redo_label(self) -> str | None:
        return self.undone[-1].label if self.undone else None


def rebased(change: Change, document: Document) -> Change:
    """`change` as it applies to `document`, whatever state it was made for: its outcome wins.

    A person's gesture that met a model run in between keeps its result; what was already so is left out, and so is
    what only a preview of other thresholds showed (ids below 0), for it never was an object.
    """
    pairs = ((document.instances.get(id_), after) for id_, _, after in change if id_ > 0)
    return Change.of(pair for pair in pairs if pair != (None, None))


def difference(before: Document, after: Document) -> Change:
    """The change that leads from one state of an image to another."""
    ids = before.instances.keys() | after.instances.keys()
    return Change.of((before.instances.get(id_), after.instances.get(id_)) for id_ in sorted(ids))
