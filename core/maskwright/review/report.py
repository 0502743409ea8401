"""Summarises the effort log: by class, by score, and the threshold that would have cost least."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from maskwright.project import Project
from maskwright.review.effort import EffortLog, InstanceEffort, effort_log

SCORE_BINS = tuple(round(0.1 * k, 1) for k in range(10))
"""Lower ends of the bins; the last one extends to 1."""
MIN_ANSWERS = 20
"""With fewer answered proposals of a class, no threshold is suggested."""
_DRAW_S, _REFUSE_S = 15.0, 2.0
"""Assumed seconds if a user has not drawn, or not rejected, any yet."""


@dataclass(frozen=True, slots=True)
class ClassEffort:
    """The cost of one class."""

    category_id: int
    proposed: int
    untouched: int
    edited: int
    refused: int
    drawn: int
    median_seconds: float
    """Active seconds per object, including rejected proposals."""
    suggested_score: float | None
    """The threshold with the least expected effort; None with too few answers."""
    median_handles: float = 0.0
    """Clicks and key presses per object."""
    mean_iou: float | None = None
    """Mean IoU of kept proposals with the result; None if none was kept."""
    classes_changed: int = 0

    @property
    def untouched_rate(self) -> float | None:
        """Fraction of answered proposals accepted untouched; None if there are none."""
        return self.untouched / self.proposed if self.proposed else None


@dataclass(frozen=True, slots=True)
class EffortReport:
    """A project's correction effort. Times are active seconds."""

    classes: tuple[ClassEffort, ...]
    answered_by_score: tuple[tuple[float, int, int], ...]
    """(lower end of the bin, answered proposals, accepted untouched), for all of SCORE_BINS."""
    seconds: float
    images: int
    draw_seconds: float
    """Median time for an object drawn by hand."""
    refuse_seconds: float
    """Median time for rejecting a proposal."""
    saved_seconds: float
    """Estimate: drawing every kept proposal by hand, minus the time for answering all of them; may be negative."""
    is_draw_assumed: bool = False
    """Nothing has been drawn yet: `draw_seconds` is assumed."""
    is_refuse_assumed: bool = False


def effort_report(project: Project) -> EffortReport:
    """Raises ProjectError if the project cannot be read."""
    return summed_up(effort_log(project))


def summed_up(log: EffortLog) -> EffortReport:
    """The report of a log."""
    answered = [item for item in log.instances.values() if item.proposed is not None]
    drawn = [item for item in log.instances.values() if item.is_drawn]
    draw_s = median(item.seconds for item in drawn) if drawn else _DRAW_S
    refused = [item for item in answered if item.is_refused]
    refuse_s = median(item.seconds for item in refused) if refused else _REFUSE_S
    by_class: dict[int, list[InstanceEffort]] = defaultdict(list)
    for item in log.instances.values():
        if item.proposed is not None or item.is_drawn:
            by_class[item.proposed.category_id if item.proposed is not None else item.category_id].append(item)
    kept = len(answered) - len(refused)
    return EffortReport(
        tuple(_class_effort(id_, items, draw_s, refuse_s) for id_, items in sorted(by_class.items())),
        tuple(_bin(answered, low) for low in SCORE_BINS),
        sum(image.seconds for image in log.images.values()),
        len(log.images),
        draw_s,
        refuse_s,
        kept * draw_s - sum(item.seconds for item in answered),
        is_draw_assumed=not drawn,
        is_refuse_assumed=not refused,
    )


def suggested_score(answered: Iterable[InstanceEffort], draw_s: float, refuse_s: float) -> float | None:
    """The threshold that minimises the time for rejecting false proposals above it and drawing true ones below it.

    None for fewer than MIN_ANSWERS answers.
    """
    judged = sorted((item.score, item.is_refused, item.seconds) for item in answered if item.score is not None)
    if len(judged) < MIN_ANSWERS:
        return None
    cost = sum(refuse_s if is_refused else seconds for _, is_refused, seconds in judged)
    best, best_cost = judged[0][0], cost
    for (score, is_refused, seconds), following in pairwise(judged):
        cost += -refuse_s if is_refused else draw_s - seconds  # this one falls below the threshold
        if cost < best_cost and following[0] > score:
            best, best_cost = (score + following[0]) / 2, cost
    return round(best, 3)


def _class_effort(category_id: int, items: Sequence[InstanceEffort], draw_s: float, refuse_s: float) -> ClassEffort:
    answered = [item for item in items if item.proposed is not None]
    untouched, refused = sum(item.is_untouched for item in items), sum(item.is_refused for item in items)
    return ClassEffort(
        category_id,
        len(answered),
        untouched,
        len(answered) - untouched - refused,
        refused,
        sum(item.is_drawn for item in items),
        median(item.seconds for item in items),
        suggested_score(answered, draw_s, refuse_s),
        median(item.clicks + item.keys for item in items),
        _mean([iou for item in answered if not item.is_refused and (iou := item.final_iou) is not None]),
        sum(item.is_class_changed for item in items),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _bin(answered: Sequence[InstanceEffort], low: float) -> tuple[float, int, int]:
    high = low + 0.1 if low < SCORE_BINS[-1] else 2.0
    within = [item for item in answered if item.score is not None and low <= item.score < high]
    return low, len(within), sum(item.is_untouched for item in within)
