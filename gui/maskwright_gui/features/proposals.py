"""Accepting and rejecting proposals: one by one, by score, by class, in view."""

from collections.abc import Callable, Iterable
from functools import partial

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.actions import Action, Menu, Under, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.editing import EditingFeature, class_name, next_in_reading_order, shown, visible
from maskwright_gui.features.thresholds import ThresholdsFeature
from maskwright_gui.features.uncertain import UncertainFeature
from maskwright_gui.messages import UNDO_TEXT, Message
from maskwright_gui.panels.thresholds import NONE_BELOW, ProposalCounts
from maskwright_gui.tools.tool import KeyPress

Box = tuple[float, float, float, float]


class ProposalsFeature(Feature):
    """Accepts and rejects proposals, each answer one undo step."""

    def __init__(
        self, context: Context, editing: EditingFeature, thresholds: ThresholdsFeature, uncertain: UncertainFeature
    ) -> None:
        super().__init__(context)
        self._editing, self._strip, self._uncertain = editing, thresholds.strip, uncertain
        self._declare(*self._answering(), *self._answering_many())
        self._strip.accept_requested.connect(self.accept_above)
        self._strip.reject_requested.connect(self.reject_below)
        self._strip.reject_shown_requested.connect(self.reject_view)
        self._strip.moved.connect(self._count_later)
        thresholds.shown.connect(self._count_later)
        self._canvas.navigator.viewport_changed.connect(self._count_later)
        self._resting_at = self._canvas.renderer.pointer
        """Where the mouse was when the image appeared: until it moves, it points at nothing."""
        self._session.document_replaced.connect(self._on_document_replaced)

    def _answering(self) -> tuple[Action, ...]:
        return (
            Action(
                "accept",
                "Accept proposal, select next",
                Menu.MODEL,
                1,
                self.accept,
                keys=("Return", "Enter"),
                icon="check",
                is_canvas=True,
                words="confirm approve yes",
                tool_bar=(2, "Accept"),
                canvas_menu=((Under.OBJECT, 0),),
                needs=may_edit,
            ),
            Action(
                "reject",
                "Reject proposal, select next",
                Menu.MODEL,
                1,
                self.reject,
                keys=("Backspace", "X"),
                icon="x",
                is_canvas=True,
                words="discard dismiss no false",
                tool_bar=(2, "Reject"),
                canvas_menu=((Under.OBJECT, 0),),
                needs=may_edit,
            ),
        )

    def _answering_many(self) -> tuple[Action, ...]:
        return (
            Action(
                "accept_above",
                "Accept all proposals above the score",
                Menu.MODEL,
                1,
                self.accept_above,
                keys=("Shift+Return", "Shift+Enter"),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
            Action(
                "accept_view",
                "Accept all proposals in view",
                Menu.MODEL,
                1,
                self.accept_view,
                keys=("Ctrl+Return", "Ctrl+Enter"),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
            Action(
                "reject_below",
                "Reject all proposals below the score",
                Menu.MODEL,
                1,
                self.reject_below,
                keys=("Shift+Backspace",),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
            Action(
                "reject_view",
                "Reject all proposals in view",
                Menu.MODEL,
                1,
                self.reject_view,
                keys=("Ctrl+Backspace",),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
            Action(
                "accept_class",
                "Accept all proposals of the class",
                Menu.MODEL,
                1,
                self.accept_class,
                keys=("Ctrl+Shift+Return", "Ctrl+Shift+Enter"),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
            Action(
                "reject_class",
                "Reject all proposals of the class",
                Menu.MODEL,
                1,
                self.reject_class,
                keys=("Ctrl+Shift+Backspace",),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
            Action(
                "propose_again",
                "Restore the rejected proposals",
                Menu.MODEL,
                1,
                self.propose_again,
                keys=("Shift+X",),
                is_canvas=True,
                needs=may_edit,
                submenu="Accept and reject all",
            ),
        )

    def accept(self) -> None:
        """Accept the missed object gone to, else the selected proposals, else the proposal under the pointer.

        If there is none of these, select the first proposal. An outline that is being drawn comes before all of them,
        also where the keys are in a list.
        """
        if self._canvas.is_busy:
            self._canvas.tool.on_key(KeyPress("Enter"))
            self._canvas.show_tool()
            return
        if not self._uncertain.accept_missed():
            self._answer("Accept", edits.accept)

    def reject(self) -> None:
        """Reject the selected proposals, or the one under the pointer."""
        if not self._uncertain.reject_missed():
            self._answer("Reject", edits.reject)

    def propose_again(self) -> None:
        """Propose the rejected objects of the image again."""
        rejected = [i.id for i in self._session.document or () if i.state is InstanceState.REJECTED and i.polygons]
        self._answer_many("Restore proposals", edits.propose_again, rejected)

    def accept_above(self, score: float | None = None) -> None:
        """Accept all proposals from a score on; by default, the slider's."""
        score = self._score if score is None else score
        self._answer_many(f"Accept all from {score:.2f}", edits.accept, _from(score, self._proposals()))

    def reject_below(self, score: float | None = None) -> None:
        """Reject all proposals below a score."""
        score = self._score if score is None else score
        below = _below(score, self._proposals())
        self._answer_many(f"Reject all below {score:.2f}", edits.reject, below, if_none=NONE_BELOW)

    def accept_view(self) -> None:
        """Accept the proposals whose centre is inside the visible part of the image."""
        self._answer_many("Accept all in view", edits.accept, self._proposed_in_view())

    def reject_view(self) -> None:
        """Reject the proposals in view."""
        self._answer_many("Reject all in view", edits.reject, self._proposed_in_view())

    def accept_class(self) -> None:
        """Accept all proposals on the image of the selected class or, without a selection, the panel's current one."""
        self.accept_category(self._class_in_question())

    def reject_class(self) -> None:
        """Reject all proposals of the same class."""
        self.reject_category(self._class_in_question())

    def accept_category(self, category_id: int) -> None:
        """Accept all proposals of a class on this image."""
        self._answer_many(
            f"Accept all of “{class_name(self._session, category_id)}”", edits.accept, self._proposed_as(category_id)
        )

    def reject_category(self, category_id: int) -> None:
        """Reject all proposals of a class on this image."""
        self._answer_many(
            f"Reject all of “{class_name(self._session, category_id)}”", edits.reject, self._proposed_as(category_id)
        )

    def _count_later(self, *_: object) -> None:
        self._window.later.put("proposals", self._count)

    def _count(self) -> None:
        """Show on the buttons how many proposals each would affect."""
        if self._session.document is None:
            self._strip.set_counts(ProposalCounts())
            return
        proposals = _proposed(visible(self._canvas.context.document))
        self._strip.set_counts(
            ProposalCounts(
                above=len(_from(self._score, proposals)),
                below=len(_below(self._score, proposals)),
                in_view=len(_in(self._canvas.navigator.viewport.visible_box, proposals)),
            )
        )

    def _class_in_question(self) -> int:
        selected = self._session.selected_instances()
        return selected[0].category_id if selected else self._session.classes.current_id

    def _proposed_in_view(self) -> list[int]:
        return _in(self._canvas.navigator.viewport.visible_box, self._proposals())

    def _proposed_as(self, category_id: int) -> list[int]:
        return [i.id for i in self._proposals() if i.category_id == category_id]

    def _proposals(self) -> list[Instance]:
        return _proposed(shown(self._session))

    def _answer(self, label: str, edit: Callable[[Document, frozenset[int]], Change]) -> None:
        document = self._session.document
        if document is None:
            return
        proposed = [i.id for i in self._session.selected_instances() if i.state is InstanceState.PROPOSED]
        if not self._session.selection and (pointed_at := self._pointed_at()) is not None:
            self._session.edit(edit(document, frozenset({pointed_at})), label)
            return
        if not proposed:
            self._editing.step(1, lambda instance: instance.state is InstanceState.PROPOSED)
            return
        successor = next_in_reading_order(self._proposals(), after=proposed[-1], leave_out=frozenset(proposed))
        if self._session.edit(edit(document, frozenset(proposed)), label):
            self._editing.go_to(frozenset() if successor is None else frozenset({successor}))

    def _pointed_at(self) -> int | None:
        """The proposal under the pointer."""
        if self._canvas.renderer.pointer == self._resting_at:
            return None
        id_ = self._canvas.id_under_pointer
        return id_ if id_ is not None and id_ in {instance.id for instance in self._proposals()} else None

    def _on_document_replaced(self) -> None:
        self._resting_at = self._canvas.renderer.pointer

    def _answer_many(
        self, label: str, edit: Callable[[Document, list[int]], Change], ids: list[int], *, if_none: str = ""
    ) -> None:
        document = self._session.document
        if document is None:
            return
        if not self._session.edit(edit(document, ids), label):
            self.told.emit(Message(f"{label}: no such proposal on this image", if_none.replace("\n", " ")))
        else:
            text = f"{label}: {len(ids)} proposal" + ("" if len(ids) == 1 else "s")
            undo = partial(self._editing.undo_step, label, self._session.history.latest_step)
            self.told.emit(Message(text, action_text=UNDO_TEXT, action=undo))

    @property
    def _score(self) -> float:
        return self._strip.score


def _proposed(instances: Iterable[Instance]) -> list[Instance]:
    return [instance for instance in instances if instance.state is InstanceState.PROPOSED]


def _from(score: float, proposals: Iterable[Instance]) -> list[int]:
    return [i.id for i in proposals if i.score is not None and i.score >= score]


def _below(score: float, proposals: Iterable[Instance]) -> list[int]:
    return [i.id for i in proposals if i.score is not None and i.score < score]


def _in(view_xyxy: Box, proposals: Iterable[Instance]) -> list[int]:
    return [i.id for i in proposals if _holds_middle(view_xyxy, i.bounds_xyxy)]


def _holds_middle(view: Box, box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return view[0] <= x <= view[2] and view[1] <= y <= view[3]
