"""One image through the hands of the simulated annotator: what each of its objects takes, by every way."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotator import LEVELS, Trace, correcting, drawing_presses, pointing
from assist_protocol import Mask, iou
from mending import mending_presses

from maskwright.assist.protocol import View
from maskwright.document.values import Instance
from maskwright.geometry.raster import polygons_to_mask

MATCHED = 0.5
PATIENCE = 3
"""Clicks after which the annotator mends by hand what is not good enough yet."""
WORTH = 0.6
"""IoU from which a proposal is mended instead of begun anew."""
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
    """One object. Presses of a drawing, and of mending its proposal by hand, for each of LEVELS; traces are None
    without an assistant."""

    drawing: tuple[int, ...]
    pointed: Trace | None
    match: Match | None
    mended: tuple[int, ...]
    corrected: Trace | None

    def presses(self, way: str, level: float) -> int:
        """A class that is wrong costs a press for the object and one for the class."""
        drawn = self.drawing[LEVELS.index(level)]
        anew = _clicked(self.pointed, level) if way.endswith("pointing") and self.pointed is not None else drawn
        if self.match is None or not way.startswith("loop"):
            return anew
        if self.match.iou >= level:
            return 1 if self.match.is_right_class else 2
        if self.match.iou < WORTH:
            return anew
        with_clicks = way.endswith("pointing") and self.corrected is not None
        spent = _clicked(self.corrected, level) if with_clicks and self.corrected else self.mended[LEVELS.index(level)]
        return spent + (not self.match.is_right_class)


def _clicked(trace: Trace, level: float) -> int:
    """One press for the box or the selection, one a click, and mending by hand where these do not suffice."""
    tried = trace.ious[: PATIENCE + 1]
    enough = next((number for number, value in enumerate(tried) if value >= level), None)
    if enough is not None:
        return 1 + enough
    return len(tried) + trace.mending_to(level)[len(tried) - 1]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the annotator made of an image."""

    cases: tuple[Case, ...]
    false: int
    """Proposals that are no object, or one that was found already: left open at no cost, or rejected at one each."""

    def presses(self, way: str, level: float, *, rejects: bool = False) -> int:
        more = self.false if rejects and way.startswith("loop") else 0
        return sum(case.presses(way, level) for case in self.cases) + more


def answered(targets: Sequence[Target], proposals: Sequence[Instance], view: View | None) -> Answer:
    """view: of the assistant; None for an annotator who has none."""
    matches = matched(targets, proposals)
    cases = tuple(_case(target, matches.get(number), view) for number, target in enumerate(targets))
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


def _case(target: Target, match: Match | None, view: View | None) -> Case:
    drawing = tuple(drawing_presses(target.mask, level) for level in LEVELS)
    mended = mending_presses(match.mask, target.mask, LEVELS, drawing) if match is not None else drawing
    if view is None:
        return Case(drawing, None, match, mended, None)
    pointed = pointing(view, target.mask, drawing)
    corrected = None
    if match is not None and match.iou < max(LEVELS):
        corrected = correcting(view, match.instance.polygons, match.mask, target.mask, drawing)
    return Case(drawing, pointed, match, mended, corrected)
