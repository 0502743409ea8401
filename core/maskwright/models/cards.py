"""Model cards: what a model is, where it comes from, under which licence, how good it is."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskwright.errors import ModelError
from maskwright.faults import in_plain_words
from maskwright.inference.installed import is_plain

BUNDLED_CARD = "card.toml"


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file to download. `urls` are tried in order."""

    name: str
    size: int
    """Bytes; 0 where only its SHA-256 was published."""
    sha384: str
    urls: tuple[str, ...]
    sha256: str = ""
    """Instead of the SHA-384, where that was not published."""


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
    """The downloaded file to be converted; empty where an IR is downloaded or bundled."""
    hub: str = ""
    """Repository on the Hugging Face hub that holds a ready IR, e.g. "OpenVINO/rtmdet_inst_tiny-fp16-ov"."""
    files: tuple[CardFile, ...] = ()
    by_hand: str = ""
    """Where its files are, if no checksum of them is known: what cannot be checked is not downloaded."""
    about_mb: int = 0
    """Of the download, where its size was not published to the byte."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    image_kinds: frozenset[str] = frozenset()
    """What it was trained on, of `images.kind.ImageKind`; empty where that does not matter or is not known."""

    def suits(self, kind: str | None) -> bool:
        """Whether the model may find what it knows on images of a kind; None: of a kind that is not known."""
        return kind is None or not self.image_kinds or kind in self.image_kinds

    @property
    def is_bundled(self) -> bool:
        """Whether it came with the program, so that nothing is to be downloaded."""
        return not self.files and not self.hub and not self.by_hand

    @property
    def download_size(self) -> int:
        """Bytes; 0 where it is not known beforehand."""
        return sum(file.size for file in self.files) or self.about_mb * 10**6


def read_card(path: Path) -> ModelCard:
    """Parse a card; raises ModelError where it is damaged or lacks something.

    A model that ships with the program keeps its `card.toml` in its own folder, whose name is what it is loaded by.
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
            raise ValueError(f"{key} is no text")
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
        raise ValueError(f"{card.convert} is to be converted but not among the files")
    return card


def _numbers(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The figures of a table and of those inside it, named by their way to it."""
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
