"""Where in an image a user should look, and why: the places behind the queue's reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon, box_ious

Box = tuple[float, float, float, float]
PlaceKind = Literal["only here", "only there", "class", "outline", "doubt", "rival", "vague"]
SAME_PLACE_IOU = 0.4
"""IoU from which a box and an instance's bounds mean the same object."""
OUTLINE_WEIGHT = 0.25
"""Outlines that differ by more (1 - IoU) are marked."""

_KINDS: Mapping[str, PlaceKind] = {"score": "doubt", "class": "rival", "outline": "vague"}


@dataclass(frozen=True, slots=True)
class Place:
    """`box_xyxy` in image pixels. `instance_id`: the instance; None for an object that may have been missed."""

    kind: PlaceKind
    box_xyxy: Box
    instance_id: int | None = None
    category_id: int | None = None
    """The class that the second model sees here."""
    score: float | None = None
    weight: float = 0.0
    rival: str = ""
    """The model's name of the class that is nearly as likely."""
    polygons: tuple[Polygon, ...] = ()
    """The outline of the object that may have been missed, if known."""


def disagreement_places(detail: Any, instances: Mapping[int, Instance]) -> tuple[Place, ...]:
    """From a project's record of two models' disagreement, without what has been answered since."""
    stored = detail.get("findings", []) if isinstance(detail, dict) else []
    places = [_finding_place(finding) for finding in stored]
    return tuple(
        place for place, finding in zip(places, stored, strict=True) if _is_open(place, finding.get("state"), instances)
    )


def uncertainty_places(detail: Any, instances: Mapping[int, Instance]) -> tuple[Place, ...]:
    """From a project's record of a model's uncertainty: proposals, and objects that may have been missed."""
    stored = detail if isinstance(detail, dict) else {}
    boxes: list[Box] = [_box(values) for values in stored.get("boxes_xyxy", [])]
    kinds = stored.get("kinds", ["score"] * len(boxes))  # earlier versions recorded neither
    rivals = stored.get("rivals", [""] * len(boxes))
    places = []
    for box, kind, rival in zip(boxes, kinds, rivals, strict=True):
        found = _most_like(instances.values(), box)
        if found is None:
            places.append(Place("doubt", box))
        elif instances[found].state is InstanceState.PROPOSED:
            places.append(Place(_KINDS[kind], box, found, score=instances[found].score, rival=rival))
    return tuple(places)


def _most_like(instances: Iterable[Instance], box: Box) -> int | None:
    """The id of the instance whose bounds match the box best, in any state; None if none matches."""
    known = [instance for instance in instances if instance.polygons]
    if not known:
        return None
    ious = box_ious([instance.bounds_xyxy for instance in known], [box])[:, 0]
    best = int(ious.argmax())
    return known[best].id if ious[best] >= SAME_PLACE_IOU else None


def _finding_place(finding: Mapping[str, Any]) -> Place:
    return Place(
        finding["kind"],
        _box(finding["box_xyxy"]),
        finding["instance"],
        finding.get("category"),
        finding.get("score"),
        finding.get("weight", 1.0),
        polygons=tuple(Polygon.of(rings[0], rings[1:]) for rings in finding.get("polygons", [])),
    )


def _is_open(place: Place, state: str | None, instances: Mapping[int, Instance]) -> bool:
    if place.instance_id is None:
        return _most_like(instances.values(), place.box_xyxy) is None
    here = instances.get(place.instance_id)
    if here is None or (state is not None and here.state.value != state):
        return False
    return place.kind != "outline" or place.weight > OUTLINE_WEIGHT


def _box(values: Sequence[float]) -> Box:
    x1, y1, x2, y2 = values
    return float(x1), float(y1), float(x2), float(y2)
