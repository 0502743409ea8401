"""Which thresholds an image stands under: those of its latest open proposals, what is unknown from the project."""

from dataclasses import replace

from maskwright.document.values import ASSISTED, InstanceState, Provenance
from maskwright.inference.thresholds import Thresholds
from maskwright.operations.kept_thresholds import applied_thresholds
from project_builders import drawn

OF_PROJECT = Thresholds(score=0.5, nms_iou=0.5, mask_threshold=0.5, min_iou=0.98, max_instances=7)
EARLIER = Provenance("model", "a", 0.3, 0.6, "2026-01-01T00:00:00+00:00", mask_threshold=0.4, min_iou=0.9)
LATER = replace(EARLIER, score_threshold=0.2, created_at="2026-01-02T00:00:00+00:00")


def applied(*origins: Provenance | None, state: InstanceState = InstanceState.PROPOSED) -> Thresholds | None:
    instances = [replace(drawn(id_), state=state, provenance=origin) for id_, origin in enumerate(origins, 1)]
    return applied_thresholds(instances, OF_PROJECT)


def test_those_of_the_latest_proposal_count() -> None:
    assert applied(LATER, EARLIER) == replace(OF_PROJECT, score=0.2, nms_iou=0.6, mask_threshold=0.4, min_iou=0.9)


def test_what_early_versions_did_not_store_is_the_projects() -> None:
    unknown = replace(EARLIER, mask_threshold=None, min_iou=None)
    assert applied(unknown) == replace(OF_PROJECT, score=0.3, nms_iou=0.6)


def test_answered_and_assisted_objects_tell_nothing() -> None:
    assert applied(EARLIER, state=InstanceState.ACCEPTED) is None
    assert applied(replace(EARLIER, model_name=f"{ASSISTED}grabcut"), None) is None
