"""What a reader or a check found wrong, as values that a list can show."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """`skipped`: the thing is not in the result; `changed`: it is, but not as the file has it."""

    where: str
    """For a person: "annotation 17", "images[3]"."""
    reason: str
    effect: Literal["skipped", "changed"] = "skipped"

    def __str__(self) -> str:
        return f"{self.where}: {self.reason} ({self.effect})"


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one kind; `examples` are the first of them."""

    effect: Literal["skipped", "changed"]
    count: int
    examples: tuple[Problem, ...]


_DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”|[^\s'\"“]*\d[^\s,;:)]*")
_EXAMPLES = 3


def grouped(problems: Iterable[Problem]) -> Sequence[Group]:
    """By reason, whatever names and numbers it is about: what was left out first, then by how many they are."""
    found: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        found.setdefault((problem.effect, _DETAIL.sub("…", problem.reason)), []).append(problem)
    groups = [Group(same[0].effect, len(same), tuple(same[:_EXAMPLES])) for same in found.values()]
    return sorted(groups, key=lambda group: (group.effect != "skipped", -group.count))
