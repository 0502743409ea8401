"""The current thresholds: those of a single image, else the user's choice for the project, else the last
batch's."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from maskwright.document.values import Instance, InstanceState
from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright.project import Project

_SETTING = "window.thresholds"
_FIELDS = ("score", "nms_iou", "mask_threshold", "min_iou", "is_class_agnostic", "left_out")


def keep_thresholds(project: Project, thresholds: Thresholds, *, are_applied: bool = False) -> None:
    """Store thresholds for the project; a score that nobody chose is left to the model. Raises ProjectError.

    are_applied: the project's proposals already follow them, so their score is the project's, chosen or not.
    """
    values: dict[str, Any] = {name: getattr(thresholds, name) for name in _FIELDS}
    shown, default = (thresholds.score, thresholds.nms_iou), Defaults()
    if not are_applied and not has_chosen_score(project) and shown == (default.score, default.nms_iou):
        del values["score"], values["nms_iou"]
    project.set_setting(_SETTING, values)


def has_kept_score(project: Project) -> bool:
    """Whether the project has stored thresholds with a score."""
    stored = project.setting(_SETTING)
    return isinstance(stored, dict) and "score" in stored


def has_chosen_score(project: Project) -> bool:
    """Whether a user has chosen a score for the project, or a batch has run with one."""
    return has_kept_score(project) or project.runs.last() is not None


def known_thresholds(project: Project) -> Thresholds | None:
    """None for a project without chosen thresholds or a batch. Raises ProjectError."""
    if (stored := project.setting(_SETTING)) is not None:
        return Thresholds.from_json(stored)
    run = project.runs.last()
    return Thresholds.from_json(run.settings) if run is not None else None


_SIGNAL = "window.thresholds"


def applied_thresholds(instances: Iterable[Instance], of_project: Thresholds) -> Thresholds | None:
    """The thresholds of the latest open proposals; None if none are known.

    Unknown numbers, and the choice of classes, are taken from the project.
    """
    open_ones = (one.provenance for one in instances if one.state is InstanceState.PROPOSED)
    of_models = (one for one in open_ones if one is not None and not one.is_by_assistant)
    origin = max(of_models, key=lambda one: one.created_at, default=None)
    if origin is None:
        return None
    return replace(
        of_project,
        score=origin.score_threshold,
        nms_iou=origin.nms_iou,
        mask_threshold=of_project.mask_threshold if origin.mask_threshold is None else origin.mask_threshold,
        min_iou=of_project.min_iou if origin.min_iou is None else origin.min_iou,
    )


def keep_for_image(project: Project, image_id: int, thresholds: Thresholds) -> None:
    """Store thresholds for a single image, until a batch includes it. Raises ProjectError."""
    detail = {"thresholds": thresholds.to_json(), "run": _last_run(project)}
    project.signals.set(_SIGNAL, {image_id: (thresholds.score or 0.0, detail)})


def forget_images(project: Project, image_ids: Iterable[int]) -> None:
    """Let these images use the project's thresholds again. Raises ProjectError."""
    project.signals.set(_SIGNAL, dict.fromkeys(image_ids, (0.0, None)))


def images_with_own(project: Project) -> dict[int, Thresholds]:
    """{image id: thresholds} of the images with thresholds of their own. Raises ProjectError."""
    details, run = project.signals.details(_SIGNAL), _last_run(project)
    known = {id_: detail for id_, detail in details.items() if isinstance(detail, dict) and detail.get("run") == run}
    return {id_: Thresholds.from_json(detail.get("thresholds")) for id_, detail in known.items()}


def _last_run(project: Project) -> int:
    run = project.runs.last()
    return run.id if run is not None else 0
