"""How someone can begin with a new set of images: what the images look like, and which models may know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright.images.kind import SAMPLED, ImageKind, kind_of_files
from maskwright.models.catalog import Availability, Listed, ModelCard, listed_models
from maskwright.project import Project


@dataclass(frozen=True, slots=True)
class Beginning:
    kind: ImageKind | None
    """What most of the images look like; None where none of those looked at can be read."""
    models: tuple[Listed, ...]
    """Of the catalogue, trained on images of this kind: those that can be used at once first, then the smallest."""


def look_at(project: Project) -> Beginning:
    """Reads small copies of a dozen images. Raises ProjectError."""
    ids = project.images.ids().tolist()
    step = max(1.0, len(ids) / SAMPLED)
    chosen = [ids[int(index * step)] for index in range(min(SAMPLED, len(ids)))]
    kind = kind_of_files([project.image_path(project.images.record(id_)) for id_ in chosen])
    return Beginning(kind, models_for(kind))


def models_for(kind: ImageKind | None) -> tuple[Listed, ...]:
    known = [each for each in listed_models() if each.card is not None and kind in each.card.image_kinds]
    return tuple(sorted(known, key=_by_use))


def card_of(source: str) -> ModelCard | None:
    """Of the model that is loaded by this name or from this file; None for one that the catalogue does not know."""
    for each in listed_models():
        if each.card is not None and (each.name == source or _is_installed_at(each, source)):
            return each.card
    return None


def source_of(model: Listed) -> str:
    """What loads a model that can be used at once: its name, or the file of one that was installed."""
    return str(model.installed.path) if model.installed is not None else model.name


def _is_installed_at(model: Listed, source: str) -> bool:
    return model.installed is not None and model.installed.path == Path(source)


def _by_use(model: Listed) -> tuple[bool, int, str]:
    assert model.card is not None
    return model.availability is Availability.ABSENT, model.card.download_size or 1 << 60, model.name


def words_of(kinds: Sequence[str]) -> str:
    """ "micrographs", "photographs or micrographs"."""
    return " or ".join(f"{kind}s" for kind in sorted(kinds))
