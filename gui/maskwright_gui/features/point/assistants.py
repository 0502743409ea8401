"""The one loaded assistant, for the tool and for all background outlining."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from maskwright.errors import MaskwrightError

if TYPE_CHECKING:
    from maskwright.assist.view import BackendAssistant

log = logging.getLogger(__name__)

BUNDLED, FALLBACK = "bundled", "grabcut"
"""The second one needs no network file."""
LoadAssistant = Callable[[str], "BackendAssistant"]


class Assistants:
    """Loads assistants. `get` may be called from any thread; only callers that want an assistant being loaded wait for
    it.
    """

    def __init__(self, load: LoadAssistant | None = None) -> None:
        self._load = load or (lambda name: loaded(name))
        self._lock = threading.Lock()
        self._known: tuple[str, BackendAssistant] | None = None
        self._loading: dict[str, Future[BackendAssistant]] = {}
        """By name, so that a device that hangs blocks only its own assistant."""
        self._wanted: str | None = None

    def get(self, name: str) -> "BackendAssistant":
        """The assistant by name or path. Raises as `maskwright.assist.loading.load_assistant` does."""
        with self._lock:
            self._wanted = name
            if self._known is not None and self._known[0] == name:
                return self._known[1]
            awaited = self._loading.get(name)
            if awaited is None:
                coming = self._loading[name] = Future()
        if awaited is not None:
            return awaited.result()
        try:
            assistant = self._load(name)
        except BaseException as error:
            self._settle(name)
            coming.set_exception(error)
            raise
        self._settle(name, assistant)
        coming.set_result(assistant)
        return assistant

    def _settle(self, name: str, assistant: "BackendAssistant | None" = None) -> None:
        with self._lock:
            del self._loading[name]
            if assistant is not None and self._wanted == name:
                self._known = (name, assistant)

    @property
    def identity(self) -> tuple[str, str] | None:
        """(name, content hash) of the loaded assistant."""
        known = self._known
        return (known[1].name, known[1].content_hash) if known is not None else None


def loaded(name: str) -> "BackendAssistant":
    """Load an assistant; if the bundled one is missing, use the one that needs no file."""
    from maskwright.assist.loading import load_assistant

    try:
        return load_assistant(name)
    except MaskwrightError:
        if name != BUNDLED:
            raise
        log.warning("the bundled assistant cannot be loaded; %s outlines instead", FALLBACK)
        return load_assistant(FALLBACK)
