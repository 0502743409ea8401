"""What a reader or a check found wrong, as values that a list can show."""

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
