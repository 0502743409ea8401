"""The models there are: cards that ship with the program, and what has been installed from them or by hand."""

import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from maskwright.errors import ModelError
from maskwright.inference.halves import with_other_half
from maskwright.inference.hashing import parts_hash
from maskwright.inference.installed import FOLDER_VARIABLE, RECORD, Installed, installed_models, is_plain, models_folder
from maskwright.models.cards import BUNDLED_CARD, ModelCard, read_card

_log = logging.getLogger(__name__)

ASSISTANTS = frozenset({"assist", "sam", "sam2", "sam_hq", "efficient_sam"})
"""Families whose networks propose nothing by themselves: `load_assistant` loads them, not `load_model`."""


def downloads_folder() -> Path:
    """Where files lie while they arrive: the program's cache folder on the platform; in MASKWRIGHT_MODELS if set."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) / ".downloads" if chosen else platformdirs.user_cache_path("maskwright") / "downloads"


def all_cards() -> tuple[ModelCard, ...]:
    """The cards of models and of assistants, bundled ones first, by name; damaged cards are passed over.

    Cards that ship come before cards of one's own with the same name.
    """
    cards: dict[str, ModelCard] = {}
    for path in card_paths():
        try:
            card = read_card(path)
        except ModelError as error:
            _log.warning("%s", error)
        else:
            cards.setdefault(card.name, card)
    return tuple(sorted(cards.values(), key=lambda card: (not card.is_bundled, card.name)))


def model_card(name: str) -> ModelCard:
    """The card of that name; raises ModelError listing the names there are."""
    cards = {card.name: card for card in all_cards()}
    if name not in cards:
        raise ModelError(f"the catalogue has no model called {name}", hint=f"it has {', '.join(cards)}")
    return cards[name]


class Availability(StrEnum):
    """Whether a model can be used at once."""

    BUNDLED = "bundled"
    INSTALLED = "installed"
    ABSENT = "not installed"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of models: a card, what is installed, or both."""

    name: str
    availability: Availability
    card: ModelCard | None
    installed: Installed | None

    @property
    def title(self) -> str:
        if self.card is not None:
            return self.card.title
        return f"added from {self.installed.source}" if self.installed is not None else self.name

    @property
    def arrived_size(self) -> int:
        """Bytes of a download that was broken off or cancelled, which the next one goes on from."""
        if self.availability is not Availability.ABSENT:
            return 0
        return sum(path.stat().st_size for path in (downloads_folder() / self.name).glob("*.part"))


def listed_models() -> tuple[Listed, ...]:
    """Models of the catalogue that propose, then those that were only added by hand."""
    return _listed(is_assistant=False)


def listed_assistants() -> tuple[Listed, ...]:
    """The same of assistants."""
    return _listed(is_assistant=True)


def _listed(*, is_assistant: bool) -> tuple[Listed, ...]:
    installed = {each.name: each for each in installed_models() if (each.family in ASSISTANTS) == is_assistant}
    found = []
    for card in (card for card in all_cards() if (card.family in ASSISTANTS) == is_assistant):
        present = installed.pop(card.name, None)
        absent = Availability.BUNDLED if card.is_bundled else Availability.ABSENT
        found.append(Listed(card.name, absent if present is None else Availability.INSTALLED, card, present))
    found += [Listed(model.name, Availability.INSTALLED, None, model) for model in installed.values()]
    return tuple(found)


def verify(model: Installed) -> None:
    """Raises ModelError if the files of an installed model are gone or no longer what was installed."""
    again = "remove it and get it again"
    if not model.path.is_file():
        raise ModelError("the model's file is gone", path=model.path, hint=again)
    if parts_hash(with_other_half(model.path)) != model.content_hash:
        raise ModelError("the model's files were changed or damaged", path=model.path, hint=again)


def remove(name: str) -> None:
    """Delete an installed model and what has arrived of a download; raises ModelError where there is neither."""
    folders = [folder / name for folder in (models_folder(), downloads_folder()) if (folder / name).is_dir()]
    if not is_plain(name) or not folders:
        raise ModelError(f"no model called {name} is installed")
    for folder in folders:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise ModelError(f"cannot be removed: {error.strerror}", path=folder) from error


def card_paths() -> Iterator[Path]:
    """Files of the catalogue; a bundled model may keep its card in its own folder.

    One's own cards, such as of a model on a laboratory's server, lie as .toml in the folder of installed models; a
    model learned from a project has one in its own folder.
    """
    from maskwright_resources import resource_path

    folder = resource_path("models")
    yield from sorted(folder.glob("*.toml"))
    yield from sorted(folder.glob(f"*/{BUNDLED_CARD}"))
    yield from sorted(models_folder().glob("*.toml"))
    yield from (path for path in sorted(models_folder().glob(f"*/{BUNDLED_CARD}")) if path.with_name(RECORD).is_file())
