"""Installs a model: from the catalogue over the network, or from a user's file."""

import contextlib
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskwright.errors import ModelError
from maskwright.inference.files import is_half, pair_name, with_other_half
from maskwright.inference.installed import Installed, installed_model, is_plain, models_folder, record
from maskwright.inference.model import recognised
from maskwright.inference.runtime import Network
from maskwright.models.catalog import ASSISTANTS, CardFile, ModelCard, all_cards, downloads_folder, model_card
from maskwright.models.convert import Precision, convert, converted_pair
from maskwright.models.download import Cancel, DownloadCancelledError, OnBytes, Patience, download, is_published

log = logging.getLogger(__name__)

_WANTED = ["*.xml", "*.bin", "*.json", "LICENSE*", "README*"]


def fetch_repository(
    repository: str, folder: Path, *, on_progress: OnBytes | None = None, cancel: Cancel | None = None
) -> Path:
    """Download a repository with one IR to `folder`; the Hugging Face client verifies and keeps complete files.

    Returns the .xml. Raises DownloadCancelledError, or ModelError if the client is not installed, the hub reports an
    error, or there is not exactly one IR.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise ModelError(
            "models from the Hugging Face hub need its client", hint='pip install "maskwright[hub]"'
        ) from error
    bars = _bars(on_progress, cancel, folder)
    try:
        snapshot_download(repository, local_dir=folder, allow_patterns=_WANTED, tqdm_class=bars)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        log.info("%s: %s", repository, error)
        raise ModelError(f"hf://{repository} could not be downloaded: {_hub_reason(error)}") from error
    networks = [path for path in sorted(folder.rglob("*.xml")) if path.with_suffix(".bin").is_file()]
    if len(networks) != 1:
        raise ModelError(f"hf://{repository} holds {len(networks)} IRs, expected one", path=folder)
    return networks[0]


def _bars(on_progress: OnBytes | None, cancel: Cancel | None, folder: Path) -> Any:
    """A progress bar class for the client that draws nothing, but reports bytes and can cancel."""
    from tqdm.auto import tqdm  # installed with the client

    class Bar(tqdm):  # type: ignore[misc]  # not typed
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self._counts_bytes = options.get("unit") == "B"
            super().__init__(*arguments, **{**options, "disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if cancel is not None and cancel.is_set():
                raise DownloadCancelledError("cancelled", path=folder)
            if on_progress is not None and self._counts_bytes and self.total:
                on_progress(int(self.n), int(self.total))

    return Bar


def get_model(
    name: str,
    *,
    precision: Precision = "f16",
    on_progress: OnBytes | None = None,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
) -> Installed:
    """Download a model of the catalogue (or "hf://OWNER/NAME"), verify, convert and register it.

    Returns at once if it is installed. Partial downloads are kept in the cache folder and resumed. Raises ModelError
    with the reason, DownloadCancelledError when `cancel` is set.
    """
    card = hub_card(name) if name.startswith("hf://") else model_card(name)
    if card.is_bundled:
        raise ModelError(f"{name} is part of the program and ready to use")
    if (present := installed_model(card.name)) is not None and present.path.is_file():
        return present
    if card.by_hand:
        raise ModelError(
            f"{name} has no known checksum, so it cannot be downloaded safely",
            hint=f"{card.by_hand}; then run maskwright models get ENCODER_FILE --name {name}, with the decoder next "
            f"to it",
        )
    if card.hub:
        folder = models_folder() / card.name
        network = fetch_repository(card.hub, folder, on_progress=on_progress, cancel=cancel)
        return _noted(card, network, f"hf://{card.hub}")
    folder = downloads_folder() / card.name
    try:
        files = [
            download(file, folder / file.name, on_progress=on_progress, cancel=cancel, patience=patience)
            for file in card.files
        ]
    except ModelError:
        with contextlib.suppress(OSError):
            folder.rmdir()  # unless part of it has arrived
        raise
    return _finished(card, files, precision)


def add_file(
    path: Path,
    *,
    name: str | None = None,
    precision: Precision = "f16",
    check: Callable[[], None] | None = None,
) -> Installed:
    """Install a model file of any known kind, without a network.

    A file that a card of the catalogue describes is installed under that card's name if its checksum matches; any other
    under `name` or its own. check: called between the steps; an exception from it ends the work with nothing changed.
    Raises ModelError for a file that cannot be used.
    """
    card = matching_card(path)
    own = pair_name(path) if is_half(path) else _plain_name(path)
    chosen = name or (card.name if card is not None else own)
    if not is_plain(chosen):
        raise ModelError(f"{chosen} cannot be a model's name", path=path)
    folder = models_folder() / chosen
    try:
        if is_half(path):
            pair = converted_pair(with_other_half(path), folder, precision=precision, name=chosen, check=check)
            return record(chosen, family=pair.family, file=pair.path, source=path.name)
        made = convert(path, folder, precision=precision, name=chosen, check=check)
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()  # empty if the installation failed
    return record(chosen, family=made.family, file=made.path, source=path.name)


def matching_card(path: Path) -> ModelCard | None:
    """The card whose published file this is, by size and checksum, under any name.

    Raises ModelError for a file with the name and size of a published one but another checksum: it is damaged.
    """
    try:
        size = path.stat().st_size
        # Without a published size, only a matching name justifies hashing a file of any length.
        alike = [
            (card, file)
            for card in all_cards()
            for file in card.files
            if (file.size == size if file.size else file.name == path.name)
        ]
        found = next((card for card, file in alike if is_published(path, file)), None)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", path=path) from error
    if found is not None:
        return found
    if any(file.name == path.name and file.size for _, file in alike):
        raise ModelError("damaged: name and size match a published file, but the checksum does not", path=path)
    return None


def check_published(path: Path) -> CardFile | None:
    """The published file that `path` is named after; None if there is none.

    Raises ModelError if the content differs: damaged, or another file of the same name.
    """
    for card in all_cards():
        for file in card.files:
            if file.name == path.name:
                if not is_published(path, file):
                    raise ModelError("not the published file of that name: the checksum differs", path=path)
                return file
    return None


def hub_card(address: str) -> ModelCard:
    """A card for any repository on the Hugging Face hub, from "hf://OWNER/NAME"."""
    repository = address.removeprefix("hf://").strip("/")
    parts = repository.split("/")
    if len(parts) != 2 or not all(is_plain(part) for part in parts):
        raise ModelError(f"expected hf://OWNER/NAME, got {address}")
    source = f"https://huggingface.co/{repository}"
    return ModelCard(parts[1], parts[1], "detected from its outputs", "see its page", source, hub=repository)


def _finished(card: ModelCard, files: list[Path], precision: Precision) -> Installed:
    """Convert what was downloaded; the download itself is not kept."""
    if card.family in ASSISTANTS:
        pair = converted_pair(files, models_folder() / card.name, precision=precision, name=card.name)
        shutil.rmtree(files[0].parent, ignore_errors=True)
        return record(card.name, family=pair.family, file=pair.path, source=card.files[0].urls[0])
    named = {file.name: file for file in files}
    source = named.get(card.convert) or next((file for file in files if file.suffix == ".xml"), files[0])
    made = convert(source, models_folder() / card.name, precision=precision, name=card.name)
    shutil.rmtree(files[0].parent, ignore_errors=True)
    return record(card.name, family=made.family, file=made.path, source=card.files[0].urls[0])


def _noted(card: ModelCard, network_file: Path, source: str) -> Installed:
    """A ready IR is used as it is, if a family recognises it."""
    try:
        adapter = recognised(Network(network_file).interface, network_file)
    except ModelError:
        shutil.rmtree(models_folder() / card.name, ignore_errors=True)
        raise
    return record(card.name, family=adapter.family, file=network_file, source=source)


def _plain_name(path: Path) -> str:
    name = path.name.lstrip(".")
    return name.removesuffix(".gz").removesuffix(".tar").removesuffix(path.suffix) or name


def _hub_reason(error: Exception) -> str:
    """An error of the Hugging Face client in plain words."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return "it is private, or you must accept its terms on its page first"
    if status == 404:
        return "the hub has no such repository"
    if status is not None:
        return f"the hub answered with error {status}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the hub cannot be reached"
