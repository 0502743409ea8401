"""The model on one image, other thresholds for one image or all, and what was missed: what the window asks for."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ImageState, Provenance
from maskwright.images import read_image
from maskwright.images.identity import SeenFile
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model
from maskwright.inference.thresholds import Thresholds
from maskwright.monitor import SILENT, Monitor
from maskwright.prelabel.proposing import Proposer
from maskwright.project import Project
from maskwright.project.proposals import ModelProposal, preview_change, proposals_to_change
from maskwright.review.places import Place

UNTOUCHED = (ImageState.UNSEEN, ImageState.PRELABELLED)
"""Images that a user has worked on keep their proposals as they were judged."""
_SAME_BOX_IOU = 0.4
"""From here on a candidate is about what the box is about."""
_NEAR_PX = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class PredictOutcome:
    """What the model made of one image; it is stored already."""

    change: Change
    candidates: Candidates
    proposal_count: int


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """`change` leads from the document asked about to the one with these proposals, whose ids are negative."""

    change: Change
    proposals: list[ModelProposal]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Missed:
    """`proposal` has a class of the project."""

    proposal: ModelProposal
    provenance: Provenance


def predict_image(
    project: Project,
    image_id: int,
    model: Model,
    thresholds: Thresholds,
    *,
    cache: CandidateCache | None = None,
    pixels: tuple[SeenFile, NDArray[np.uint8]] | None = None,
    monitor: Monitor = SILENT,
) -> PredictOutcome:
    """Decode, infer, select, store. `monitor` is asked between any two of these; nothing is stored before the last.

    cache: where the candidates are kept for other thresholds. pixels: the image as `read_image` decodes it, (H, W, 3)
    BGR, and the file it was read from, where it has been decoded already.
    Raises ImageError, ModelError or ProjectError.
    """
    seen, image = pixels if pixels is not None else _decoded(project, image_id)
    monitor.check()
    candidates = model.predict(image)
    monitor.check()
    if cache is not None:
        cache.put(model, image_id, candidates, seen)
    proposer = Proposer.of(project, model, model.labels, thresholds)
    proposals = proposer.proposals(candidates)
    signals = proposer.signals(candidates)
    monitor.check()
    change = project.proposals.put(image_id, proposals, provenance=proposer.provenance(candidates), signals=signals)
    project.runs.forget_failure(image_id)
    return PredictOutcome(change, candidates, len(proposals))


def _decoded(project: Project, image_id: int) -> tuple[SeenFile, NDArray[np.uint8]]:
    path = project.image_path(project.images.record(image_id))
    seen = SeenFile.now(path)
    return seen, read_image(path).bgr_u8


@dataclass(frozen=True, slots=True, eq=False)
class KnownImage:
    """An image that a model has been over; its candidates remember what was traced, for the next score."""

    image_id: int
    candidates: Candidates
    proposer: Proposer
    """At no thresholds in particular, see `Proposer.at`."""
    new_ids: dict[tuple[int, float, int], int] = field(default_factory=dict)
    """{(class, score, number among those of this class and score): id to show it under}."""

    def preview(self, document: Document, thresholds: Thresholds) -> Preview:
        """What these thresholds would make of a document, for a look at each step of a slider; nothing is stored."""
        proposer = self.proposer.at(thresholds)
        proposals = proposer.proposals(self.candidates, packs_dense=False)
        taken: dict[tuple[int, float], int] = {}
        change = preview_change(tuple(document), proposals, partial(self._new_id, taken))
        return Preview(change, proposals, proposer.provenance(self.candidates))

    def kept(self, document: Document, thresholds: Thresholds) -> Preview:
        """What storing the proposals of these thresholds will make of a document."""
        proposer = self.proposer.at(thresholds)
        proposals, provenance = proposer.proposals(self.candidates), proposer.provenance(self.candidates)
        change = proposals_to_change(tuple(document), proposals, provenance, range(-len(proposals), 0))
        return Preview(change, proposals, provenance)

    def make_ready(self, thresholds: Thresholds) -> None:
        """Have polygons made for the case that these are asked for next; the candidates remember them."""
        for prediction in self.candidates.selected(self.proposer.at(thresholds).thresholds)[:1]:
            _ = prediction.polygons  # those of the whole selection are made together

    def classes_at(self, box_xyxy: tuple[float, float, float, float]) -> tuple[int, ...]:
        """The project's classes of the candidates with about this box (image pixels), whatever their score; the
        likeliest first."""
        boxes = self.candidates.boxes_xyxy[self.candidates.rows]
        weights = self.candidates.scores * _ious(boxes, np.asarray(box_xyxy))
        best: dict[int, float] = {}
        for place in np.flatnonzero(weights > 0).tolist():
            model_id = self.candidates.categories[self.candidates.classes[place]].id
            if (ours := self.proposer.category_ids.get(model_id)) is not None:
                best[ours] = max(best.get(ours, 0.0), float(weights[place]))
        return tuple(sorted(best, key=lambda id_: -best[id_]))

    def note_signals(self, project: Project, thresholds: Thresholds) -> None:
        """Keep what will have to be corrected at these thresholds, for the order of review. Raises ProjectError."""
        for name, value in self.proposer.at(thresholds).signals(self.candidates).items():
            project.signals.set(name, {self.image_id: value})

    def _new_id(self, taken: dict[tuple[int, float], int], proposal: ModelProposal) -> int:
        """The same negative id for the same candidate at every step of a slider."""
        key = proposal.category_id, proposal.score
        taken[key] = taken.get(key, 0) + 1
        return self.new_ids.setdefault((*key, taken[key]), -1 - len(self.new_ids))


def _ious(boxes: NDArray[np.float32], box: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) of (N, 4) xyxy with another; 0 for those that are rather about something else."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    shared = np.prod(np.clip(sides, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    ious: NDArray[np.float64] = shared / np.maximum(areas - shared, 1e-9)
    return np.where(ious >= _SAME_BOX_IOU, ious, 0.0)


def known_image(project: Project, cache: CandidateCache, image_id: int) -> KnownImage | None:
    """What a model said of an image; None where no candidates of its file are kept. Raises ProjectError."""
    found = cache.get(image_id, project.image_path(project.images.record(image_id)))
    if found is None:
        return None
    mark, candidates = found
    return KnownImage(image_id, candidates, Proposer.of(project, mark, candidates.categories, Thresholds()))


def rethreshold(
    project: Project,
    cache: CandidateCache,
    thresholds: Thresholds,
    *,
    leave_out: Collection[int] = (),
    on_image: Callable[[int, Change], None] = lambda image_id, change: None,
    monitor: Monitor = SILENT,
) -> int:
    """Replace the proposals of all untouched images with candidates; how many images that were.

    leave_out: ids of images that stay as they are. `on_image` is told of each what was stored.
    Raises ProjectError.
    """
    wanted = set(project.images.ids(states=UNTOUCHED).tolist()) & set(cache.image_ids()) - set(leave_out)
    now = datetime.now(UTC).isoformat(timespec="seconds")  # one for all that a slider has changed
    for done, image_id in enumerate(sorted(wanted)):
        monitor.report(done, len(wanted), f"Applying the thresholds: {done} of {len(wanted)}")
        known = known_image(project, cache, image_id)
        if known is not None:
            on_image(image_id, known.proposer.at(thresholds).store(project, image_id, known.candidates, now))
    return len(wanted)


def missed_at(project: Project, cache: CandidateCache, image_id: int, place: Place, detail: Any) -> Missed | None:
    """The outline of an object that no proposal covers: the second model's, or that of a candidate with a low score.

    detail: what the project keeps of the two models' disagreement on the image. None where nothing is known.
    Raises ProjectError.
    """
    if place.polygons and place.category_id is not None:
        known: Mapping[str, Any] = detail if isinstance(detail, dict) else {}
        proposal = ModelProposal(place.category_id, place.score or 0.0, place.polygons)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        model, model_hash = str(known.get("model", "")), str(known.get("model_hash", ""))
        return Missed(proposal, Provenance(model, model_hash, 0.0, 0.0, now))
    image = known_image(project, cache, image_id)
    return _from_candidates(image, place) if image is not None else None


def _from_candidates(image: KnownImage, place: Place) -> Missed | None:
    proposer = image.proposer.at(Thresholds(score=0.0))
    alone = _alone(image.candidates, place.box_xyxy)
    found = next(iter(proposer.proposals(alone, packs_dense=False)), None)
    return Missed(found, proposer.provenance(alone)) if found is not None else None


def _alone(candidates: Candidates, box: tuple[float, float, float, float]) -> Candidates:
    """Only the best of those with this box."""
    distance = np.abs(candidates.boxes_xyxy[candidates.rows] - np.asarray(box)).max(axis=1, initial=0.0)
    at = np.flatnonzero(distance <= _NEAR_PX)[:1]
    return replace(candidates, rows=candidates.rows[at], classes=candidates.classes[at], scores=candidates.scores[at])
