"""Finds objects similar to the selected ones, as proposals: on this image, on those visited next, or on a batch of the
following ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ImageStanding, ImageState, Instance
from maskwright.errors import MaskwrightError
from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, Under, may_edit
from maskwright_gui.canvas.previews import PreviewKind, PreviewOutline
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.alike.bar import AlikeBar
from maskwright_gui.features.alike.searching import Searcher, first_search, search, search_many
from maskwright_gui.features.editing import class_name
from maskwright_gui.features.images.feature import ImagesFeature
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.history import Step
from maskwright_gui.messages import Message
from maskwright_gui.operation import Work

if TYPE_CHECKING:
    from maskwright.operations.alike import Examples, Found

LABEL = "Find similar objects"
PREVIEW_LAYER = "alike"
THRESHOLD = 0.35
"""Above it most finds are right, on photographs of droplets, nuts and fruit."""
REST_MS = 300
"""Delay, so that paging through images starts no search."""


@dataclass(slots=True)
class Search:
    """A search: what is searched for, and what has been found so far."""

    searcher: Searcher
    """With the assistant that described the examples; no other can compare with them."""
    threshold: float
    outside: int | None = None
    """An image that was no part of the set when the user searched it."""
    follows: bool = False
    examples: "Examples | None" = None
    found: "dict[int, list[Found]]" = field(default_factory=dict)
    """{image id: everything with some similarity, best first}."""


class AlikeFeature(Feature):
    """One search at a time; the next one starts over."""

    _found_elsewhere = Signal(object, object)
    """(image id, list of Found): from the thread."""

    def __init__(
        self, context: Context, images: ImagesFeature, point: PointFeature, thresholds: ThresholdsFeature
    ) -> None:
        super().__init__(context)
        self._images, self._point, self._strip = images, point, thresholds.strip
        self._search: Search | None = None
        self._step: Step | None = None
        """The step that has proposed what is on screen."""
        self.bar = AlikeBar(self._canvas)
        self._window.add_canvas_bar(self.bar)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._look_here)
        self._declare(
            Action(
                "find_like",
                "Find similar objects",
                Menu.MODEL,
                3,
                self.find,
                keys=("J",),
                icon="squares-four",
                words="similar same alike more examples few shot search propose counting",
                needs=may_edit,
                canvas_menu=((Under.OBJECT, 1), (Under.SEVERAL, 1)),
            )
        )
        self._connect()

    def _connect(self) -> None:
        self.bar.moved.connect(self._preview)
        self.bar.released.connect(self._keep)
        self.bar.follows_toggled.connect(self._follow)
        self.bar.batch_requested.connect(self.find_on_next)
        self.bar.closed.connect(self.close)
        self._found_elsewhere.connect(self._take)
        self._session.project_changed.connect(lambda _project: self.close())
        self._session.document_replaced.connect(lambda _document: self._on_image())
        self._session.classes.changed.connect(lambda listed: self._on_classes({each.id for each in listed}))
        self._window.status.stop_clicked.connect(self._on_stop_clicked)

    def find(self) -> None:
        """Search for objects like those selected or, without a selection, like all of the current class on the
        image.
        """
        document, project = self._session.document, self._session.project
        examples = self._examples()
        if document is None or project is None:
            return
        if not examples:
            detail = (
                "The search looks for objects similar to the selected ones, or to all of the current class on this "
                "image."
            )
            self.told.emit(Message("Outline or select an object first", detail))
            return
        outside = None if self._is_listed(document.image_id) else document.image_id
        search = self._search = Search(self._searcher(), THRESHOLD, outside)
        self._step = None
        name = class_name(self._session, examples[0].category_id)
        self.bar.open_with(f"Like {name}", f"Like {count_of(len(examples), 'object')} of “{name}”", THRESHOLD)
        self._begin(
            partial(first_search, search.searcher, document.image_id, examples, tuple(document)),
            partial(self._on_first, document.image_id),
        )

    def find_on_next(self, count: int) -> None:
        """Search the following images in the list."""
        search, image = self._search, self._session.image
        if search is None or search.examples is None or image is None or self._session.project is None:
            return
        rows = self._images.rows
        row = rows.row_of(image.id)
        following = map(rows.record, range(row + 1, len(rows.ids))) if row is not None else iter(())
        listed = (each.id for each in following if each is not None and each.standing is ImageStanding.LISTED)
        ids = list(islice(listed, count))
        if not ids:
            self.told.emit(Message("This is the last image"))
            return
        work = partial(search_many, search.searcher, ids, search.examples, self._found_elsewhere.emit)
        self._begin(work, self._on_batch)

    def close(self) -> None:
        """Stop searching; the proposals stay."""
        self._rest.stop()
        self._search, self._step = None, None
        self.stop()
        self.bar.hide()
        self._canvas.renderer.set_previews((), layer=PREVIEW_LAYER)

    def stop(self) -> None:
        self._rest.stop()
        super().stop()

    def _examples(self) -> list[Instance]:
        chosen = [one for one in self._session.selected_instances() if one.polygons]
        if chosen:
            return [one for one in chosen if one.category_id == chosen[0].category_id]
        current = self._session.classes.current_id
        listed = self._session.document or ()
        return [one for one in listed if one.category_id == current and one.state.is_exported and one.polygons]

    def _searcher(self) -> Searcher:
        assert self._session.project is not None
        point, min_iou = self._point, self._strip.thresholds.min_iou
        return Searcher(self._session.project.stored, point.assistants, point.assistant_name, min_iou)

    def _begin(self, work: Work, take: Callable[..., object]) -> None:
        self._run_beside(work, take, self._on_failed)
        self._window.status.set_stoppable(type(self).__name__, True)

    def _over(self) -> None:
        super()._over()
        self._window.status.set_stoppable(type(self).__name__, False)
        if self._search is not None and self.bar.text.startswith("looking"):
            self.bar.show_nothing("not searched")

    def _on_first(self, image_id: int, found: "tuple[Examples, list[Found]]") -> None:
        if self._search is not None:
            self._search.examples = found[0]
            self._take(image_id, found[1])

    def _take(self, image_id: int, found: "Sequence[Found]") -> None:
        self._once_answered(partial(self._propose, image_id, found))

    def _propose(self, image_id: int, found: "Sequence[Found]") -> None:
        """Propose what is similar enough, as one step of that image."""
        from maskwright.operations.alike import like_change, with_ids

        search = self._search
        if search is None or search.examples is None or not (self._is_listed(image_id) or search.outside == image_id):
            return
        self._session.reserve_ids(len(found))
        search.found[image_id] = with_ids(found, self._session.new_instance_id)
        if self._is_here(image_id):
            self._keep(search.threshold)
            return
        document = self._session.document_of(image_id)
        change = like_change(document, search.found[image_id], search.examples, search.threshold)
        self._session.edit_image(image_id, change, LABEL)

    def _preview(self, threshold: float) -> None:
        """Preview what the current slider position would add and remove."""
        document, change = self._session.document, self._change(threshold)
        if document is None:
            return
        outlines = []
        for _, before, after in change:
            shown = after or before
            if shown is not None:
                rings = tuple(ring for part in shown.polygons for ring in part.rings)
                kind = PreviewKind.REMOVED if after is None else PreviewKind.ADDED
                outlines.append(PreviewOutline(rings, kind))
        self._canvas.renderer.set_previews(tuple(outlines), layer=PREVIEW_LAYER)
        self._count(threshold)

    def _keep(self, threshold: float) -> None:
        """Apply the slider position as one step, which replaces the previous one of this search."""
        self._canvas.renderer.set_previews((), layer=PREVIEW_LAYER)
        if self._search is None or self._session.document is None:
            return
        self._search.threshold = threshold
        if not self._change(threshold).is_empty:
            self._session.history.undo_if_latest(self._step)
            if self._session.edit(self._change(threshold), LABEL):
                self._step = self._session.history.latest_step
        self._count(threshold)

    def _change(self, threshold: float) -> Change:
        from maskwright.operations.alike import like_change

        search, document = self._search, self._session.document
        if search is None or search.examples is None or document is None or document.image_id not in search.found:
            return Change.of(())
        return like_change(document, search.found[document.image_id], search.examples, threshold)

    def _count(self, threshold: float) -> None:
        document = self._session.document
        found = self._search.found.get(document.image_id) if self._search is not None and document else None
        if found is not None:
            self.bar.show_counts(sum(one.likeness >= threshold for one in found), len(found))

    def _follow(self, follows: bool) -> None:
        if self._search is not None:
            self._search.follows = follows

    def _on_image(self) -> None:
        """Another image is on screen: show what was found there, or search it."""
        search, document = self._search, self._session.document
        self._step = None
        self._canvas.renderer.set_previews((), layer=PREVIEW_LAYER)
        if search is None or document is None:
            return
        if document.image_id in search.found:
            self._keep(search.threshold)
        elif search.follows and search.examples is not None and self._is_to_do():
            self.bar.show_looking()
            self._rest.start()
        else:
            self.bar.show_nothing("not searched")

    def _on_classes(self, listed: set[int]) -> None:
        """The class of the examples was deleted or merged: propose nothing more of it."""
        examples = self._search.examples if self._search is not None else None
        if examples is not None and examples.category_id not in listed:
            self.close()

    def _is_to_do(self) -> bool:
        image = self._session.image
        if image is None or image.standing is not ImageStanding.LISTED:
            return False
        return image.state not in (ImageState.DONE, ImageState.EMPTY)

    def _look_here(self) -> None:
        search_, document = self._search, self._session.document
        if search_ is None or search_.examples is None or document is None or self.is_working:
            return
        work = partial(search, search_.searcher, document.image_id, search_.examples, tuple(document))
        self._begin(work, lambda found: self._take(*found))

    def _is_listed(self, image_id: int) -> bool:
        """Whether the image is part of the set; it may have been taken out since the search began."""
        image, project = self._session.image, self._session.project
        if image is not None and image.id == image_id:
            return image.standing is ImageStanding.LISTED
        return project is not None and project.record(image_id).standing is ImageStanding.LISTED

    def _is_here(self, image_id: int) -> bool:
        document: Document | None = self._session.document
        return document is not None and document.image_id == image_id

    def _on_batch(self, outcome: tuple[int, list[tuple[str, str]]]) -> None:
        count, failures = outcome
        text = f"{count_of(count, 'image')} searched"
        if failures:
            name, reason = failures[0]
            self.told.emit(Message(text, f"{len(failures)} could not be read: {name} ({reason})", "warning"))
        else:
            self.told.emit(Message(text, "Similar objects are proposed there."))

    def _on_failed(self, error: MaskwrightError) -> None:
        if self._search is not None and self._search.examples is None:
            self.close()
        self._tell_error("The search failed", error)

    def _on_stop_clicked(self, source: str) -> None:
        if source == type(self).__name__:
            for operation in self._operations:
                operation.cancel()
