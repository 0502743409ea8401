"""The query of the image list: states, order and the search text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import Category, ImageStanding, ImageState, InstanceState

if TYPE_CHECKING:
    from maskwright.project.images import InstanceSearch, OriginField
    from maskwright.project.store import Project
    from maskwright.review.order import QueueOrder, RareClasses

HELP = (
    "Part of the file name, and conditions on an object of the image:\n"
    "class:car   is:proposed   is:edited   score<0.6   score>0.9   model:name\n"
    "edited:today   edited>2026-11-20   proposed<2026-11-20T14:30\n"
    "or on how it was proposed:   threshold>0.3   overlap<0.6   mask>0.5   detail<0.98"
)
PLACEHOLDER = "Name, class:car, score<0.6"
SEARCH_DELAY_MS = 150
"""Delay from the last key in a search field to the search."""
_NOT_REJECTED = tuple(sorted(set(InstanceState) - {InstanceState.REJECTED}))
_CONDITION = re.compile(r"^([a-z]+)(:|[<>])=?(.+)$", re.IGNORECASE)
_ORIGIN: "Mapping[str, OriginField]" = {
    "threshold": "score_threshold",
    "overlap": "nms_iou",
    "mask": "mask_threshold",
    "detail": "min_iou",
    "proposed": "created_at",
}
_TIMES = ("edited", "proposed")
_NUMBERS = ("score", "threshold", "overlap", "mask", "detail")
SHOWN = (ImageStanding.LISTED, ImageStanding.EXCLUDED)
"""Images that are listed by default."""


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """states: None for all. text: as typed, see `HELP`."""

    states: frozenset[ImageState] | None = None
    text: str = ""
    order: "QueueOrder" = "name"
    standings: tuple[ImageStanding, ...] = SHOWN

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return (self.states, self.standings) == (None, SHOWN) and not self.text.strip()

    def image_ids(self, project: "Project", rare: "RareClasses | None" = None) -> NDArray[np.int64]:
        """(N,) int64, the ids found, in order. rare: the counted classes. Raises ProjectError."""
        merged = [Category(id_, name) for name, id_ in project.merges.names().items()]
        name, having = parse_search(self.text, [*project.categories.listed(), *merged])
        standings = self.standings if self.states is None else (ImageStanding.LISTED,)
        passing = project.images.ids(states=self.states, text=name, having=having, standings=standings)
        if self.order == "name":
            return passing
        from maskwright.review.order import ordered_images

        if self.order == "rarity" and rare is not None:
            return rare.ordered(passing)
        ordered = ordered_images(project, self.order)
        found = ordered[np.isin(ordered, passing)]
        return np.concatenate([found, passing[~np.isin(passing, found)]])  # the queue contains only images of the set


def parse_search(text: str, categories: Sequence[Category]) -> "tuple[str, InstanceSearch | None]":
    """(part of the file name, conditions on one object of the image or None).

    A class or state that does not exist finds nothing; only `is:rejected` finds rejected proposals. What is not a
    complete condition is part of the name.
    """
    found = _Conditions(categories)
    words = _words(text)
    names = [word for word in words if not found.take(word)]
    return " ".join(names), found.search() if len(names) < len(words) else None


class _Conditions:
    """The conditions, collected word by word: classes and states add up, otherwise the last of a kind counts."""

    def __init__(self, categories: Sequence[Category]) -> None:
        self._categories = categories
        self._category_ids: set[int] | None = None
        self._states: set[InstanceState] | None = None
        self._model: str | None = None
        self._bounds: dict[str, dict[str, float | str]] = {}
        """{name: {"low": ..., "high": ...}}"""

    def take(self, word: str) -> bool:
        """Whether the word was a condition."""
        match = _CONDITION.match(word)
        if match is None:
            return False
        name, sign, wanted = match[1].lower(), match[2], match[3]
        if sign == ":" and name in ("class", "is", "state", "model"):
            self._take_text(name, wanted)
            return True
        bounds = _day(sign, wanted) if name in _TIMES else _share(sign, wanted) if name in _NUMBERS else {}
        if bounds:
            self._bounds.setdefault(name, {}).update(bounds)
        return bool(bounds)

    def search(self) -> "InstanceSearch":
        """The conditions as a search."""
        from maskwright.project.images import InstanceSearch, Span

        spans = {name: Span(**bounds) for name, bounds in self._bounds.items()}
        score = self._bounds.get("score", {})
        return InstanceSearch(
            tuple(sorted(self._category_ids)) if self._category_ids is not None else None,
            tuple(sorted(self._states)) if self._states is not None else _NOT_REJECTED,
            _as_number(score.get("low")),
            _as_number(score.get("high")),
            self._model,
            {field: spans[name] for name, field in _ORIGIN.items() if name in spans},
            spans.get("edited"),
        )

    def _take_text(self, name: str, wanted: str) -> None:
        if name == "class":
            alike = {one.id for one in self._categories if wanted.casefold() in one.name.casefold()}
            self._category_ids = (self._category_ids or set()) | alike
        elif name in ("is", "state"):
            alike_states = {state for state in InstanceState if state.value.startswith(wanted.lower())}
            self._states = (self._states or set()) | alike_states
        else:
            self._model = wanted


def _words(text: str) -> list[str]:
    """Split at spaces; `class:"potted plant"` is one word."""
    return [word.replace('"', "") for word in re.findall(r'(?:[^\s"]|"[^"]*"?)+', text)]


def _share(sign: str, text: str) -> dict[str, float | str]:
    try:
        value = float(text)
    except ValueError:
        return {}
    return {"low": value} if sign == ">" else {"high": value} if sign == "<" else {"low": value, "high": value}


def _day(sign: str, text: str) -> dict[str, float | str]:
    """A condition on a time: from the beginning of a day or moment on, before it, or (`:`) within the day; local
    time.
    """
    days = {"today": 0, "yesterday": 1}
    try:
        begin = datetime.fromisoformat(text) if text.lower() not in days else _midnight(days[text.lower()])
    except ValueError:
        return {}
    match sign:
        case ">":
            return {"low": _utc(begin)}
        case "<":
            return {"high": _utc(begin)}
        case _:
            return {"low": _utc(begin), "high": _utc(begin + timedelta(days=1))}


def _midnight(days_ago: int) -> datetime:
    return datetime.combine(date.today() - timedelta(days=days_ago), datetime.min.time())


def _utc(moment: datetime) -> str:
    """UTC as the project stores times, without the zone; a time without a zone is local."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")


def _as_number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None
