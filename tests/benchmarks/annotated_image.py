"""One image through the hands of the simulated annotator: what each of its objects takes, by every way."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotator import Habits, Trace, correcting, drawing_presses, pointing
from assist_protocol import Mask, iou

from maskwright.assist.protocol import View
from maskwright.document.values import Instance
from maskwright.geometry.raster import polygons_to_mask

MATCHED = 0.5
MOST_CLICKS = 12
WAYS = ("drawing", "pointing", "loop", "loop and pointing")


@dataclass(frozen=True, slots=True)
class Target:
    """An object that is to be outlined."""

    category: int
    mask: Mask


@dataclass(frozen=True, slots=True)
class Match:
    """The proposal that an object is found by."""

    instance: Instance
    mask: Mask
    iou: float
    is_right_class: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One object. `drawing`: presses by level of IoU. Traces are None without an assistant."""

    drawing: dict[float, int]
    pointed: Trace | None
    match: Match | None
    corrected: Trace | None

    def presses(self, way: str, level: float, habits: Habits) -> int:
        """A class that is wrong costs a press for the object and one for the class."""
        drawn = self.drawing[level]
        pointed = self.pointed.presses(level, drawn, habits.patience) if self.pointed is not None else drawn
        anew = pointed if way.endswith("pointing") else drawn
        if self.match is None or not way.startswith("loop"):
            return anew
        if self.match.iou >= level:
            return 1 if self.match.is_right_class else 2
        if way == "loop" or self.corrected is None or self.match.iou < habits.worth:
            return anew
        return self.corrected.presses(level, drawn, habits.patience) + (not self.match.is_right_class)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the annotator made of an image."""

    cases: tuple[Case, ...]
    false: int
    """Proposals that are no object, or one that was found already: left open at no cost, or rejected at one each."""

    def presses(self, way: str, level: float, habits: Habits, *, rejects: bool = False) -> int:
        more = self.false if rejects and way.startswith("loop") else 0
        return sum(case.presses(way, level, habits) for case in self.cases) + more


def answered(
    targets: Sequence[Target], proposals: Sequence[Instance], view: View | None, levels: Sequence[float]
) -> Answer:
    """view: of the assistant; None for an annotator who has none."""
    matches = matched(targets, proposals)
    cases = tuple(_case(target, matches.get(number), view, levels) for number, target in enumerate(targets))
    return Answer(cases, len(proposals) - len(matches))


def matched(targets: Sequence[Target], proposals: Sequence[Instance]) -> dict[int, Match]:
    """By the target's number: proposals of its class first, then others, the best overlap first, each used once."""
    pairs: list[tuple[int, Match]] = []
    for one in proposals:
        for number, target in enumerate(targets):
            mask = polygons_to_mask(one.polygons, (target.mask.shape[1], target.mask.shape[0]))
            value = iou(mask, target.mask)
            if value >= MATCHED:
                pairs.append((number, Match(one, mask, value, one.category_id == target.category)))
    taken: dict[int, Match] = {}
    used: set[int] = set()
    for number, match in sorted(pairs, key=lambda pair: (not pair[1].is_right_class, -pair[1].iou)):
        if number not in taken and match.instance.id not in used:
            taken[number] = match
            used.add(match.instance.id)
    return taken


def _case(target: Target, match: Match | None, view: View | None, levels: Sequence[float]) -> Case:
    drawing = {level: drawing_presses(target.mask, level) for level in levels}
    if view is None:
        return Case(drawing, None, match, None)
    top = max(levels)
    pointed = pointing(view, target.mask, level=top, most=MOST_CLICKS)
    corrected = None
    if match is not None and match.iou < top:
        corrected = correcting(view, match.instance.polygons, match.mask, target.mask, level=top, most=MOST_CLICKS)
    return Case(drawing, pointed, match, corrected)
