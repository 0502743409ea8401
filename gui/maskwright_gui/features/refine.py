"""Has the assistant outline proposals again and turn boxes into outlines: on this image, for a class or everywhere."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance
from maskwright.monitor import Monitor
from maskwright.words import count_of
from maskwright_gui.actions import Action, Menu, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.editing import EditingFeature, class_name
from maskwright_gui.features.point.assistants import Assistants
from maskwright_gui.features.point.feature import PointFeature
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.messages import UNDO_TEXT, Message
from maskwright_gui.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from maskwright.operations.refining import RefineReport
    from maskwright.project.store import Project


def told(report: "RefineReport", assistant: tuple[str, str] | None, *, only_boxes: bool) -> Message:
    """The outcome as a message. assistant: (name, content hash) of the one used."""
    from maskwright.assist.refine import Verdict

    seen, taken = sum(report.counts.values()), report.counts[Verdict.TAKEN]
    thing = "box" if only_boxes else "proposal"
    if not seen and not report.failures:
        what = "No boxes left to outline" if only_boxes else "No proposals left to refine"
        done = "" if only_boxes else f"Proposals already refined by {assistant[0] if assistant else 'it'} are skipped."
        return Message("Stopped" if report.is_cancelled else what, done)
    verb = "Outlined" if only_boxes else "Refined"
    text = f"{verb} {taken:,} of {count_of(seen, thing)}"
    if report.images > 1:
        text += f" on {count_of(report.images, 'image')}"
    if report.is_cancelled:
        text += ", then stopped"
    return Message(text, _rest(report), "warning" if report.failures else "info")


def _rest(report: "RefineReport") -> str:
    """Why the others were not changed."""
    from maskwright.assist.refine import Verdict

    counts = report.counts
    reasons = [
        (counts[Verdict.UNSURE], "the assistant was unsure about"),
        (counts[Verdict.ELSEWHERE], "would have become a different object"),
        (counts[Verdict.IMPOSSIBLE], "lie outside the image"),
    ]
    left = sum(count for count, _ in reasons)
    said = ", ".join(f"{count:,} {reason}" for count, reason in reasons if count)
    parts = [f"{left:,} unchanged: {said}."] if left else []
    if report.images > 1:
        parts.append("Undo works image by image.")
    if report.failures:
        name, reason = report.failures[0]
        more = f" and {len(report.failures) - 1:,} more" if len(report.failures) > 1 else ""
        parts.append(f"Not read: {name} ({reason}){more}.")
    return " ".join(parts)


REFINE, OUTLINE_BOXES = "Refine outlines", "Outline boxes"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to outline again. image_ids: None for all. category_id: None for all classes."""

    label: str
    image_ids: tuple[int, ...] | None
    category_id: int | None = None
    only_boxes: bool = False
    min_iou: float = 0.98
    """Fidelity of the polygons to the assistant's masks."""

    def chosen(self, instances: Iterable[Instance], assistant_name: str) -> list[Instance]:
        """The instances of an image to outline again."""
        from maskwright.assist.refine import boxes_to_outline, proposals_to_refine

        choose = boxes_to_outline if self.only_boxes else proposals_to_refine
        found = choose(instances, assistant_name)
        return [one for one in found if self.category_id is None or one.category_id == self.category_id]


class RefineFeature(Feature):
    """Refines outlines, one run at a time; each image is one undo step."""

    _refined = Signal(object, object)
    """(image id, Change), from the thread; the document may have changed meanwhile."""

    def __init__(
        self, context: Context, editing: EditingFeature, point: PointFeature, thresholds: ThresholdsFeature
    ) -> None:
        super().__init__(context)
        self._editing, self._point, self._strip = editing, point, thresholds.strip
        self._wish: Wish | None = None
        self._declare(*self._refining(), *self._boxes())
        self._refined.connect(self._on_refined)
        self._session.project_changed.connect(self.stop)
        self._window.status.stop_clicked.connect(self._on_stop_clicked)

    def _refining(self) -> tuple[Action, ...]:
        words = "improve tighten edges outlines assist masks"
        return (
            Action(
                "refine_image",
                "Refine the proposals of this image",
                Menu.MODEL,
                3,
                self.refine_image,
                keys=("Shift+R",),
                icon="magic-wand",
                submenu="Refine outlines",
                words=words,
                needs=may_edit,
            ),
            Action(
                "refine_class",
                "Refine the proposals of this class on all images",
                Menu.MODEL,
                3,
                self.refine_class,
                submenu="Refine outlines",
                words=words,
                needs=may_edit,
            ),
            Action(
                "refine_all",
                "Refine the proposals of all images",
                Menu.MODEL,
                3,
                self.refine_all,
                keys=("Ctrl+Shift+R",),
                submenu="Refine outlines",
                words=words,
                needs=may_edit,
            ),
        )

    def _boxes(self) -> tuple[Action, ...]:
        words = "boxes rectangles to outlines masks polygons convert detector"
        return (
            Action(
                "outline_boxes",
                "Outline the boxes of this image",
                Menu.MODEL,
                3,
                self.outline_boxes,
                submenu="Refine outlines",
                words=words,
                needs=may_edit,
            ),
            Action(
                "outline_all_boxes",
                "Outline the boxes of all images",
                Menu.MODEL,
                3,
                self.outline_all_boxes,
                submenu="Refine outlines",
                words=words,
                needs=may_edit,
            ),
            Action(
                "stop_refining",
                "Stop refining",
                Menu.MODEL,
                3,
                self.cancel,
                submenu="Refine outlines",
                words="cancel abort",
                needs=self._is_running,
            ),
        )

    def refine_image(self) -> None:
        """Refine all proposals of the current image."""
        if self._session.image is not None:
            self._begin(Wish(REFINE, (self._session.image.id,)))

    def refine_class(self) -> None:
        """Refine on all images the proposals of the selected class or, without a selection, the panel's current one."""
        selected = self._session.selected_instances()
        category_id = selected[0].category_id if selected else self._session.classes.current_id
        self._begin(Wish(f"Refine “{class_name(self._session, category_id)}”", None, category_id))

    def refine_all(self) -> None:
        """Refine all proposals of the project."""
        self._begin(Wish(REFINE, None))

    def outline_boxes(self) -> None:
        """Outline the boxes of the current image."""
        if self._session.image is not None:
            self._begin(Wish(OUTLINE_BOXES, (self._session.image.id,), only_boxes=True))

    def outline_all_boxes(self) -> None:
        """Outline all boxes of the project."""
        self._begin(Wish(OUTLINE_BOXES, None, only_boxes=True))

    def cancel(self) -> None:
        """Stop; what is done stays, step by step."""
        for operation in self._operations:
            operation.cancel()

    def _begin(self, wish: Wish) -> None:
        project = self._session.project
        if project is None:
            return
        if self.is_working:
            self.told.emit(
                Message("The assistant is still working", "To stop it, choose “Stop refining” in the Model menu.")
            )
            return
        wish = replace(wish, min_iou=self._strip.thresholds.min_iou)
        self._wish = wish
        point, document = self._point, self._session.document
        work = partial(
            _refined, project.stored, document, wish, point.assistants, point.assistant_name, self._refined.emit
        )
        self._run_beside(work, partial(self._on_done, wish), "Refining stopped")
        self._window.status.set_stoppable(type(self).__name__, True)
        self._refresh("stop_refining")

    def _over(self) -> None:
        super()._over()
        self._window.status.set_stoppable(type(self).__name__, False)
        self._refresh("stop_refining")

    def _on_refined(self, image_id: int, change: Change) -> None:
        wish, project = self._wish, self._session.project
        if wish is None or project is None:
            return
        self._once_answered(partial(self._store, image_id, change, wish.label))

    def _store(self, image_id: int, change: Change, label: str) -> None:
        change = still_true(change, self._session.document_of(image_id))
        self._session.edit_image(image_id, change, label, is_work=True)

    def _on_done(self, wish: Wish, report: "RefineReport") -> None:
        from maskwright.assist.refine import Verdict

        if self._session.project is None:
            return
        message = told(report, self._point.assistants.identity, only_boxes=wish.only_boxes)
        step = self._session.history.latest_step
        is_here = wish.image_ids is not None and self._session.image is not None and report.counts[Verdict.TAKEN] > 0
        if message.tone == "info" and is_here and step is not None and step.label == wish.label:
            undo = partial(self._editing.undo_step, wish.label, step)
            message = Message(message.text, message.detail, action_text=UNDO_TEXT, action=undo)
        self.told.emit(message)

    def _on_stop_clicked(self, source: str) -> None:
        if source == type(self).__name__:
            self.cancel()

    def _is_running(self, _session: Session) -> bool:
        return self.is_working


def still_true(change: Change, document: Document) -> Change:
    """The part of a background change that still applies: what the user changed meanwhile stays."""
    return Change.of((before, after) for id_, before, after in change if document.instances.get(id_) == before)


def _refined(
    project: "Project",
    document: Document | None,
    wish: Wish,
    assistants: Assistants,
    assistant_name: str,
    store: "Callable[[int, Change], object]",
    monitor: Monitor,
) -> "RefineReport":
    from maskwright.assist.refine import RefineSettings
    from maskwright.operations.refining import refine_project

    monitor.report(0, None, "Loading the assistant")
    assistant = assistants.get(assistant_name)
    return refine_project(
        project,
        assistant,
        RefineSettings(min_iou=wish.min_iou),
        image_ids=wish.image_ids,
        choose=wish.chosen,
        store=store,
        known={document.image_id: tuple(document)} if document is not None else None,
        monitor=_Named(monitor, wish.label),
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """A monitor that names the running work."""

    monitor: Monitor
    text: str

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self.monitor.report(done, total, text or self.text)

    def check(self) -> None:
        self.monitor.check()
