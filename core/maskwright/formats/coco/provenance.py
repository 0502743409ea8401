"""Reads and writes an instance's state and provenance in its `attributes`; other keys there are preserved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maskwright.document.values import Instance, InstanceState, Provenance
from maskwright.formats.sizes import is_number, is_share

_TEXTS = ("model", "model_hash", "proposed_at")
_NUMBERS = ("score_threshold", "nms_iou")
_LATER_NUMBERS = ("mask_threshold", "min_iou")
"""Attributes that not all proposals have."""
_KEYS = frozenset({"state", "score", "edited_at", *_TEXTS, *_NUMBERS, *_LATER_NUMBERS})
_EXPORTED = frozenset({*(state.value for state in InstanceState)} - {InstanceState.REJECTED.value})


def provenance_attributes(instance: Instance) -> dict[str, str | float]:
    """Plain values only: CVAT and Datumaro read nothing else."""
    attributes: dict[str, str | float] = {"state": instance.state.value}
    if instance.score is not None:
        attributes["score"] = round(instance.score, 4)
    origin = instance.provenance
    if origin is not None:
        attributes |= {"model": origin.model_name, "model_hash": origin.model_hash}
        attributes |= {"score_threshold": origin.score_threshold, "nms_iou": origin.nms_iou}
        later = {"mask_threshold": origin.mask_threshold, "min_iou": origin.min_iou}
        attributes |= {key: value for key, value in later.items() if value is not None}
        attributes["proposed_at"] = origin.created_at
    if instance.edited_at:
        attributes["edited_at"] = instance.edited_at
    return attributes


def has_provenance(attributes: Any) -> bool:
    """Whether `attributes` look as if `provenance_attributes` wrote them."""
    return isinstance(attributes, Mapping) and attributes.get("state") in _EXPORTED


def with_provenance(instance: Instance, attributes: Any) -> Instance:
    """The instance with the state, score, origin and time of last edit that `attributes` give."""
    if not has_provenance(attributes):
        return instance
    score, edited_at = attributes.get("score"), attributes.get("edited_at")
    return replace(
        instance,
        state=InstanceState(attributes["state"]),
        score=float(score) if is_share(score) else None,
        provenance=_origin(attributes),
        edited_at=edited_at if isinstance(edited_at, str) else instance.edited_at,
    )


def refreshed(attributes: Mapping[str, Any], instance: Instance) -> dict[str, Any]:
    """`attributes` updated from the instance; equal values keep their type and position."""
    known = provenance_attributes(instance)
    return {**attributes, **{key: value for key, value in known.items() if attributes.get(key) != value}}


def stripped(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """`attributes` without what `provenance_attributes` writes."""
    return {key: value for key, value in attributes.items() if key not in _KEYS}


def _origin(attributes: Mapping[str, Any]) -> Provenance | None:
    model, model_hash, created_at = (attributes.get(key) for key in _TEXTS)
    threshold, nms_iou = (attributes.get(key) for key in _NUMBERS)
    if not (isinstance(model, str) and isinstance(model_hash, str) and isinstance(created_at, str)):
        return None
    if not (is_number(threshold) and is_number(nms_iou)):
        return None
    mask_threshold, min_iou = (float(v) if is_share(v) else None for v in map(attributes.get, _LATER_NUMBERS))
    return Provenance(model, model_hash, float(threshold), float(nms_iou), created_at, mask_threshold, min_iou)
