"""Ways to begin with new images: what kind of images they are, and which models may suit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskwright.images.kind import SAMPLED, ImageKind, kind_of_files
from maskwright.models.catalog import Availability, Listed, ModelCard, listed_models
from maskwright.project import Project


@dataclass(frozen=True, slots=True)
class Beginning:
    """The kind of a project's images, and models for it."""

    kind: ImageKind | None
    """What most of the images look like; None if none of the sample can be read."""
    models: tuple[Listed, ...]
    """Models of the catalogue trained on this kind of images: those ready for use first, then by size."""


def look_at(project: Project) -> Beginning:
    """Reads small copies of a dozen images. Raises ProjectError."""
    ids = project.images.ids().tolist()
    step = max(1.0, len(ids) / SAMPLED)
    chosen = [ids[int(index * step)] for index in range(min(SAMPLED, len(ids)))]
    kind = kind_of_files([project.image_path(project.images.record(id_)) for id_ in chosen])
    return Beginning(kind, models_for(kind))


def models_for(kind: ImageKind | None) -> tuple[Listed, ...]:
    """Models for a kind of images, ready ones first."""
    known = [each for each in listed_models() if each.card is not None and kind in each.card.image_kinds]
    return tuple(sorted(known, key=_by_use))


def card_of(source: str) -> ModelCard | None:
    """The card of the model with this name or file; None if the catalogue does not know it."""
    for each in listed_models():
        if each.card is not None and (each.name == source or _is_installed_at(each, source)):
            return each.card
    return None


def source_of(model: Listed) -> str:
    """What loads a model that is ready for use: its name, or the file of an installed one."""
    return str(model.installed.path) if model.installed is not None else model.name


def _is_installed_at(model: Listed, source: str) -> bool:
    return model.installed is not None and model.installed.path == Path(source)


def _by_use(model: Listed) -> tuple[bool, int, str]:
    assert model.card is not None
    return model.availability is Availability.ABSENT, model.card.download_size or 1 << 60, model.name


def words_of(kinds: Sequence[str]) -> str:
    """ "micrographs", "photographs or micrographs"."""
    return " or ".join(f"{kind}s" for kind in sorted(kinds))
