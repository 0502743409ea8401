"""Models by name: the bundled ones, and those in the folder of installed models."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from maskwright.errors import ModelError
from maskwright.inference.files import parts_hash, with_other_half

RECORD = "installed.json"
FOLDER_VARIABLE = "MASKWRIGHT_MODELS"
"""Environment variable for another folder of installed models."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An installed model."""

    name: str
    family: str
    file: str
    """The .xml file, relative to the model's folder."""
    content_hash: str
    """As `Model.content_hash` was at installation."""
    source: str
    """Where it came from: a URL, or the name of the file that was added."""

    @property
    def path(self) -> Path:
        """The path of the model's file."""
        return models_folder() / self.name / self.file


def models_folder() -> Path:
    """Where installed models are: the program's data folder on this platform, unless MASKWRIGHT_MODELS is set."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_data_path("maskwright") / "models"


def installed_models() -> tuple[Installed, ...]:
    """Installed models by name; folders without a readable record are skipped."""
    folder = models_folder()
    if not folder.is_dir():
        return ()
    found = (_read_record(path) for path in sorted(folder.glob(f"*/{RECORD}")))
    return tuple(model for model in found if model is not None)


def installed_model(name: str) -> Installed | None:
    """The installed model of this name; None if there is none."""
    return _read_record(models_folder() / name / RECORD) if is_plain(name) else None


def record(name: str, *, family: str, file: Path, source: str) -> Installed:
    """Record that `file`, which lies in the model's folder, is the model `name` from now on."""
    folder = models_folder() / name
    content_hash = parts_hash(with_other_half(file))
    model = Installed(name, family, file.relative_to(folder).as_posix(), content_hash, source)
    draft = folder / f"{RECORD}.new"
    draft.write_text(json.dumps(asdict(model), indent=1), "utf-8")
    draft.replace(folder / RECORD)
    return model


def model_path(path_or_name: str | Path) -> Path:
    """The file of a path, or of a bundled or installed model's name. Raises ModelError if it is neither."""
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
    """Whether a name is safe as a file or folder name."""
    return bool(name) and not name.startswith(".") and not any(mark in name for mark in "/\\:\0")


def _read_record(path: Path) -> Installed | None:
    try:
        model = Installed(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return model if model.name == path.parent.name else None
