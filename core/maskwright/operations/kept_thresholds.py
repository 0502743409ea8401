"""The thresholds that a project is worked on with: what a user chose for it, else what its last batch ran with."""

from typing import Any

from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright.project import Project

_SETTING = "window.thresholds"
_FIELDS = ("score", "nms_iou", "mask_threshold", "min_iou", "is_class_agnostic", "left_out")


def keep_thresholds(project: Project, thresholds: Thresholds, *, are_applied: bool = False) -> None:
    """As the project's; a score that nobody chose stays the model's to say. Raises ProjectError.

    are_applied: the project's proposals go by them, so that their score is the project's, chosen or not.
    """
    values: dict[str, Any] = {name: getattr(thresholds, name) for name in _FIELDS}
    shown, default = (thresholds.score, thresholds.nms_iou), Defaults()
    if not are_applied and not has_chosen_score(project) and shown == (default.score, default.nms_iou):
        del values["score"], values["nms_iou"]
    project.set_setting(_SETTING, values)


def has_kept_score(project: Project) -> bool:
    stored = project.setting(_SETTING)
    return isinstance(stored, dict) and "score" in stored


def has_chosen_score(project: Project) -> bool:
    """Whether a user has chosen one for the project, or a batch has run with one."""
    return has_kept_score(project) or project.runs.last() is not None


def known_thresholds(project: Project) -> Thresholds | None:
    """None for a project that nobody has chosen any for and that has had no batch. Raises ProjectError."""
    if (stored := project.setting(_SETTING)) is not None:
        return Thresholds.from_json(stored)
    run = project.runs.last()
    return Thresholds.from_json(run.settings) if run is not None else None
