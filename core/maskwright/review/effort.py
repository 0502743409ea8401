"""What correcting costs, from the history that undo needs anyway and the recorded effort.

Nothing of it leaves the computer. Steps made while a project does not record effort are left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from maskwright.document.change import UserEffort
from maskwright.document.values import Instance, InstanceState
from maskwright.project import Project
from maskwright.project.history import HistoryEntry
from maskwright.project.overlaps import overlaps


@dataclass(slots=True)
class InstanceEffort:
    """One object, from its proposal or creation to its present state."""

    instance_id: int
    image_id: int
    category_id: int
    """Its present class, or that when it was deleted."""
    proposed: Instance | None
    """As the model proposed it; None if drawn by hand."""
    final: Instance | None
    """Its present state; None if deleted. Rejected ones are kept, in that state."""
    steps: int = 0
    seconds: float = 0.0
    """Active time; a step on several objects is divided among them, as are its clicks and keys."""
    clicks: float = 0.0
    keys: float = 0.0
    vertices_changed: int = 0

    @property
    def score(self) -> float | None:
        """Score of the proposal; None if drawn."""
        return self.proposed.score if self.proposed is not None else None

    @property
    def is_refused(self) -> bool:
        """Proposed, and rejected or deleted by a user."""
        return self.proposed is not None and (self.final is None or self.final.state is InstanceState.REJECTED)

    @property
    def is_drawn(self) -> bool:
        """Drawn by a user, not proposed."""
        return self.proposed is None and self.final is not None

    @property
    def is_untouched(self) -> bool:
        """Accepted as it was proposed."""
        if self.proposed is None or self.final is None or self.is_refused:
            return False
        same = (self.proposed.category_id, self.proposed.polygons) == (self.final.category_id, self.final.polygons)
        return same and self.final.state is not InstanceState.PROPOSED

    @property
    def is_class_changed(self) -> bool:
        """Proposed with another class than it has now."""
        kept = self.proposed is not None and self.final is not None
        return kept and self.proposed.category_id != self.final.category_id  # type: ignore[union-attr]  # kept says so

    @property
    def final_iou(self) -> float | None:
        """IoU of the proposal with the result; None for drawn and deleted ones."""
        if self.proposed is None or self.final is None:
            return None
        ious = overlaps([self.proposed], [self.final], least_iou=0.0)[2]
        return float(ious[0]) if len(ious) else 0.0


@dataclass(slots=True)
class ImageEffort:
    """What was spent on one image, including looking."""

    seconds: float = 0.0
    clicks: int = 0
    keys: int = 0

    def add(self, gesture: UserEffort) -> None:
        """Add the effort of a step."""
        self.seconds += gesture.active_s
        self.clicks += gesture.clicks
        self.keys += gesture.keys


@dataclass(slots=True)
class EffortLog:
    """All objects and images that a user worked on, by id."""

    instances: dict[int, InstanceEffort] = field(default_factory=dict)
    images: dict[int, ImageEffort] = field(default_factory=dict)
    proposed_by: dict[int, str] = field(default_factory=dict)
    """Hash of the model whose proposals an image had when the user started there."""


def effort_log(project: Project) -> EffortLog:
    """Read the whole history. Raises ProjectError if the project cannot be read."""
    log = EffortLog()
    proposals: dict[int, Instance] = {}
    for entry in project.history.all():
        if entry.kind == "proposals":
            _note_proposals(proposals, entry)
            _note_model(log, entry)
        elif _leaves_proposals(entry):
            _note_proposals(proposals, entry)
            _note_outcome(log, entry)
            if entry.gesture is not None:
                log.images.setdefault(entry.image_id, ImageEffort()).add(entry.gesture)
        elif entry.gesture is None:
            _note_outcome(log, entry)
        else:
            log.images.setdefault(entry.image_id, ImageEffort()).add(entry.gesture)
            _note_step(log, entry, entry.gesture, proposals)
    for image_id, gesture in project.effort.looks().items():
        log.images.setdefault(image_id, ImageEffort()).add(gesture)
    return log


def _leaves_proposals(entry: HistoryEntry) -> bool:
    """Whether the step is an assistant refining proposals, or its undo: the user's corrections start from there."""
    pairs = [(before, after) for _, before, after in entry.change]
    open_ = InstanceState.PROPOSED
    return bool(pairs) and all(a is not None and b is not None and a.state is b.state is open_ for a, b in pairs)


def _note_proposals(proposals: dict[int, Instance], entry: HistoryEntry) -> None:
    for id_, _, after in entry.change:
        if after is not None:
            proposals[id_] = after
        else:
            proposals.pop(id_, None)


def _note_model(log: EffortLog, entry: HistoryEntry) -> None:
    hashes = [after.provenance.model_hash for _, _, after in entry.change if after is not None and after.provenance]
    if hashes and entry.image_id not in log.images:
        log.proposed_by[entry.image_id] = hashes[0]


def _note_outcome(log: EffortLog, entry: HistoryEntry) -> None:
    """A step without recorded effort still determines what became of an object."""
    for id_, before, after in entry.change:
        if (effort := log.instances.get(id_)) is not None:
            effort.category_id, effort.final = _known(before, after).category_id, after


def _note_step(log: EffortLog, entry: HistoryEntry, gesture: UserEffort, proposals: Mapping[int, Instance]) -> None:
    share = 1 / max(len(entry.change), 1)
    for id_, before, after in entry.change:
        known = _known(before, after)
        effort = log.instances.get(id_)
        if effort is None:
            effort = InstanceEffort(id_, entry.image_id, known.category_id, proposals.get(id_), None)
            log.instances[id_] = effort
        effort.category_id, effort.final = known.category_id, after
        effort.steps += 1
        effort.seconds += gesture.active_s * share
        effort.clicks += gesture.clicks * share
        effort.keys += gesture.keys * share
        effort.vertices_changed += _changed_vertices(before, after)


def _known(before: Instance | None, after: Instance | None) -> Instance:
    known = after if after is not None else before
    assert known is not None  # a change always has at least one side
    return known


def _changed_vertices(before: Instance | None, after: Instance | None) -> int:
    """Number of vertices that differ between both sides; 0 if the outline stays or one side is missing."""
    if before is None or after is None or before.polygons == after.polygons:
        return 0
    sides = [_vertices(before), _vertices(after)]
    return max(len(sides[0] - sides[1]), len(sides[1] - sides[0]))


def _vertices(instance: Instance) -> set[tuple[float, float]]:
    rings: Iterable[list[list[float]]] = (ring.tolist() for polygon in instance.polygons for ring in polygon.rings)
    return {(x, y) for ring in rings for x, y in ring}
