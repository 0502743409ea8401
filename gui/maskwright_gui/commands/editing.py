"""The Edit menu and the answers to proposals: everything that changes the instances without a tool."""

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QObject, Signal

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.history import Step
from maskwright_gui.messages import UNDO_TEXT, Message
from maskwright_gui.session import Session

Box = tuple[float, float, float, float]
LOCKED = "What is selected is locked. L unlocks it."


class EditCommands(QObject):
    """Turns wishes into changes of the session's document; each is one undo step."""

    told = Signal(object)
    """Message about what was done, for what is not all in view."""
    stepped = Signal(object)
    """frozenset of instance ids: the object that keys have gone on to."""
    picked = Signal()
    """The user has chosen the selection, even where it is the one that was there."""
    refused = Signal(str)
    """Why nothing happened."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session

    def undo(self) -> None:
        self._session.undo()

    def redo(self) -> None:
        self._session.redo()

    def select_all(self) -> None:
        self._session.select(frozenset(instance.id for instance in self._shown()))
        self.picked.emit()

    def deselect(self) -> None:
        self._session.select(frozenset())

    def select_next(self) -> None:
        self._step(1, lambda instance: True)

    def select_previous(self) -> None:
        self._step(-1, lambda instance: True)

    def delete(self) -> None:
        self._edit("Delete", edits.delete)

    def set_category(self, category_id: int) -> None:
        """Give the class to the selection; without one it is the class to draw with."""
        if self._session.selection:
            changed = sum(known.category_id != category_id for known in self._session.selected_instances())
            self._edit("Change class", lambda document, ids: edits.set_category(document, ids, category_id))
            self._tell_relabelled(category_id, changed)
        self._session.set_current_category(category_id)

    def set_category_by_digit(self, digit: int) -> None:
        """The class that has the digit in the panel."""
        if (category_id := self._session.class_keys.get(digit)) is not None:
            self.set_category(category_id)

    def set_visible(self, instance_id: int, is_visible: bool) -> None:
        document = self._session.document
        if document is not None:
            label = "Show" if is_visible else "Hide"
            self._session.edit(edits.set_visible(document, [instance_id], is_visible), label)

    def toggle_hidden(self) -> None:
        """Of the selection; without one everything hidden comes back."""
        document = self._session.document
        if document is not None and not self._session.selection:
            hidden = [instance.id for instance in document if not instance.is_visible]
            self._session.edit(edits.set_visible(document, hidden, True), "Show all")
            return
        shows = any(not instance.is_visible for instance in self._session.selected_instances())
        self._edit("Show" if shows else "Hide", lambda document, ids: edits.set_visible(document, ids, shows))

    def toggle_locked(self) -> None:
        locks = any(not instance.is_locked for instance in self._session.selected_instances())
        self._edit("Lock" if locks else "Unlock", lambda document, ids: edits.set_locked(document, ids, locks))

    def accept(self) -> None:
        """Accept the selected proposals, or the first one, and go on to the next."""
        self._answer("Accept", edits.accept)

    def reject(self) -> None:
        self._answer("Reject", edits.reject)

    def propose_again(self) -> None:
        """Show the rejected proposals of the image once more: one of them was right."""
        rejected = [i.id for i in self._session.document or () if i.state is InstanceState.REJECTED and i.polygons]
        self._answer_many("Propose again", edits.propose_again, rejected)

    def accept_above(self, score: float) -> None:
        wanted = [i.id for i in self._proposals() if i.score is not None and i.score >= score]
        self._answer_many(f"Accept all from {score:.2f}", edits.accept, wanted)

    def reject_below(self, score: float) -> None:
        wanted = [i.id for i in self._proposals() if i.score is not None and i.score < score]
        self._answer_many(f"Reject all below {score:.2f}", edits.reject, wanted)

    def accept_in_view(self, view_xyxy: Box) -> None:
        """Accept the proposals whose middle is inside the visible part of the image."""
        self._answer_many("Accept all in view", edits.accept, self._proposed_in(view_xyxy))

    def reject_in_view(self, view_xyxy: Box) -> None:
        self._answer_many("Reject all in view", edits.reject, self._proposed_in(view_xyxy))

    def accept_class(self) -> None:
        """All proposals on the image of the class that is selected, or that the panel has chosen."""
        self.accept_category(self._class_in_question())

    def reject_class(self) -> None:
        self.reject_category(self._class_in_question())

    def accept_category(self, category_id: int) -> None:
        self._answer_many(f"Accept all of “{self._name(category_id)}”", edits.accept, self._proposed_as(category_id))

    def reject_category(self, category_id: int) -> None:
        self._answer_many(f"Reject all of “{self._name(category_id)}”", edits.reject, self._proposed_as(category_id))

    def _class_in_question(self) -> int:
        selected = self._session.selected_instances()
        return selected[0].category_id if selected else self._session.current_category_id

    def _name(self, category_id: int) -> str:
        return next((known.name for known in self._session.categories if known.id == category_id), "no class")

    def _proposed_in(self, view_xyxy: Box) -> list[int]:
        return [i.id for i in self._proposals() if _holds_middle(view_xyxy, i.bounds_xyxy)]

    def _proposed_as(self, category_id: int) -> list[int]:
        return [i.id for i in self._proposals() if i.category_id == category_id]

    def _shown(self) -> list[Instance]:
        document = self._session.document or ()
        return [i for i in document if i.is_visible and i.state is not InstanceState.REJECTED]

    def _proposals(self) -> list[Instance]:
        return [instance for instance in self._shown() if instance.state is InstanceState.PROPOSED]

    def _edit(self, label: str, edit: Callable[[Document, frozenset[int]], Change]) -> None:
        if self._session.document is None or not self._session.selection:
            return
        is_locked = any(instance.is_locked for instance in self._session.selected_instances())
        if not self._session.edit(edit(self._session.document, self._session.selection), label) and is_locked:
            self.refused.emit(LOCKED)

    def _answer(self, label: str, edit: Callable[[Document, frozenset[int]], Change]) -> None:
        document = self._session.document
        if document is None:
            return
        proposed = [i.id for i in self._session.selected_instances() if i.state is InstanceState.PROPOSED]
        if not proposed:
            self._step(1, lambda instance: instance.state is InstanceState.PROPOSED)
            return
        successor = _reading_order_next(self._proposals(), after=proposed[-1], leave_out=frozenset(proposed))
        if self._session.edit(edit(document, frozenset(proposed)), label):
            self._go_to(frozenset() if successor is None else frozenset({successor}))

    def _answer_many(self, label: str, edit: Callable[[Document, list[int]], Change], ids: list[int]) -> None:
        document = self._session.document
        if document is None:
            return
        if not self._session.edit(edit(document, ids), label):
            self.told.emit(Message(f"{label}: no proposal on this image is concerned"))
        else:
            text = f"{label}: {len(ids)} proposal" + ("" if len(ids) == 1 else "s")
            undo = partial(self._undo_step, label, self._session.latest_step)
            self.told.emit(Message(text, action_text=UNDO_TEXT, action=undo))

    def _tell_relabelled(self, category_id: int, count: int) -> None:
        step = self._session.latest_step
        if count and step is not None and step.label == "Change class":
            what = "1 object" if count == 1 else f"{count} objects"
            undo = partial(self._undo_step, step.label, step)
            self.told.emit(
                Message(f"{what} changed to “{self._name(category_id)}”", action_text=UNDO_TEXT, action=undo)
            )

    def _undo_step(self, label: str, step: Step | None) -> None:
        """The button of a message that may be older than the latest step."""
        if not self._session.undo_if_latest(step):
            detail = "Other steps were made since, or another image is on screen. Undo (Ctrl+Z) goes back step by step."
            self.told.emit(Message(f"“{label}” is not the latest step here", detail))

    def _step(self, direction: int, is_wanted: Callable[[Instance], bool]) -> None:
        """Select the next object in reading order, round and round."""
        ordered = [i.id for i in _in_reading_order(self._shown()) if is_wanted(i) or i.id in self._session.selection]
        if not ordered:
            return
        current = next((place for place, id_ in enumerate(ordered) if id_ in self._session.selection), None)
        start = -1 if direction > 0 else 0
        place = ((current if current is not None else start) + direction) % len(ordered)
        self._go_to(frozenset({ordered[place]}))

    def _go_to(self, ids: frozenset[int]) -> None:
        self._session.select(ids)
        self.stepped.emit(ids)
        self.picked.emit()


def _in_reading_order(instances: Iterable[Instance]) -> list[Instance]:
    """By rows from the top, then from the left, so that the eye does not jump."""
    known = [(instance.bounds_xyxy, instance) for instance in instances]
    if not known:
        return []
    heights = sorted(box[3] - box[1] for box, _ in known)
    row_height = max(heights[len(heights) // 2], 1.0)
    known.sort(key=lambda pair: (int((pair[0][1] + pair[0][3]) / 2 / row_height), pair[0][0], pair[1].id))
    return [instance for _, instance in known]


def _reading_order_next(instances: Iterable[Instance], *, after: int, leave_out: frozenset[int]) -> int | None:
    ids = [instance.id for instance in _in_reading_order(instances)]
    start = ids.index(after) if after in ids else -1
    turned = ids[start + 1 :] + ids[: start + 1]
    return next((id_ for id_ in turned if id_ not in leave_out), None)


def _holds_middle(view: Box, box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return view[0] <= x <= view[2] and view[1] <= y <= view[3]
