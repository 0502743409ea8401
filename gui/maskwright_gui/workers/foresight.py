"""What a person who steps a slider will ask for next: made while nothing else is wanted."""

from dataclasses import replace
from typing import Literal

from maskwright.inference.thresholds import Thresholds

STEPS = 2
_LONGEST = 0.05
"""A jump says nothing about the next step."""
Field = Literal["mask_threshold", "min_iou"]


def next_thresholds(before: Thresholds, now: Thresholds) -> list[Thresholds]:
    """The next steps of the mask threshold or of the fidelity, the two that take time, if one of them alone moved."""
    for field in ("mask_threshold", "min_iou"):
        was, is_ = getattr(before, field), getattr(now, field)
        moved = replace(before, **{field: is_})
        if 0 < abs(is_ - was) <= _LONGEST and moved == now:
            # two decimals, as the slider has them: equal numbers are what is looked up
            ahead = [round(is_ + step * (is_ - was), 2) for step in range(1, STEPS + 1)]
            return [replace(now, **{field: value}) for value in ahead if 0 < value <= 1]
    return []
