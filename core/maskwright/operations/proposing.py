"""A model's proposals for one image, changed thresholds for one image or all, and missed objects, as the window
needs them."""

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
"""States in which images keep their proposals as the user judged them."""
_SAME_BOX_IOU = 0.4
"""IoU from which a candidate is the one in the box."""
_NEAR_PX = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class PredictOutcome:
    """The result of the model on one image; already stored."""

    change: Change
    candidates: Candidates
    proposal_count: int


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """`change` leads from the given document to the one with these proposals, whose ids are negative."""

    change: Change
    proposals: list[ModelProposal]
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Missed:
    """An object that no proposal covers. `proposal` has a class of the project."""

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
    """Decode, infer, select, store. `monitor` is checked between these; nothing is stored before the last.

    cache: where to store the candidates for other thresholds. pixels: the image as from `read_image`, (H, W, 3) BGR,
    and the file it was read from, if it has been decoded already. Raises ImageError, ModelError or ProjectError.
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
    """An image that a model has run on; its candidates cache traced outlines for the next thresholds."""

    image_id: int
    candidates: Candidates
    proposer: Proposer
    """Without thresholds yet, see `Proposer.at`."""
    new_ids: dict[tuple[int, float, int], int] = field(default_factory=dict)
    """{(class, score, index among those of this class and score): the id to show}."""

    def preview(self, document: Document, thresholds: Thresholds) -> Preview:
        """What these thresholds would make of a document, for each step of a slider; nothing is stored."""
        proposer = self.proposer.at(thresholds)
        proposals = proposer.proposals(self.candidates, packs_dense=False)
        taken: dict[tuple[int, float], int] = {}
        change = preview_change(tuple(document), proposals, partial(self._new_id, taken))
        return Preview(change, proposals, proposer.provenance(self.candidates))

    def kept(self, document: Document, thresholds: Thresholds) -> Preview:
        """What storing the proposals at these thresholds will make of a document."""
        proposer = self.proposer.at(thresholds)
        proposals, provenance = proposer.proposals(self.candidates), proposer.provenance(self.candidates)
        change = proposals_to_change(tuple(document), proposals, provenance, range(-len(proposals), 0))
        return Preview(change, proposals, provenance)

    def make_ready(self, thresholds: Thresholds) -> None:
        """Make the polygons that these thresholds will need, in advance; the candidates cache them."""
        for prediction in self.candidates.selected(self.proposer.at(thresholds).thresholds)[:1]:
            _ = prediction.polygons  # makes those of the whole selection

    def classes_at(self, box_xyxy: tuple[float, float, float, float]) -> tuple[int, ...]:
        """The project's classes of the candidates with about this box (xyxy, image pixels), whatever their score;
        the likeliest first.
        """
        boxes = self.candidates.boxes_xyxy[self.candidates.rows]
        weights = self.candidates.scores * _ious(boxes, np.asarray(box_xyxy))
        best: dict[int, float] = {}
        for place in np.flatnonzero(weights > 0).tolist():
            model_id = self.candidates.categories[self.candidates.classes[place]].id
            if (ours := self.proposer.category_ids.get(model_id)) is not None:
                best[ours] = max(best.get(ours, 0.0), float(weights[place]))
        return tuple(sorted(best, key=lambda id_: -best[id_]))

    def note_signals(self, project: Project, thresholds: Thresholds) -> None:
        """Store an estimate of the corrections needed at these thresholds, for the queue. Raises ProjectError."""
        for name, value in self.proposer.at(thresholds).signals(self.candidates).items():
            project.signals.set(name, {self.image_id: value})

    def _new_id(self, taken: dict[tuple[int, float], int], proposal: ModelProposal) -> int:
        """The same negative id for the same candidate at every step of a slider."""
        key = proposal.category_id, proposal.score
        taken[key] = taken.get(key, 0) + 1
        return self.new_ids.setdefault((*key, taken[key]), -1 - len(self.new_ids))


def _ious(boxes: NDArray[np.float32], box: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) IoU of (N, 4) xyxy with another box; 0 below the limit."""
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    shared = np.prod(np.clip(sides, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) + np.prod(box[2:] - box[:2])
    ious: NDArray[np.float64] = shared / np.maximum(areas - shared, 1e-9)
    return np.where(ious >= _SAME_BOX_IOU, ious, 0.0)


def known_image(project: Project, cache: CandidateCache, image_id: int) -> KnownImage | None:
    """A model's candidates for an image; None if none are stored for its file. Raises ProjectError."""
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
    """Replace the proposals of all untouched images with candidates; returns the number of images.

    leave_out: ids of images to skip. `on_image` is called with each image and its stored change. Raises ProjectError.
    """
    wanted = set(project.images.ids(states=UNTOUCHED).tolist()) & set(cache.image_ids()) - set(leave_out)
    now = datetime.now(UTC).isoformat(timespec="seconds")  # the same for everything that one slider step changes
    for done, image_id in enumerate(sorted(wanted)):
        monitor.report(done, len(wanted), f"Applying the thresholds: {done} of {len(wanted)}")
        known = known_image(project, cache, image_id)
        if known is not None:
            on_image(image_id, known.proposer.at(thresholds).store(project, image_id, known.candidates, now))
    project.categories.release()
    return len(wanted)


def missed_at(project: Project, cache: CandidateCache, image_id: int, place: Place, detail: Any) -> Missed | None:
    """The outline of an object that no proposal covers: from the second model, or a candidate with a low score.

    detail: the project's record of the two models' disagreement on the image. None if nothing is known. Raises
    ProjectError.
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
    """Only the best candidate with this box."""
    distance = np.abs(candidates.boxes_xyxy[candidates.rows] - np.asarray(box)).max(axis=1, initial=0.0)
    at = np.flatnonzero(distance <= _NEAR_PX)[:1]
    return replace(candidates, rows=candidates.rows[at], classes=candidates.classes[at], scores=candidates.scores[at])
