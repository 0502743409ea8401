"""Thresholds that hold for one image alone, and those that its proposals were chosen with."""

from collections.abc import Iterable
from dataclasses import replace

from maskwright.document.values import Instance, InstanceState
from maskwright.inference.thresholds import Thresholds
from maskwright.project import Project

_SIGNAL = "window.thresholds"


def applied_thresholds(instances: Iterable[Instance], of_project: Thresholds) -> Thresholds | None:
    """What the latest of the open proposals were chosen with; None where nothing is known of any.

    Numbers that are not known, and which classes are proposed, are the project's.
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
    """Remember what one image alone was given, as long as no batch comes over it. Raises ProjectError."""
    detail = {"thresholds": thresholds.to_json(), "run": _last_run(project)}
    project.signals.set(_SIGNAL, {image_id: (thresholds.score or 0.0, detail)})


def forget_images(project: Project, image_ids: Iterable[int]) -> None:
    """These have the project's thresholds again. Raises ProjectError."""
    project.signals.set(_SIGNAL, dict.fromkeys(image_ids, (0.0, None)))


def images_with_own(project: Project) -> dict[int, Thresholds]:
    """{image id: thresholds} of those that have their own. Raises ProjectError."""
    details, run = project.signals.details(_SIGNAL), _last_run(project)
    known = {id_: detail for id_, detail in details.items() if isinstance(detail, dict) and detail.get("run") == run}
    return {id_: Thresholds.from_json(detail.get("thresholds")) for id_, detail in known.items()}


def _last_run(project: Project) -> int:
    run = project.runs.last()
    return run.id if run is not None else 0
