"""The families of networks that can be assistants, told apart by names and shapes of inputs and outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from maskwright.assist.protocol import Backend
from maskwright.inference.runtime import Network


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Where and how networks are to run; `precision` of None is the device's own choice."""

    device: str = "CPU"
    precision: str | None = None
    num_threads: int | None = None


Recogniser: TypeAlias = Callable[[Sequence[Network], LoadSettings], Backend | None]
"""A backend of these networks (one, or encoder and decoder in any order); None where they are of another family.

Raises ModelError where they are of the family but do not fit together.
"""

FAMILIES: tuple[Recogniser, ...] = ()
"""In the order in which they are asked."""
