"""What the tour asks for, one thing at a time, and what shows that it has been done."""

from dataclasses import dataclass
from enum import Enum, auto

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState


class Done(Enum):
    """What the user can do that a step waits for."""

    PROPOSED = auto()
    SELECTED = auto()
    JUDGED = auto()
    OUTLINED = auto()
    NEXT_IMAGE = auto()


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    text: str
    """With the names of actions where their keys belong, see `Actions.with_keys`."""
    waits_for: Done


STEPS = (
    Step(
        "A model proposes",
        "Press {run_model}: the model outlines what it finds on this image. Proposals are dashed.",
        Done.PROPOSED,
    ),
    Step("Select a proposal", "Click one of the dashed outlines.", Done.SELECTED),
    Step(
        "Judge it", "{accept} accepts what is selected, {reject} rejects it. {undo} takes any step back.", Done.JUDGED
    ),
    Step(
        "Outline or correct one yourself",
        "{tool_point}, then click a cell: its outline appears, and Enter takes it. Or drag a point of an outline.",
        Done.OUTLINED,
    ),
    Step("This image is done", "Press {done}: the next image comes, and the model goes ahead of you.", Done.NEXT_IMAGE),
)
LAST = (
    "That is all it takes",
    "{export} writes the annotations. {palette} finds every action, {key_sheet} shows all keys. The Help menu has this "
    "tour.",
)


def done_by(change: Change) -> set[Done]:
    """What a change of the image's objects shows to have been done."""
    found = set()
    for _, before, after in change:
        if before is None and after is not None and after.state is InstanceState.PROPOSED:
            found.add(Done.PROPOSED)
        if before is not None and before.state is InstanceState.PROPOSED and _is_judged(after):
            found.add(Done.JUDGED)
        if after is not None and after.state is not InstanceState.PROPOSED and _has_new_outline(before, after):
            found.add(Done.OUTLINED)
    return found


def _is_judged(after: Instance | None) -> bool:
    return after is not None and after.state is not InstanceState.PROPOSED


def _has_new_outline(before: Instance | None, after: Instance) -> bool:
    return before is None or before.polygons != after.polygons
