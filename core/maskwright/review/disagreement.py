"""Where two models, or a model and the existing instances, disagree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import polygons_bounds_xyxy
from maskwright.project.overlaps import overlaps
from maskwright.project.proposals import ModelProposal

NAME = "disagreement"
"""Name of the signal in a project."""
SAME_PLACE_IOU = 0.5

DifferenceKind = Literal["only here", "only there", "class", "outline"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One object on which the two sides differ. `box_xyxy` in image pixels."""

    kind: DifferenceKind
    weight: float
    box_xyxy: tuple[float, float, float, float]
    instance_id: int | None
    """The instance here; None if only the other side found the object."""
    state: InstanceState | None = None
    """Area, in pixels, of the instance here at the time of comparison."""
    there: ModelProposal | None = None
    """What the other side has here."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """All differences in one image, the largest first."""

    findings: tuple[Difference, ...]

    @property
    def value(self) -> float:
        """Sum of all weights."""
        return sum(finding.weight for finding in self.findings)

    @property
    def reason(self) -> str:
        """Counts in words: "2 objects only one model finds, 1 other class"."""
        alone = sum(finding.kind in ("only here", "only there") for finding in self.findings)
        classes = sum(finding.kind == "class" for finding in self.findings)
        outlines = sum(finding.kind == "outline" and finding.weight > 0.25 for finding in self.findings)
        parts = [
            f"{count} {text}"
            for count, text in (
                (alone, "found by only one model"),
                (classes, "with two classes"),
                (outlines, "with two outlines"),
            )
            if count
        ]
        return ", ".join(parts) or "both models agree"

    @property
    def detail(self) -> dict[str, Any]:
        """JSON details for the project: the reason, and the twenty largest differences."""
        return {"reason": self.reason, "findings": [finding_to_json(item) for item in self.findings[:20]]}


def disagreement(here: Sequence[Instance], there: Sequence[ModelProposal]) -> Disagreement:
    """Compare an image's instances (without rejected ones) with another model's proposals.

    An object that one side lacks weighs its score (1 for a user's), another class 1, a different outline 1 - IoU.
    """
    answered = [instance for instance in here if instance.polygons]
    known = [instance for instance in answered if instance.state is not InstanceState.REJECTED]
    rejected = [instance for instance in answered if instance.state is InstanceState.REJECTED]
    proposed = _not_rejected([proposal for proposal in there if proposal.polygons], rejected)
    rows, columns, ious = overlaps(proposed, known, least_iou=SAME_PLACE_IOU)
    findings: list[Difference] = []
    seen_here: set[int] = set()
    seen_there: set[int] = set()
    for at in np.argsort(-ious, kind="stable").tolist():
        row, column = int(rows[at]), int(columns[at])
        if row in seen_there or column in seen_here or ious[at] < SAME_PLACE_IOU:
            continue
        seen_there.add(row)
        seen_here.add(column)
        is_same = proposed[row].category_id == known[column].category_id
        kind: DifferenceKind = "outline" if is_same else "class"
        weight = 1 - float(ious[at]) if is_same else 1.0
        item = known[column]
        findings.append(Difference(kind, weight, item.bounds_xyxy, item.id, item.state, proposed[row]))
    findings += [
        Difference("only here", _certainty(item.score), item.bounds_xyxy, item.id, item.state)
        for column, item in enumerate(known)
        if column not in seen_here
    ]
    findings += [
        Difference("only there", _certainty(item.score), polygons_bounds_xyxy(item.polygons), None, None, item)
        for row, item in enumerate(proposed)
        if row not in seen_there
    ]
    return Disagreement(tuple(sorted(findings, key=lambda finding: -finding.weight)))


def finding_to_json(finding: Difference) -> dict[str, Any]:
    """Includes the outline of what only the other side found, so that the user can take it over."""
    stored: dict[str, Any] = {
        "kind": finding.kind,
        "box_xyxy": [round(value, 1) for value in finding.box_xyxy],
        "instance": finding.instance_id,
        "weight": round(finding.weight, 3),
    }
    if finding.state is not None:
        stored["state"] = finding.state.value
    if finding.there is not None:
        stored |= {"category": finding.there.category_id, "score": round(finding.there.score, 4)}
    if finding.there is not None and finding.instance_id is None:
        stored["polygons"] = [[ring.tolist() for ring in polygon.rings] for polygon in finding.there.polygons]
    return stored


def _not_rejected(proposed: Sequence[ModelProposal], rejected: Sequence[Instance]) -> list[ModelProposal]:
    """Without proposals that a user has rejected already: of the same class in the same place."""
    rows, columns, ious = overlaps(proposed, rejected, least_iou=SAME_PLACE_IOU)
    refused = {
        int(row)
        for row, column, iou in zip(rows, columns, ious, strict=True)
        if iou >= SAME_PLACE_IOU and proposed[row].category_id == rejected[column].category_id
    }
    return [proposal for index, proposal in enumerate(proposed) if index not in refused]


def _certainty(score: float | None) -> float:
    return 1.0 if score is None else score
