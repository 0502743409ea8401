"""The known models: cards that ship with the program, and what has been installed from them or by hand."""

import logging
import os
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import platformdirs

from maskwright.errors import ModelError
from maskwright.inference.files import parts_hash, with_other_half
from maskwright.inference.installed import FOLDER_VARIABLE, RECORD, Installed, installed_models, is_plain, models_folder
from maskwright.plain_words import in_plain_words

BUNDLED_CARD = "card.toml"


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file to download. `urls` are tried in order."""

    name: str
    size: int
    """In bytes; 0 if only its SHA-256 was published."""
    sha384: str
    urls: tuple[str, ...]
    sha256: str = ""
    """Used instead of the SHA-384 if that was not published."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One entry of the catalogue."""

    name: str
    title: str
    family: str
    license: str
    source: str
    description: str = ""
    input: str = ""
    outputs: str = ""
    convert: str = ""
    """The downloaded file to convert; empty if an IR is downloaded or bundled."""
    hub: str = ""
    """Repository on the Hugging Face hub with a ready IR, e.g. "OpenVINO/rtmdet_inst_tiny-fp16-ov"."""
    files: tuple[CardFile, ...] = ()
    by_hand: str = ""
    """Where to find its files if no checksum is known: what cannot be verified is not downloaded."""
    about_mb: int = 0
    """Download size if the exact number of bytes was not published."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    image_kinds: frozenset[str] = frozenset()
    """What it was trained on, as in `images.kind.ImageKind`; empty if unknown or irrelevant."""

    def suits(self, kind: str | None) -> bool:
        """Whether the model may find its objects in images of a kind; None for an unknown kind."""
        return kind is None or not self.image_kinds or kind in self.image_kinds

    @property
    def is_bundled(self) -> bool:
        """Whether it ships with the program, so that nothing has to be downloaded."""
        return not self.files and not self.hub and not self.by_hand

    @property
    def download_size(self) -> int:
        """In bytes; 0 if unknown."""
        return sum(file.size for file in self.files) or self.about_mb * 10**6


def read_card(path: Path) -> ModelCard:
    """Parse a card. Raises ModelError if it is damaged or incomplete.

    A model that ships with the program has its `card.toml` in its own folder, whose name is the model's.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
        return _card(content, path.parent.name if path.name == BUNDLED_CARD else str(content["name"]))
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"not a model card: {in_plain_words(error)}", path=path) from error


def _card(content: dict[str, Any], name: str) -> ModelCard:
    texts = ("family", "license", "source", "description", "input", "outputs", "convert", "hub", "by_hand")
    for key in texts[:2]:
        if not isinstance(content[key], str):
            raise ValueError(f"{key} is not text")
    card = ModelCard(
        name,
        str(content.get("title", content.get("name", name))),
        **{key: str(content.get(key, "")).strip() for key in texts},
        files=tuple(_file(entry) for entry in content.get("files", ())),
        about_mb=int(content.get("about_mb", 0)),
        metrics=dict(_numbers(content.get("metrics", {}))),
        image_kinds=frozenset(str(kind) for kind in content.get("image_kinds", ())),
    )
    if not is_plain(card.name) or not all(is_plain(file.name) for file in card.files):
        raise ValueError("a name with path separators")
    if card.convert and card.convert not in (file.name for file in card.files):
        raise ValueError(f"{card.convert} should be converted but is not among the files")
    return card


def _numbers(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in a table and in the tables inside it, named by their path."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key} ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{key}", float(value)


def _file(entry: Mapping[str, Any]) -> CardFile:
    if "sha256" in entry:
        urls = tuple(entry["urls"])
        file = CardFile(str(entry["name"]), int(entry.get("size", 0)), "", urls, str(entry["sha256"]).lower())
        is_whole = len(bytes.fromhex(file.sha256)) == 32 and file.size >= 0
    else:
        file = CardFile(str(entry["name"]), int(entry["size"]), str(entry["sha384"]).lower(), tuple(entry["urls"]))
        is_whole = len(bytes.fromhex(file.sha384)) == 48 and file.size > 0
    if not is_whole or not file.urls:
        raise ValueError(f"size, checksum or address of {file.name}")
    return file


_log = logging.getLogger(__name__)

ASSISTANTS = frozenset({"assist", "sam", "sam2", "sam_hq", "efficient_sam"})
"""Families whose networks propose nothing by themselves; use `load_assistant` instead of `load_model`."""


def downloads_folder() -> Path:
    """Where files are downloaded to: the program's cache folder on this platform, or inside MASKWRIGHT_MODELS if
    set.
    """
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) / ".downloads" if chosen else platformdirs.user_cache_path("maskwright") / "downloads"


def all_cards() -> tuple[ModelCard, ...]:
    """The cards of models and assistants, bundled ones first, by name; damaged cards are skipped.

    Cards that ship with the program precede a user's cards of the same name.
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
    """The card of that name. Raises ModelError listing the known names."""
    cards = {card.name: card for card in all_cards()}
    if name not in cards:
        raise ModelError(f"the catalogue has no model called {name}", hint=f"known: {', '.join(cards)}")
    return cards[name]


class Availability(StrEnum):
    """Whether a model can be used right away."""

    BUNDLED = "bundled"
    INSTALLED = "installed"
    ABSENT = "not installed"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line in the list of models: a card, an installed model, or both."""

    name: str
    availability: Availability
    card: ModelCard | None
    installed: Installed | None

    @property
    def title(self) -> str:
        """The name to show."""
        if self.card is not None:
            return self.card.title
        return f"added from {self.installed.source}" if self.installed is not None else self.name

    @property
    def arrived_size(self) -> int:
        """Bytes of an interrupted or cancelled download, which the next one continues from."""
        if self.availability is not Availability.ABSENT:
            return 0
        return sum(path.stat().st_size for path in (downloads_folder() / self.name).glob("*.part"))


def listed_models() -> tuple[Listed, ...]:
    """Models that propose: the catalogue's, then those that were only added by hand."""
    return _listed(is_assistant=False)


def listed_assistants() -> tuple[Listed, ...]:
    """The same for assistants."""
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
    """Raises ModelError if the files of an installed model are missing or have changed."""
    again = "remove it and download it again"
    if not model.path.is_file():
        raise ModelError("the model file is missing", path=model.path, hint=again)
    if parts_hash(with_other_half(model.path)) != model.content_hash:
        raise ModelError("the model files have been changed or damaged", path=model.path, hint=again)


def remove(name: str) -> None:
    """Delete an installed model and any partial download. Raises ModelError if there is neither."""
    folders = [folder / name for folder in (models_folder(), downloads_folder()) if (folder / name).is_dir()]
    if not is_plain(name) or not folders:
        raise ModelError(f"no installed model is called {name}")
    for folder in folders:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise ModelError(f"cannot be removed: {error.strerror}", path=folder) from error


def card_paths() -> Iterator[Path]:
    """Files of the catalogue; a bundled model may have its card in its own folder.

    A user's cards, for example for a model on a laboratory's server, are .toml files in the folder of installed models;
    a model learned from a project has one in its own folder.
    """
    from maskwright_resources import resource_path

    folder = resource_path("models")
    yield from sorted(folder.glob("*.toml"))
    yield from sorted(folder.glob(f"*/{BUNDLED_CARD}"))
    yield from sorted(models_folder().glob("*.toml"))
    yield from (path for path in sorted(models_folder().glob(f"*/{BUNDLED_CARD}")) if path.with_name(RECORD).is_file())
