"""`load_assistant`: from a name or path to an assistant that is ready to use, of any of the known families."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from maskwright.assist.bundled.recognising import recognised_window_network
from maskwright.assist.features import FeatureCache
from maskwright.assist.grabcut import GrabCutBackend
from maskwright.assist.protocol import Backend
from maskwright.assist.running import LoadSettings
from maskwright.assist.sam.recognising import recognised_sam
from maskwright.assist.view import BackendAssistant
from maskwright.errors import ModelError
from maskwright.inference.files import DECODER, ENCODER, SUFFIXES, half_of, with_other_half
from maskwright.inference.interface import described
from maskwright.inference.runtime import Network

Recogniser: TypeAlias = Callable[[Sequence[Network], LoadSettings], Backend | None]
"""Returns a backend for these networks (one, or encoder and decoder in any order); None if they are of another family.

Raises ModelError if they are of the family but do not fit together."""

FAMILIES: tuple[Recogniser, ...] = (recognised_window_network, recognised_sam)
"""In the order in which they are tried."""

BUNDLED = "bundled"
_ALIAS = "assist"
"""The bundled assistant's name on the command line."""
GRABCUT = "grabcut"
_BUNDLED_FOLDER = "assist"
"""Its folder below the resources' models."""


def load_assistant(
    name_or_path: str | Path | Sequence[str | Path] = BUNDLED,
    *,
    device: str = "CPU",
    precision: str | None = None,
    num_threads: int | None = None,
    cache: FeatureCache | None = None,
) -> BackendAssistant:
    """Load an assistant: "bundled", "grabcut", the name of an installed one, a file, a folder, or a pair of files.

    Either file of a pair is enough if the other lies beside it under the same name with "encoder" and "decoder"
    exchanged, or is the only candidate in the folder. device, precision, num_threads: as for `load_model`. cache: keeps
    features; None for one in memory only. Raises ModelError with the path and the reason.
    """
    if name_or_path == GRABCUT:
        return BackendAssistant(GrabCutBackend(), cache)
    paths = assistant_files(name_or_path)
    networks = [Network(path) for path in paths]
    return BackendAssistant(_recognised(networks, LoadSettings(device, precision, num_threads)), cache)


def assistant_files(name_or_path: str | Path | Sequence[str | Path]) -> list[Path]:
    """The one or two network files that are meant. Raises ModelError if there are none or more."""
    if not isinstance(name_or_path, str | Path):
        return [Path(part) for part in name_or_path]
    path = Path(name_or_path)
    if str(name_or_path) in (BUNDLED, _ALIAS):  # a folder of that name can be given as "./bundled"
        return [_bundled_file()]
    if path.is_dir():
        return _files_in(path)
    if path.suffix in SUFFIXES or len(path.parts) != 1:
        return with_other_half(path)
    from maskwright.inference.installed import installed_model

    installed = installed_model(path.name)
    if installed is None:
        raise ModelError(
            f"no such file, and no installed assistant called {path.name}",
            hint=f"{BUNDLED}, {GRABCUT}, maskwright models list",
        )
    return with_other_half(installed.path)


def _bundled_file() -> Path:
    from maskwright_resources import resource_path

    try:
        return resource_path("models", _BUNDLED_FOLDER, f"{_BUNDLED_FOLDER}.xml")
    except FileNotFoundError as error:
        raise ModelError("this version has no bundled assistant", hint=f'"{GRABCUT}" needs no network') from error


def _files_in(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if len(found) not in (1, 2):
        raise ModelError(
            f"this folder has {len(found)} networks, expected one, or an encoder and a decoder", path=folder
        )
    return found


def _recognised(networks: Sequence[Network], settings: LoadSettings) -> Backend:
    for recognise in FAMILIES:
        backend = recognise(networks, settings)
        if backend is not None:
            return backend
    seen = "; ".join(
        f"{network.path.name}: {described(network.interface.inputs)} -> {described(network.interface.outputs)}"
        for network in networks
    )
    raise ModelError(f"not a known kind of assistant; its inputs and outputs: {seen}", hint=_missing_half(networks))


def _missing_half(networks: Sequence[Network]) -> str | None:
    if len(networks) != 1:
        return None
    half = half_of(networks[0].path)
    other = ENCODER if half == DECODER else DECODER
    return f"its {other} is missing: put it in the same folder" if half else None
