"""Marks the uncertain places of the image, walks through them, and accepts objects that the model missed."""

from typing import TYPE_CHECKING, Any

import numpy as np

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright_gui.actions import Action, Menu
from maskwright_gui.canvas.previews import PreviewKind, PreviewOutline, rings_of
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.messages import Message

if TYPE_CHECKING:
    from maskwright.review.places import Place

Box = tuple[float, float, float, float]
PREVIEW_LAYER = "review"
MOST_MARKS = 12
"""Number of marks, the most serious first; more would hide the image."""
LEAST_SHARE = 0.3
"""Share of the image's longer side shown around a place."""
_MISSED = "{accept} accepts it, {reject} dismisses it."
_SIGNALS = ("disagreement", "uncertainty")


class UncertainFeature(Feature):
    """Marks uncertain places: at once in an order of the queue, on request in the order of names."""

    def __init__(self, context: Context, images: ImagesFeature, thresholds: ThresholdsFeature) -> None:
        super().__init__(context)
        self._images, self._rows = images, images.rows
        self._details: dict[str, Any] = {}
        self._is_asked = False
        self._visited: list[Box] = []
        self._current: Place | None = None
        self._declare(
            Action(
                "next_doubt",
                "Next uncertain place",
                Menu.IMAGE,
                1,
                self.next_place,
                keys=("Q",),
                icon="question",
                words="uncertain doubtful missed review errors",
            ),
        )
        self._session.document_replaced.connect(self.reload)
        self._session.document_changed.connect(self._show)
        self._session.selection_changed.connect(self._on_selection)
        images.panel.order_changed.connect(self.reload)
        thresholds.uncertain_changed.connect(self._on_uncertain_changed)

    def reload(self) -> None:
        """Read again what is known about the image, after a change of image, order or second model."""
        self._is_asked, self._visited, self._current = False, [], None
        self._read()
        self._show()

    def refresh(self, image_id: int) -> None:
        """Other thresholds make other objects uncertain: update the marks, but continue the walk."""
        if self._session.image is not None and self._session.image.id == image_id:
            self._read()
            self._show()

    def next_place(self) -> None:
        """Go to the next place of the image that the model, or a second one, is uncertain about."""
        if self._session.document is None:
            return
        self._is_asked = True
        self._read()
        places = self.places
        if not places:
            self._show()
            detail = "" if self._details else "Run the model on all images first: it notes the uncertain places."
            self.told.emit(Message("No uncertain places left on this image", detail))
            return
        place = next((place for place in places if place.box_xyxy not in self._visited), None)
        if place is None:
            self._visited, place = [], places[0]
        self._visited.append(place.box_xyxy)
        self._go_to(place)

    def accept_missed(self) -> bool:
        """Make the missed object at the current place an object; False if there is none."""
        return self._answer_missed(InstanceState.ACCEPTED, "Accept what was missed")

    def reject_missed(self) -> bool:
        """Note that nothing was missed there, so that it is not offered again."""
        return self._answer_missed(InstanceState.REJECTED, "Reject what may have been missed")

    def _go_to(self, place: "Place") -> None:
        width, height = self._session.document.size_wh if self._session.document is not None else (0, 0)
        self._canvas.navigator.zoom_to_box(_with_margin(place.box_xyxy, LEAST_SHARE * max(width, height)))
        found = place.instance_id
        self._session.select(frozenset() if found is None else frozenset({found}))
        self._current = place
        self._show()
        if found is None:
            self.told.emit(Message("An object may have been missed here", self._actions.with_keys(_MISSED)))

    def _answer_missed(self, state: InstanceState, label: str) -> bool:
        place, project, document = self._current, self._session.project, self._session.document
        if place is None or place.instance_id is not None or project is None or document is None:
            return False
        from maskwright.operations.proposing import missed_at

        detail, cache = self._details.get("disagreement"), self._session.cache
        found = (
            project.ask(lambda stored: missed_at(stored, cache, document.image_id, place, detail))
            if cache is not None
            else None
        )
        if found is None:
            self.told.emit(Message("Its outline is not known", "Draw it or run the model on this image again."))
            return True
        proposal = found.proposal
        new = Instance(
            self._session.new_instance_id(),
            proposal.category_id,
            proposal.polygons,
            state,
            score=proposal.score,
            provenance=found.provenance,
        )
        self._current = None
        if self._session.edit(Change.create([new]), label) and state is InstanceState.ACCEPTED:
            self._session.select(frozenset({new.id}))
        return True

    def _read(self) -> None:
        project, image = self._session.project, self._session.image
        order = self._rows.order
        wanted = [name for name in _SIGNALS if self._is_asked or order == name]
        self._details = {}
        if wanted and project is not None and image is not None:
            signals = project.ask(lambda stored: {name: stored.signals.get(name, image.id) for name in wanted})
            self._details = {name: signal[1] for name, signal in signals.items() if signal is not None}

    @property
    def places(self) -> "list[Place]":
        """The uncertain places left on the current image."""
        from maskwright.review.places import disagreement_places, uncertainty_places

        document = self._session.document
        if document is None:
            return []
        places = [
            *disagreement_places(self._details.get("disagreement"), document.instances),
            *uncertainty_places(self._details.get("uncertainty"), document.instances),
        ]
        return places[:MOST_MARKS]

    def _show(self) -> None:
        document, image = self._session.document, self._session.image
        is_settled = image is not None and image.state in (ImageState.DONE, ImageState.EMPTY)
        if document is None or image is None or (is_settled and not self._is_asked):
            self._canvas.renderer.set_previews((), layer=PREVIEW_LAYER)
            return
        outlines = [self._outline(place, document) for place in self.places]
        if self._rows.order == "rarity":
            outlines += self._rare_outlines(document)
        self._canvas.renderer.set_previews(tuple(outlines), layer=PREVIEW_LAYER)

    def _outline(self, place: "Place", document: Document) -> PreviewOutline:
        is_current = self._current is not None and self._current.box_xyxy == place.box_xyxy
        instance = document.instances.get(place.instance_id) if place.instance_id is not None else None
        if instance is not None and instance.polygons:
            return PreviewOutline(rings_of(instance), PreviewKind.UNCERTAIN, self._label(place), is_current)
        rings = tuple(ring for polygon in place.polygons for ring in polygon.rings)
        return PreviewOutline(rings or (_corners(place.box_xyxy),), PreviewKind.MISSED, self._label(place), is_current)

    def _label(self, place: "Place") -> str:
        name = next((c.name for c in self._session.classes.listed if c.id == place.category_id), "another class")
        match place.kind:
            case "only here":
                return "one model only"
            case "only there":
                return f"missed? {name}" + (f" {place.score:.2f}" if place.score is not None else "")
            case "class":
                return f"or {name}?"
            case "outline":
                return f"outline? {1 - place.weight:.2f}"
            case "doubt":
                return f"unsure {place.score:.2f}" if place.score is not None else "missed?"
            case "rival":
                return f"or {place.rival}?"
            case "vague":
                return "outline?"

    def _rare_outlines(self, document: Document) -> list[PreviewOutline]:
        rarest = self._rows.rarest_class(document.image_id)
        if rarest is None:
            return []
        category_id, _, total = rarest
        marked = [i for i in document if i.category_id == category_id and i.polygons and _counts(i)]
        return [
            PreviewOutline(rings_of(i), PreviewKind.UNCERTAIN, f"rare, {total} in the project")
            for i in marked[:MOST_MARKS]
        ]

    def _on_uncertain_changed(self, image_id: int) -> None:
        self.refresh(image_id)
        self._images.note_changed(image_id)
        self._images.panel.refresh_reason()

    def _on_selection(self, ids: frozenset[int]) -> None:
        if self._current is not None and ids and ids != frozenset({self._current.instance_id}):
            self._current = None
            self._show()


def _counts(instance: Instance) -> bool:
    return instance.is_visible and instance.state is not InstanceState.REJECTED


def _with_margin(box: Box, least: float) -> Box:
    """The box with enough surroundings to recognise the object: at least `least` pixels."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    width, height = max(box[2] - box[0], least / 2), max(box[3] - box[1], least / 2)
    return x - width, y - height, x + width, y + height


def _corners(box: Box) -> "np.ndarray[Any, np.dtype[np.float64]]":
    x1, y1, x2, y2 = box
    return np.array(((x1, y1), (x2, y1), (x2, y2), (x1, y2)), np.float64)
