"""A class filter in the project's terms as a model's terms: no object of a class that is left out is even traced."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maskwright.inference.model import Model
    from maskwright.prelabel.settings import PrelabelSettings
    from maskwright.project.store import Project


def narrowed(
    settings: "PrelabelSettings", left_out: Collection[int], category_ids: Mapping[int, int]
) -> "PrelabelSettings":
    """`settings` without the model's classes that become one of `left_out`.

    left_out: ids of the project; category_ids: {the model's id: the project's}.
    """
    if not left_out:
        return settings
    kept = sorted(model_id for model_id, project_id in category_ids.items() if project_id not in left_out)
    return replace(settings, categories=tuple(kept))


def narrowed_for(
    settings: "PrelabelSettings", left_out: Collection[int], project: "Project", model: "Model"
) -> "PrelabelSettings":
    """The same where the mapping is still to be looked up. Raises ProjectError."""
    if not left_out:
        return settings
    from maskwright.prelabel.mapping import project_categories

    return narrowed(settings, left_out, project_categories(project, model.labels, model.content_hash))
