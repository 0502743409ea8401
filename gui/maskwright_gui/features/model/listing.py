"""The list of models: recently used, installed, and available from the catalogue."""

from collections.abc import Sequence

from maskwright_gui.panels.model import model_title

ModelRows = list[tuple[str, str]]
"""(text, what loads it)."""


def ready_models(sources: Sequence[str]) -> ModelRows:
    """The `sources`, in this order, then the other installed models."""
    from maskwright.models.catalog import Availability, listed_models
    from maskwright.operations.beginning import source_of

    ready = [each for each in listed_models() if each.availability is not Availability.ABSENT]
    titles = {source_of(each): each.title for each in ready if each.availability is Availability.INSTALLED}
    ordered = dict.fromkeys([*sources, *titles])
    return [(titles.get(source) or model_title(source), source) for source in ordered]


def models_to_get() -> ModelRows:
    """What each model of the catalogue is, its size and licence; by its name in the catalogue."""
    from maskwright.models.catalog import Availability, listed_models

    found: ModelRows = []
    for each in listed_models():
        if each.availability is Availability.ABSENT and each.card is not None:
            size = f", {each.card.download_size / 1e6:.0f} MB" if each.card.download_size else ""
            found.append((f"Get “{each.title}”… ({each.card.license}{size})", each.name))
    return found
