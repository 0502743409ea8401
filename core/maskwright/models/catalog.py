"""The models there are: cards that ship with the program, and what has been installed from them or by hand."""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from maskwright.errors import ModelError
from maskwright.inference.hashing import file_hash
from maskwright.models.cards import BUNDLED_CARD, ModelCard, is_plain, read_card

_log = logging.getLogger(__name__)

RECORD = "installed.json"
FOLDER_VARIABLE = "MASKWRIGHT_MODELS"
"""Environment variable that names another folder for installed models."""
ASSISTANTS = frozenset({"assist"})
"""Families of cards whose networks propose nothing by themselves: `load_assistant` loads them, not `load_model`."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A model in the folder of installed models."""

    name: str
    family: str
    file: str
    """The .xml, relative to the model's folder."""
    content_hash: str
    """As `Model.content_hash`, taken when it was installed."""
    source: str
    """Where it came from: an address, or the name of the file that was brought."""

    @property
    def path(self) -> Path:
        return models_folder() / self.name / self.file


def models_folder() -> Path:
    """Where installed models live: the platform's data folder of the program, unless MASKWRIGHT_MODELS says else."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("maskwright") / "models"


def downloads_folder() -> Path:
    """Where files lie while they arrive: the program's cache folder on the platform; in MASKWRIGHT_MODELS if set."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) / ".downloads" if chosen else platformdirs.user_cache_path("maskwright") / "downloads"


def model_cards() -> tuple[ModelCard, ...]:
    """All cards of the catalogue, bundled models first, by name; damaged cards and assistants are passed over.

    Cards that ship come before cards of one's own with the same name.
    """
    cards: dict[str, ModelCard] = {}
    for path in card_paths():
        try:
            card = read_card(path)
        except ModelError as error:
            _log.warning("%s", error)
        else:
            if card.family not in ASSISTANTS:
                cards.setdefault(card.name, card)
    return tuple(sorted(cards.values(), key=lambda card: (not card.is_bundled, card.name)))


def model_card(name: str) -> ModelCard:
    """The card of that name; raises ModelError listing the names there are."""
    cards = {card.name: card for card in model_cards()}
    if name not in cards:
        raise ModelError(f"the catalogue has no model called {name}", hint=f"it has {', '.join(cards)}")
    return cards[name]


def installed_models() -> tuple[Installed, ...]:
    """Installed models by name; folders without a readable record are passed over."""
    folder = models_folder()
    if not folder.is_dir():
        return ()
    found = (_read_record(path) for path in sorted(folder.glob(f"*/{RECORD}")))
    return tuple(model for model in found if model is not None)


def installed_model(name: str) -> Installed | None:
    return _read_record(models_folder() / name / RECORD) if is_plain(name) else None


def record(name: str, *, family: str, file: Path, source: str) -> Installed:
    """Note that `file`, which lies in the model's folder, is model `name` from now on."""
    folder = models_folder() / name
    model = Installed(name, family, file.relative_to(folder).as_posix(), file_hash(file), source)
    draft = folder / f"{RECORD}.new"
    draft.write_text(json.dumps(asdict(model), indent=1), "utf-8")
    draft.replace(folder / RECORD)
    return model


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
    """Models of the catalogue, then those that were only added by hand."""
    installed = {model.name: model for model in installed_models()}
    found = []
    for card in model_cards():
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
    if file_hash(model.path) != model.content_hash:
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


def _read_record(path: Path) -> Installed | None:
    try:
        model = Installed(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return model if model.name == path.parent.name else None
