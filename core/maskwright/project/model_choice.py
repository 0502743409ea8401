"""Remembers a project's model, so that opening it later or elsewhere continues with the same one."""

from pathlib import Path

from maskwright.project.store import Project
from maskwright_resources import resource_path

_SETTING = "model"


def remember_model(project: Project, source: str | Path) -> None:
    """Store a model's file, or the name of a bundled one. Raises ProjectError if the project cannot be written."""
    wanted = _bundled_name(Path(source)) or str(source)
    if known_model(project) != wanted:
        project.set_setting(_SETTING, wanted)


def known_model(project: Project) -> str | None:
    """The stored model; None if no model has been used yet."""
    source = project.setting(_SETTING)
    return source if isinstance(source, str) else None


def _bundled_name(path: Path) -> str | None:
    """A bundled model is stored by name, because its file lies where the program is installed."""
    try:
        bundled = resource_path("models", path.stem, f"{path.stem}.xml")
    except FileNotFoundError:
        return None
    return path.stem if path in (bundled, Path(path.stem)) else None
