"""Models by name: those that are bundled, and those in the folder of installed models."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from maskwright.errors import ModelError
from maskwright.inference.halves import with_other_half
from maskwright.inference.hashing import parts_hash

RECORD = "installed.json"
FOLDER_VARIABLE = "MASKWRIGHT_MODELS"
"""Environment variable that names another folder for installed models."""


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
    content_hash = parts_hash(with_other_half(file))
    model = Installed(name, family, file.relative_to(folder).as_posix(), content_hash, source)
    draft = folder / f"{RECORD}.new"
    draft.write_text(json.dumps(asdict(model), indent=1), "utf-8")
    draft.replace(folder / RECORD)
    return model


def model_path(path_or_name: str | Path) -> Path:
    """The file meant by a path, or by the name of a bundled or installed model; raises ModelError for neither."""
    path = Path(path_or_name)
    if path.suffix or path.is_file() or len(path.parts) != 1:
        return path
    from maskwright_resources import resource_path

    try:
        return resource_path("models", path.name, f"{path.name}.xml")
    except FileNotFoundError as error:
        installed = installed_model(path.name)
        if installed is None:
            raise ModelError(
                f"no such file, and no bundled or installed model called {path.name}",
                hint="maskwright models list, maskwright models get NAME",
            ) from error
        return installed.path


def is_plain(name: str) -> bool:
    """Whether a name may become a file or folder name of its own."""
    return bool(name) and not name.startswith(".") and not any(mark in name for mark in "/\\:\0")


def _read_record(path: Path) -> Installed | None:
    try:
        model = Installed(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return model if model.name == path.parent.name else None
