"""What the user has pointed at so far, the answers, and the object that it becomes: plain values, no Qt, no network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ASSISTED, Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon

Point = tuple[float, float]
Box = tuple[float, float, float, float]


class OutlineAnswer(Protocol):
    """What the tool needs of an answer; see `maskwright.assist.outline.Outline`."""

    @property
    def polygons(self) -> tuple[Polygon, ...]: ...
    @property
    def dense(self) -> bytes | None: ...
    @property
    def score(self) -> float: ...
    @property
    def area(self) -> int: ...
    @property
    def others(self) -> "Sequence[OutlineAnswer]": ...


@dataclass(frozen=True, slots=True)
class Press:
    """One input of the user: a point, several points along a stroke, or a box."""

    points: tuple[Point, ...] = ()
    label: int = 1
    """1: on the object, 0: not on it."""
    box: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PointPrompt:
    """A question to the assistant. `serial` increases with every question, so that answers can be matched."""

    serial: int
    image_id: int
    presses: tuple[Press, ...]
    base: tuple[Polygon, ...] = ()
    """The outline to correct; none for a new object."""
    previous: OutlineAnswer | None = None
    """The answer to the presses before the last one."""
    is_hover: bool = False
    """Whether nothing was pressed yet, and this asks what a click here would outline."""

    @property
    def is_search(self) -> bool:
        """Whether the object's size is unknown: finding it takes several times as long."""
        return self.box_xyxy is None and not self.base and self.previous is None

    @property
    def points_xy(self) -> list[Point]:
        """(N, 2) image coordinates of the clicks."""
        return [point for press in self.presses for point in press.points]

    @property
    def labels(self) -> list[int]:
        """(N,) 1 for what belongs to the object, 0 for what does not."""
        return [press.label for press in self.presses for _ in press.points]

    @property
    def box_xyxy(self) -> Box | None:
        """The latest box."""
        return next((press.box for press in reversed(self.presses) if press.box is not None), None)


@dataclass(frozen=True, slots=True, eq=False)
class Foreseen:
    """The outline that a press would give, requested before it is made. presses: those of its draft, then the press
    itself.
    """

    serial: int
    presses: tuple[Press, ...]
    outline: OutlineAnswer | None = None
    """None while it is awaited, or if nothing was found."""

    @property
    def is_of_box(self) -> bool:
        """Whether the last press is a box."""
        return self.presses[-1].box is not None

    def is_like(self, presses: Sequence[Press]) -> bool:
        """Whether it follows the same presses with one nearby, so that it may be shown for a moment."""
        before, press = self.presses[:-1], self.presses[-1]
        last = presses[-1]
        same_kind = (press.label, bool(press.box), len(press.points)) == (last.label, bool(last.box), len(last.points))
        return before == tuple(presses[:-1]) and same_kind


class Outliner(Protocol):
    """Answers prompts in the background, the newest first."""

    def ask(self, prompt: PointPrompt) -> None:
        """Ask for an outline; the answer comes later."""

    def keep(self, serial: int) -> None:
        """Answer this prompt even if others follow: the user has accepted it unseen."""

    def finish(self, accepted: "Accepted") -> None:
        """Its tool or image is gone: make the object there, when the answer comes or at once."""

    def provenance(self, presses: int) -> Provenance | None:
        """Provenance of an object outlined by that many presses."""


@dataclass(slots=True)
class Draft:
    """An object being outlined or corrected; each press is one step that can be taken back."""

    serials: list[int] = field(default_factory=list)
    presses: list[Press] = field(default_factory=list)
    answers: list[OutlineAnswer | None] = field(default_factory=list)
    """One for each press; None while it is awaited, or if nothing was found."""
    is_answered: list[bool] = field(default_factory=list)
    base: Instance | None = None
    choice: int | None = None
    """Which candidate for the latest press was chosen, smallest first; None: the assistant's choice."""

    def add(self, press: Press, serial: int) -> None:
        """Add a click, box or stroke."""
        self.presses.append(press)
        self.serials.append(serial)
        self.answers.append(None)
        self.is_answered.append(False)
        self.choice = None

    def take_back(self) -> None:
        """Remove the latest press."""
        for steps in (self.presses, self.serials, self.answers, self.is_answered):
            steps.pop()
        self.choice = None

    def answer(self, serial: int, outline: OutlineAnswer | None) -> bool:
        """Store an answer; returns whether it belongs to one of the presses."""
        if serial not in self.serials:
            return False
        place = self.serials.index(serial)
        self.answers[place], self.is_answered[place] = outline, True
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether the latest press has no answer yet."""
        return not self.is_answered[-1]

    @property
    def latest(self) -> OutlineAnswer | None:
        """The newest answer, with the user's choice of candidate."""
        found = next((answer for answer in reversed(self.answers) if answer is not None), None)
        return self.candidates[self.choice] if found is not None and self.choice is not None else found

    @property
    def candidates(self) -> list[OutlineAnswer]:
        """Possible outlines for the latest press, smallest first; none while it is awaited."""
        answer = self.answers[-1]
        if answer is None:
            return []
        return sorted((answer, *answer.others), key=lambda outline: outline.area)


OUTLINE, CORRECT = "Outline by pointing", "Correct by pointing"


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """A draft that the user has accepted, perhaps before its answer came."""

    draft: Draft
    image_id: int
    category_id: int
    """Class of a new object: the current one when it was accepted."""

    def change(
        self, document: Document, new_id: Callable[[], int], origin: Provenance | None
    ) -> tuple[Change, str] | None:
        """The step and its name, on the document of its image; None if nothing changed. origin: assistant and number of
        presses.
        """
        outline, base = self.draft.latest, self.draft.base
        if outline is None or (not outline.polygons and base is None):
            return None
        if base is None:
            made = Instance(
                new_id(), self.category_id, tuple(outline.polygons), InstanceState.DRAWN, provenance=origin,
                dense=outline.dense,
            )  # fmt: skip
            return Change.create([made]), OUTLINE
        if not is_current(base, document):
            return None
        corrected = edits.set_polygons(document, {base.id: outline.polygons})
        return Change.of((before, _marked(after, origin)) for _, before, after in corrected), CORRECT


def is_current(base: Instance | None, document: Document) -> bool:
    """Whether the object being corrected has not changed; a new object has nothing to change."""
    return base is None or document.instances.get(base.id) == base


def provenance_of(name: str, content_hash: str, presses: int, created_at: str) -> Provenance:
    """Provenance of an object outlined by an assistant; it has no score or overlap threshold."""
    pressed = "1 press" if presses == 1 else f"{presses} presses"
    return Provenance(f"{ASSISTED}{name}, {pressed}", content_hash, 0.0, 1.0, created_at)


def _marked(instance: Instance | None, origin: Provenance | None) -> Instance | None:
    """A proposal keeps its provenance, with the correction noted; an object made by the user names its last corrector.

    An imported object has no provenance and gets none: deleted, it is gone, and not kept as a rejected proposal.
    """
    if instance is None or origin is None:
        return instance
    before = instance.provenance
    if before is not None and instance.state is not InstanceState.DRAWN:
        first = before.model_name.split(f" + {ASSISTED}")[0]
        return replace(instance, provenance=replace(before, model_name=f"{first} + {origin.model_name}"))
    return replace(instance, provenance=origin) if instance.state is InstanceState.DRAWN else instance
