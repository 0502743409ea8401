"""Stores one edit in a project, whatever has happened there since the edit was made."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from maskwright.document.change import Change, UserEffort, after_edit, after_proposals, is_work
from maskwright.document.values import ImageState, Provenance
from maskwright.errors import UnfitEditError
from maskwright_gui.history import rebased

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maskwright.project.proposals import ModelProposal
    from maskwright.project.store import Project

EditKind = Literal["edit", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class PendingEdit:
    """Something done on screen that may not be in the database yet: a change, a state, new proposals, a look."""

    image_id: int
    change: Change | None = None
    label: str = ""
    kind: EditKind = "edit"
    state: ImageState | None = None
    proposals: "tuple[ModelProposal, ...] | None" = None
    provenance: Provenance | None = None
    """Origin of the proposals."""
    gesture: UserEffort | None = None
    """The user's effort; an edit with nothing else is a look."""

    @property
    def is_look(self) -> bool:
        """Whether it contains no work of the user."""
        return self.change is None and self.state is None and self.proposals is None


def state_after(state: ImageState, edits: "Iterable[PendingEdit]") -> ImageState:
    """The state of an image once these edits of it are stored."""
    for edit in edits:
        state = edit.state or state
        state = after_proposals(state) if edit.proposals is not None else state
        if edit.change is not None:
            state = after_edit(state) if is_work(edit.change) else after_proposals(state)
    return state


def store(project: "Project", edit: PendingEdit) -> bool:
    """Whether the image now differs from what the edit said, and must be read again.

    Raises UnfitEditError if the edit can never be stored, and ProjectError as the project does.
    """
    if edit.state is not None:
        project.images.set_state(edit.image_id, edit.state)
    if edit.proposals is not None:
        project.proposals.put(edit.image_id, edit.proposals, provenance=edit.provenance)
    if edit.is_look and edit.gesture is not None:
        project.effort.add_look(edit.image_id, edit.gesture)
    is_other = edit.change is not None and _apply(project, edit, edit.change)
    return is_other or edit.proposals is not None


def _apply(project: "Project", edit: PendingEdit, change: Change) -> bool:
    try:
        stored = project.instances.apply(edit.image_id, change, label=edit.label, kind=edit.kind, gesture=edit.gesture)
        return stored is not change
    except UnfitEditError:
        again = rebased(change, project.instances.document(edit.image_id))
        if again.entries == change.entries:
            raise  # not because of a different state before it
        project.instances.apply(edit.image_id, again, label=edit.label, kind=edit.kind, gesture=edit.gesture)
        return True
