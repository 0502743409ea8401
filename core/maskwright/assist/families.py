"""The network families that can be assistants, recognised by names and shapes of inputs and outputs."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from maskwright.assist.bundled.recognising import recognised_window_network
from maskwright.assist.protocol import Backend
from maskwright.assist.running import LoadSettings
from maskwright.assist.sam.recognising import recognised_sam
from maskwright.inference.runtime import Network

Recogniser: TypeAlias = Callable[[Sequence[Network], LoadSettings], Backend | None]
"""Returns a backend for these networks (one, or encoder and decoder in any order); None if they are of another family.

Raises ModelError if they are of the family but do not fit together."""

FAMILIES: tuple[Recogniser, ...] = (recognised_window_network, recognised_sam)
"""In the order in which they are tried."""
