"""The Edit menu: everything that changes objects without a tool, and the order in which keys walk through them."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal

from maskwright.document import edits
from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import Instance, InstanceState
from maskwright_gui.actions import Action, Menu, Under, may_edit
from maskwright_gui.feature import Context, Feature
from maskwright_gui.history import Step
from maskwright_gui.messages import UNDO_TEXT, Message
from maskwright_gui.session import Session

LOCKED = "The selection is locked. {toggle_locked} unlocks it."
HISTORY_AFTER_MS = 150


class EditingFeature(Feature):
    """Turns commands into changes of the session's document, each one undo step."""

    stepped = Signal(object)
    """frozenset of instance ids: the object that the keys moved on to."""
    picked = Signal()
    """The user has chosen the selection, even if it did not change."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.listed_ids: Callable[[], Sequence[int] | None] = lambda: None
        """The objects in the order of the list, while the list has the focus."""
        self._history_timer = QTimer(self, singleShot=True, interval=HISTORY_AFTER_MS)
        self._declare(*self._undoing(), *self._selecting(), *self._changing())
        session, canvas = self._session, self._canvas
        canvas.context.allocate_id = session.new_instance_id
        canvas.change_requested.connect(session.edit)
        canvas.selection_requested.connect(session.select)
        canvas.busy_changed.connect(self._show_history)
        session.selection_changed.connect(canvas.set_selection)
        session.history.changed.connect(self._show_history)
        self._history_timer.timeout.connect(session.history.read)
        self.stepped.connect(canvas.show_instances)

    def _undoing(self) -> tuple[Action, ...]:
        return (
            Action(
                "undo",
                "Undo",
                Menu.EDIT,
                0,
                self.undo,
                keys=("Ctrl+Z",),
                presets={"ISAT": ("Z", "Ctrl+Z")},
                icon="arrow-u-up-left",
                needs=self._can_undo,
                repeats=True,
                words="revert back",
                tool_bar=(1, "Undo"),
            ),
            Action(
                "redo",
                "Redo",
                Menu.EDIT,
                0,
                self.redo,
                keys=("Ctrl+Shift+Z", "Ctrl+Y"),
                icon="arrow-u-up-right",
                needs=self._can_redo,
                repeats=True,
                words="repeat",
                tool_bar=(1, "Redo"),
            ),
        )

    def _selecting(self) -> tuple[Action, ...]:
        return (
            Action(
                "select_all",
                "Select all objects",
                Menu.EDIT,
                1,
                self.select_all,
                keys=("Ctrl+A",),
                icon="selection",
                canvas_menu=((Under.NOTHING, 2),),
            ),
            Action(
                "select_next",
                "Select next object",
                Menu.EDIT,
                1,
                self.select_next,
                keys=("Tab",),
                repeats=True,
                is_canvas=True,
            ),
            Action(
                "select_previous",
                "Select previous object",
                Menu.EDIT,
                1,
                self.select_previous,
                keys=("Shift+Tab",),
                repeats=True,
                is_canvas=True,
            ),
            Action(
                "deselect",
                "Deselect",
                Menu.EDIT,
                1,
                self.deselect,
                keys=("Ctrl+Shift+A",),
                presets={"labelme": ()},
                words="unselect none clear",
            ),
        )

    def _changing(self) -> tuple[Action, ...]:
        return (
            Action(
                "delete",
                "Delete",
                Menu.EDIT,
                2,
                self.delete,
                keys=("Del",),
                icon="trash",
                is_canvas=True,
                words="remove erase clear",
                canvas_menu=((Under.OBJECT, 3),),
                needs=may_edit,
            ),
            Action(
                "toggle_hidden",
                "Hide or show",
                Menu.EDIT,
                2,
                self.toggle_hidden,
                keys=("H",),
                presets={"CVAT": ("H",)},
                icon="eye",
                words="visible invisible visibility",
                canvas_menu=((Under.OBJECT, 1),),
                needs=may_edit,
            ),
            Action(
                "toggle_locked",
                "Lock or unlock",
                Menu.EDIT,
                2,
                self.toggle_locked,
                keys=("L",),
                presets={"CVAT": ("L",)},
                icon="lock",
                words="protect freeze",
                canvas_menu=((Under.OBJECT, 1),),
                needs=may_edit,
            ),
        )

    def undo(self) -> None:
        """Undo the last point of what is being drawn, else the latest step of the image."""
        if not self._canvas.step_back():
            self._session.history.undo()

    def redo(self) -> None:
        """Redo what was undone last; while something is being drawn, only steps of that."""
        if not self._canvas.step_forward() and not self._canvas.is_busy:
            self._session.history.redo()

    def _can_undo(self, session: Session) -> bool:
        return may_edit(session) and (
            self._canvas.is_busy or not session.history.is_known or session.history.undo_label is not None
        )

    def _can_redo(self, session: Session) -> bool:
        return may_edit(session) and (
            self._canvas.is_busy or not session.history.is_known or session.history.redo_label is not None
        )

    def _show_history(self) -> None:
        """Name the steps in the menu. Those of earlier days are read only if the user stays on the image."""
        session = self._session
        self._refresh("undo", "redo")
        if self._canvas.is_busy:
            self._actions["undo"].setText("Undo the last drawing step")
        elif not session.history.is_known:
            self._history_timer.start()
        else:
            for action_id, label in (("undo", session.history.undo_label), ("redo", session.history.redo_label)):
                name = action_id.capitalize()
                self._actions[action_id].setText(f"{name} {label[0].lower()}{label[1:]}" if label else name)

    def select_all(self) -> None:
        """Select all visible objects of the image."""
        self._session.select(frozenset(instance.id for instance in shown(self._session)))
        self.picked.emit()

    def deselect(self) -> None:
        """Select nothing."""
        self._session.select(frozenset())

    def select_next(self) -> None:
        """Select the next object in reading order and bring it into view."""
        self.step(1, lambda instance: True)

    def select_previous(self) -> None:
        """Select the previous object in reading order and bring it into view."""
        self.step(-1, lambda instance: True)

    def delete(self) -> None:
        """Delete the selection; a proposal counts as rejected."""
        self._edit("Delete", edits.delete)

    def set_category(self, category_id: int) -> None:
        """Give the class to the selection; without one it becomes the class to draw with."""
        if self._session.selection:
            changed = sum(known.category_id != category_id for known in self._session.selected_instances())
            self._edit("Change class", lambda document, ids: edits.set_category(document, ids, category_id))
            self._tell_relabelled(category_id, changed)
        self._session.classes.pick(category_id)

    def set_visible(self, instance_id: int, is_visible: bool) -> None:
        """Show or hide this object."""
        document = self._session.document
        if document is not None:
            label = "Show" if is_visible else "Hide"
            self._session.edit(edits.set_visible(document, [instance_id], is_visible), label)

    def toggle_hidden(self) -> None:
        """Hide or show the selection; without one, show everything hidden."""
        document = self._session.document
        if document is not None and not self._session.selection:
            hidden = [instance.id for instance in document if not instance.is_visible]
            self._session.edit(edits.set_visible(document, hidden, True), "Show all")
            return
        shows = any(not instance.is_visible for instance in self._session.selected_instances())
        self._edit("Show" if shows else "Hide", lambda document, ids: edits.set_visible(document, ids, shows))

    def toggle_locked(self) -> None:
        """Lock the selection, or unlock it if all of it is locked."""
        locks = any(not instance.is_locked for instance in self._session.selected_instances())
        self._edit("Lock" if locks else "Unlock", lambda document, ids: edits.set_locked(document, ids, locks))

    def _edit(self, label: str, edit: Callable[[Document, frozenset[int]], Change]) -> None:
        if self._session.document is None or not self._session.selection:
            return
        is_locked = any(instance.is_locked for instance in self._session.selected_instances())
        if not self._session.edit(edit(self._session.document, self._session.selection), label) and is_locked:
            self.told.emit(Message(self._actions.with_keys(LOCKED)))

    def _tell_relabelled(self, category_id: int, count: int) -> None:
        step = self._session.history.latest_step
        if count and step is not None and step.label == "Change class":
            what = "1 object" if count == 1 else f"{count} objects"
            undo = partial(self.undo_step, step.label, step)
            self.told.emit(
                Message(
                    f"{what} changed to “{class_name(self._session, category_id)}”", action_text=UNDO_TEXT, action=undo
                )
            )

    def undo_step(self, label: str, step: Step | None) -> None:
        """Undo a step by the button of a message, which may be older than the latest step."""
        if not self._session.history.undo_if_latest(step):
            detail = "There are later steps, or another image is on screen. Undo ({undo}) goes back step by step."
            self.told.emit(Message(f"“{label}” is no longer the latest step", self._actions.with_keys(detail)))

    def step(self, direction: int, is_wanted: Callable[[Instance], bool]) -> None:
        """Select the next wanted object in the order of the list or, outside it, on the image; wraps around."""
        ordered = [i.id for i in self._in_walking_order() if is_wanted(i) or i.id in self._session.selection]
        if not ordered:
            return
        current = next((place for place, id_ in enumerate(ordered) if id_ in self._session.selection), None)
        start = -1 if direction > 0 else 0
        place = ((current if current is not None else start) + direction) % len(ordered)
        self.go_to(frozenset({ordered[place]}))

    def _in_walking_order(self) -> list[Instance]:
        known = {instance.id: instance for instance in shown(self._session)}
        listed = self.listed_ids()
        return in_reading_order(known.values()) if listed is None else [known[id_] for id_ in listed if id_ in known]

    def go_to(self, ids: frozenset[int]) -> None:
        """Select these objects and bring them into view."""
        self._session.select(ids)
        self.stepped.emit(ids)
        self.picked.emit()


def class_name(session: Session, category_id: int) -> str:
    """The name of a class id; “no class” if it is unknown."""
    return next((known.name for known in session.classes.listed if known.id == category_id), "no class")


def shown(session: Session) -> list[Instance]:
    """The visible objects of the image, unless they lie under others."""
    return visible(session.document or ())


def visible(instances: Iterable[Instance]) -> list[Instance]:
    """The instances that are neither hidden nor rejected."""
    return [i for i in instances if i.is_visible and i.state is not InstanceState.REJECTED]


def in_reading_order(instances: Iterable[Instance]) -> list[Instance]:
    """By rows from the top, then from the left, so that the eye does not jump."""
    known = [(instance.bounds_xyxy, instance) for instance in instances]
    if not known:
        return []
    heights = sorted(box[3] - box[1] for box, _ in known)
    row_height = max(heights[len(heights) // 2], 1.0)
    known.sort(key=lambda pair: (int((pair[0][1] + pair[0][3]) / 2 / row_height), pair[0][0], pair[1].id))
    return [instance for _, instance in known]


def next_in_reading_order(instances: Iterable[Instance], *, after: int, leave_out: frozenset[int]) -> int | None:
    """Id of the instance after `after`, wrapping around; None if there is none."""
    ids = [instance.id for instance in in_reading_order(instances)]
    start = ids.index(after) if after in ids else -1
    turned = ids[start + 1 :] + ids[: start + 1]
    return next((id_ for id_ in turned if id_ not in leave_out), None)
