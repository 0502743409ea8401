"""The one assistant that is loaded, for the tool and for all that outlines beside the window."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from maskwright.errors import MaskwrightError

if TYPE_CHECKING:
    from maskwright.assist.view import BackendAssistant

log = logging.getLogger(__name__)

BUNDLED, FALLBACK = "bundled", "grabcut"
"""The second one needs no network file."""
LoadAssistant = Callable[[str], "BackendAssistant"]


class Assistants:
    """`get` may be called from any thread; whoever comes while one is being loaded waits for it."""

    def __init__(self, load: LoadAssistant | None = None) -> None:
        self._load = load or (lambda name: loaded(name))
        self._lock = threading.Lock()
        self._known: tuple[str, BackendAssistant] | None = None

    def get(self, name: str) -> "BackendAssistant":
        """By name or path, see `maskwright.assist.loading.load_assistant`, which says what it raises."""
        with self._lock:
            if self._known is None or self._known[0] != name:
                self._known = (name, self._load(name))
            return self._known[1]

    @property
    def identity(self) -> tuple[str, str] | None:
        """(name, content hash) of the one that is loaded."""
        known = self._known
        return (known[1].name, known[1].content_hash) if known is not None else None


def loaded(name: str) -> "BackendAssistant":
    """Where the bundled one is missing, what needs no file takes its place."""
    from maskwright.assist.loading import load_assistant

    try:
        return load_assistant(name)
    except MaskwrightError:
        if name != BUNDLED:
            raise
        log.warning("the bundled assistant cannot be loaded; %s outlines instead", FALLBACK)
        return load_assistant(FALLBACK)
