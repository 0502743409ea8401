"""What correcting costs, read from the history that undo needs anyway: nothing more is recorded or leaves the disk.

Active time of a step is the time since the step before it, on whatever image, with idle time cut: a gap above IDLE_S
counts as IDLE_S of looking.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from maskwright.document.values import Instance, InstanceState
from maskwright.project import Project
from maskwright.project.history import HistoryEntry
from maskwright.project.overlaps import overlaps

IDLE_S = 30.0


@dataclass(slots=True)
class InstanceEffort:
    """One object from its proposal, or from nothing, to how it is now."""

    instance_id: int
    image_id: int
    category_id: int
    """Now, or when it was removed."""
    proposed: Instance | None
    """As the model proposed it; None for one drawn by hand."""
    final: Instance | None
    """As it is now; None when deleted. Rejected ones are there, in that state."""
    steps: int = 0
    seconds: float = 0.0
    vertices_changed: int = 0

    @property
    def score(self) -> float | None:
        return self.proposed.score if self.proposed is not None else None

    @property
    def is_refused(self) -> bool:
        """Proposed, and rejected or deleted by a person."""
        return self.proposed is not None and (self.final is None or self.final.state is InstanceState.REJECTED)

    @property
    def is_drawn(self) -> bool:
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
        kept = self.proposed is not None and self.final is not None
        return kept and self.proposed.category_id != self.final.category_id  # type: ignore[union-attr]  # kept says so

    @property
    def final_iou(self) -> float | None:
        """Of the proposal with what became of it; None for drawn and deleted ones."""
        if self.proposed is None or self.final is None:
            return None
        ious = overlaps([self.proposed], [self.final], least_iou=0.0)[2]
        return float(ious[0]) if len(ious) else 0.0


@dataclass(slots=True)
class EffortLog:
    """All objects that a person dealt with, by id, and the seconds spent on each image."""

    instances: dict[int, InstanceEffort] = field(default_factory=dict)
    image_seconds: dict[int, float] = field(default_factory=dict)


def effort_log(project: Project) -> EffortLog:
    """Read the whole history. Raises ProjectError when the project cannot be read."""
    log = EffortLog()
    proposals: dict[int, Instance] = {}
    last: datetime | None = None
    for entry in project.full_history():
        if entry.kind == "proposals":
            _note_proposals(proposals, entry)
            continue
        at = datetime.fromisoformat(entry.at)
        seconds = IDLE_S if last is None else min(max((at - last).total_seconds(), 0.0), IDLE_S)
        last = at
        log.image_seconds[entry.image_id] = log.image_seconds.get(entry.image_id, 0.0) + seconds
        _note_step(log, entry, seconds, proposals)
    return log


def _note_proposals(proposals: dict[int, Instance], entry: HistoryEntry) -> None:
    for id_, _, after in entry.change:
        if after is not None:
            proposals[id_] = after
        else:
            proposals.pop(id_, None)


def _note_step(log: EffortLog, entry: HistoryEntry, seconds: float, proposals: Mapping[int, Instance]) -> None:
    share = seconds / max(len(entry.change), 1)
    for id_, before, after in entry.change:
        known = after if after is not None else before
        assert known is not None  # a change never has neither side
        effort = log.instances.get(id_)
        if effort is None:
            effort = InstanceEffort(id_, entry.image_id, known.category_id, proposals.get(id_), None)
            log.instances[id_] = effort
        effort.category_id, effort.final = known.category_id, after
        effort.steps += 1
        effort.seconds += share
        effort.vertices_changed += _changed_vertices(before, after)


def _changed_vertices(before: Instance | None, after: Instance | None) -> int:
    """Vertices that are not in the same place on both sides; 0 when the outline stays or one side is missing."""
    if before is None or after is None or before.polygons == after.polygons:
        return 0
    sides = [_vertices(before), _vertices(after)]
    return max(len(sides[0] - sides[1]), len(sides[1] - sides[0]))


def _vertices(instance: Instance) -> set[tuple[float, float]]:
    rings: Iterable[list[list[float]]] = (ring.tolist() for polygon in instance.polygons for ring in polygon.rings)
    return {(x, y) for ring in rings for x, y in ring}
