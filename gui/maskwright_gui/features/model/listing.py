"""The list of models: recently used, installed, and available from the catalogue."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSettings

from maskwright_gui.panels.model import BUNDLED, ModelPanel, model_title
from maskwright_gui.workers.executor import answer_soon

ModelRows = list[tuple[str, str]]
"""(text, what loads it)."""
MAX_RECENT = 6
_RECENT = "model/recent"


class ModelList:
    """Fills the panel's list of models; remembers the files used recently."""

    def __init__(self, panel: ModelPanel, settings: QSettings) -> None:
        self._panel, self._settings = panel, settings
        self._shows_catalogue = False

    def note(self, source: str) -> None:
        """A model was chosen: remember it if it is a file."""
        if source != BUNDLED:
            recent = [source, *(known for known in self._recent() if known != source)]
            self._settings.setValue(_RECENT, recent[:MAX_RECENT])

    def show(self, current: str) -> None:
        """List the models. Reading the catalogue is left until `show_all`, to start faster."""
        sources = list(dict.fromkeys([BUNDLED, *self._recent(), current]))
        if self._shows_catalogue:
            self._panel.set_models(ready_models(sources), current, to_get=models_to_get())
        else:
            self._panel.set_models([(model_title(source), source) for source in sources], current)

    def show_all(self, current: str) -> None:
        """The user opens the list: from now on it has the catalogue, too."""
        self._shows_catalogue = True
        self.show(current)

    def _recent(self) -> list[str]:
        stored = self._settings.value(_RECENT, [])
        names = [stored] if isinstance(stored, str) else stored
        listed = [str(name) for name in names] if isinstance(names, list) else []
        return answer_soon(lambda: [name for name in listed if Path(name).exists()], [])


def ready_models(sources: Sequence[str]) -> ModelRows:
    """The `sources`, in this order, then the other installed models."""
    from maskwright.models.catalog import Availability, listed_models
    from maskwright.operations.beginning import source_of

    ready = [each for each in listed_models() if each.availability is not Availability.ABSENT]
    titles = {source_of(each): each.title for each in ready if each.availability is Availability.INSTALLED}
    ordered = dict.fromkeys([*sources, *titles])
    return [(titles.get(source) or model_title(source), source) for source in ordered]


def models_to_get() -> ModelRows:
    """What each model of the catalogue is, its size and licence; by its name in the catalogue."""
    from maskwright.models.catalog import Availability, listed_models

    found: ModelRows = []
    for each in listed_models():
        if each.availability is Availability.ABSENT and each.card is not None:
            size = f", {each.card.download_size / 1e6:.0f} MB" if each.card.download_size else ""
            found.append((f"Get “{each.title}”… ({each.card.license}{size})", each.name))
    return found
