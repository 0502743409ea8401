"""Files that ship with the program: model cards, the bundled model, the sample images."""

from importlib.resources import files
from pathlib import Path


def resource_path(*parts: str) -> Path:
    """Path of a bundled file or folder, e.g. `resource_path("models", "nuclei.toml")`.

    Raises ValueError for a part that would leave the package, FileNotFoundError for a missing resource.
    """
    if any(".." in part or "/" in part or "\\" in part for part in parts):
        raise ValueError(f"expected plain names, got {parts}")
    path = Path(str(files(__name__).joinpath(*parts)))
    if not path.exists():
        raise FileNotFoundError(f"no bundled resource {'/'.join(parts)}")
    return path
