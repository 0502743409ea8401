"""What is being worked on: the project, the current image, its document, the selection and the undo steps.

Every edit, whether from a tool, a panel or undo, goes through `Session.take`; only the writer changes documents
otherwise.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from maskwright.document.change import Change, UserEffort
from maskwright.document.document import Document
from maskwright.document.values import ImageRecord, ImageState, Instance
from maskwright.errors import MaskwrightError, ProjectError
from maskwright_gui.history import History, difference, rebased
from maskwright_gui.link import ProjectLink, UnsavedEdits
from maskwright_gui.listed_classes import ClassList
from maskwright_gui.open_project import OpenProject
from maskwright_gui.undo import Undo
from maskwright_gui.workers.executor import NoAnswerError
from maskwright_gui.workers.storing import EditKind, PendingEdit, state_after

if TYPE_CHECKING:
    from maskwright.inference.candidate_cache import CandidateCache
    from maskwright.operations.proposing import Preview
    from maskwright.project.set_aside import EditSetAside
    from maskwright.project.store import Project
    from maskwright_gui.workers.executor import Waiting

LEAST_LOOK_S = 0.5
"""Less is paging through images, not looking at one."""
NOT_SHOWN = "The image will be shown when the project answers"
NOT_SAVED = "The last edits are not saved yet; trying again"


class Session(QObject):
    """The one place that knows the current project, image, document and selection; panels listen to its signals."""

    project_changed = Signal(object)
    """OpenProject | None."""
    image_changed = Signal(object)
    """ImageRecord | None; `document_replaced` follows."""
    document_replaced = Signal(object)
    """Document | None."""
    document_changed = Signal(object, object)
    """(Change, Document after it)."""
    selection_changed = Signal(object)
    """frozenset of instance ids."""
    record_changed = Signal(object)
    """Id of an image whose state or count changed."""
    failed = Signal(str, object)
    """(what failed, MaskwrightError)."""
    put_aside = Signal(object)
    """EditSetAside: an edit that can never be saved."""
    neighbour_read = Signal(object)
    """Id of an image that `read_ahead` has read."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.project: OpenProject | None = None
        self.image: ImageRecord | None = None
        self.document: Document | None = None
        self.selection: frozenset[int] = frozenset()
        self.classes = ClassList(lambda: {each.category_id for each in self.document or ()}, self.may_edit, self)
        self.history = Undo(self)
        self._link: ProjectLink | None = None
        self.unsaved = UnsavedEdits()
        self._wanted_image: int | None = None
        """Id of the image to show when the project answers again."""
        self._is_stale = False
        """Whether the project was changed from elsewhere and could not be read again."""
        self.take_gesture: Callable[[], UserEffort] = UserEffort
        """The user's effort since its last call."""

    def open_project(self, project: "Project") -> None:
        """Take over `project`; the session closes it."""
        self.close_project()
        self._link = link = ProjectLink(project, self)
        self.project = link.project
        self.unsaved.follow(link.writer)
        link.ahead.read.connect(self.neighbour_read)
        link.writer.failed.connect(self._on_write_failed)
        link.writer.written.connect(self.record_changed)
        link.writer.rebased.connect(self.refresh_document)
        link.writer.put_aside.connect(self._on_put_aside)
        link.start()
        self.classes.follow(link)
        self.project_changed.emit(self.project)
        self.classes.reload()

    def close_project(self) -> None:
        """Leave the image, write what can be written and close the project."""
        if self._link is None:
            return
        self.show_image(None)
        self.classes.follow(None)
        link, self._link, self.project = self._link, None, None
        self.unsaved.follow(None)
        self._is_stale = False
        link.stop()
        self.history.forget_all()
        self._wanted_image = None
        self.project_changed.emit(None)
        self.classes.reload()
        link.close()

    @property
    def cache(self) -> "CandidateCache | None":
        """Candidates of the project's images."""
        return self._link.cache if self._link is not None else None

    @property
    def waiting(self) -> "Waiting | None":
        """How long the project's folder has not answered."""
        return self._link.waiting if self._link is not None else None

    def put_in(self, edits: Iterable[PendingEdit]) -> int:
        """Apply rescued edits to what the project holds now; returns how many of them have an image here."""
        known = self._link.put_in(edits) if self._link is not None else []
        for edit in known:
            self.history.forget(edit.image_id)
        return len(known)

    def save(self) -> bool:
        """Try again what could not be written; True if nothing waits. Returns at once if the folder hangs."""
        return self._link is None or self._link.save()

    def show_image(self, image_id: int | None) -> None:
        """Make an image the current one; None clears the canvas."""
        if self._link is None or (self.image is not None and self.image.id == image_id):
            return
        try:
            image, document = self._link.find(image_id) if image_id is not None else (None, None)
        except NoAnswerError as error:
            self._wanted_image = image_id
            self.failed.emit(NOT_SHOWN, error)
            return
        self._note_look()
        if self.image is not None and self.document is not None:
            self._link.left.remember(self.image, self.document)
        self._wanted_image, self.image = None, image
        self.image_changed.emit(image)
        self._replace_document(document)

    @property
    def misses_something(self) -> bool:
        """Whether `go_on` has anything to read that the project did not answer."""
        return self._is_stale or self._wanted_image is not None or self.history.is_partial

    def go_on(self) -> None:
        """The project answers again: read what could not be read meanwhile."""
        try:
            self.classes.reload()
        except NoAnswerError:
            return  # it hangs again; the caller that noticed will call again
        self._is_stale = False
        self.history.forget_partial()
        if self._wanted_image is not None:
            self.show_image(self._wanted_image)
        elif self.image is not None:
            self.refresh_document(self.image.id)

    def read_ahead(self, image_ids: Sequence[int]) -> None:
        """Read images that are likely to be shown next; `neighbour_read` follows for those not yet known."""
        if self._link is not None:
            self._link.ahead.request(image_ids)

    def neighbour(self, image_id: int) -> Document | None:
        """The instances of an image that was read ahead, as they would be shown; None if they must be read."""
        known = self._link.ahead.get(image_id) is not None if self._link is not None else False
        return self.document_of(image_id) if known else None

    def _replace_document(self, document: Document | None) -> None:
        known = self.selection if self.document is not None else frozenset()
        is_same = self.document is not None and document is not None and self.document.image_id == document.image_id
        self.document = document
        self.selection = frozenset(id_ for id_ in known if is_same and document and id_ in document)
        self.classes.list_also(each.category_id for each in document or ())
        self.document_replaced.emit(self.document)
        self.selection_changed.emit(self.selection)
        self.history.changed.emit()

    def select(self, ids: frozenset[int]) -> None:
        """Select these; ids that are not on the image are left out."""
        known = frozenset(id_ for id_ in ids if self.document is not None and id_ in self.document)
        if known != self.selection:
            self.selection = known
            self.selection_changed.emit(known)

    def selected_instances(self) -> list[Instance]:
        """By id."""
        return [self.document[id_] for id_ in sorted(self.selection)] if self.document is not None else []

    def new_instance_id(self) -> int:
        """An id never used in the project; raises ProjectError if no project is open."""
        if self._link is None:
            raise ProjectError("no project is open")
        return self._link.ids.take()

    def reserve_ids(self, count: int) -> None:
        """Keep this many ids ready: each block is a transaction, which waits for the one that stores the last edit."""
        if self._link is not None:
            self._link.ids.have(count)

    def edit(self, change: Change, label: str) -> bool:
        """Apply one gesture to the current image, as one undo step; False if nothing changed.

        Changes to its objects since the gesture began do not matter: the gesture's outcome wins.
        """
        if self.document is None or not self.may_edit():
            return False
        if not self.document.suits(change):
            change = rebased(change, self.document)
        if change.is_empty:
            return False
        self.history.begin(label, change)
        return True

    def document_of(self, image_id: int) -> Document:
        """The instances of any image, with edits that are not written yet."""
        if self._link is None:
            raise ProjectError("no project is open")
        is_current = self.document is not None and self.document.image_id == image_id
        return self.document if is_current and self.document is not None else self._link.reader.document(image_id)

    def edit_image(self, image_id: int, change: Change, label: str, *, is_work: bool = False) -> None:
        """Change any image, as one step that can be undone there.

        is_work: the program makes the change in the background, so the user's gestures belong to the image on screen.
        """
        if self.document is not None and self.document.image_id == image_id:
            self.edit(change, label)
        elif self._link is not None and not change.is_empty and self.may_edit():
            self.history.forget(image_id)
            gesture = None if is_work else self.take_gesture()
            self._link.writer.write(PendingEdit(image_id, change, label, gesture=gesture))

    def refresh_document(self, image_id: int) -> None:
        """Something else has changed the image: show it, as one change, if it is on screen."""
        self.record_changed.emit(image_id)
        if self._link is None or self.document is None or self.document.image_id != image_id:
            return
        try:
            image, document = self._link.reader.image(image_id), self._link.reader.document(image_id)
        except NoAnswerError:
            self._is_stale = True
            return
        self.image, change = image, difference(self.document, document)
        self._take_from_elsewhere(change)

    def take_stored(self, image_id: int, change: Change) -> None:
        """A worker has stored this change of proposals: show it, unless the image was edited meanwhile."""
        if self.document is None or self.document.image_id != image_id or not self.document.suits(change):
            self.refresh_document(image_id)
            return
        self.record_changed.emit(image_id)
        if self._link is not None:
            try:
                self.image = self._link.reader.image(image_id)
            except NoAnswerError:
                self._is_stale = True
        self._take_from_elsewhere(change)

    def _take_from_elsewhere(self, change: Change) -> None:
        if self.document is not None and not change.is_empty:
            self.document = self.document.apply(change)
            self._announce(change)
            self.classes.drop_gone(before.category_id for _, before, _ in change if before is not None)

    def refresh(self) -> None:
        """The project was changed from elsewhere: read everything again. Undo steps stay."""
        if self._link is None:
            return
        self._link.ids.renew()
        self._link.left.clear()
        if self.image is not None:
            self.refresh_document(self.image.id)
        try:
            self.classes.reload()
        except NoAnswerError:
            self._is_stale = True

    def put_proposals(self, image_id: int, preview: "Preview") -> None:
        """Store what a preview of the image shows; it reaches the document when it is in the database."""
        if self._link is not None:
            found, origin = tuple(preview.proposals), preview.provenance
            self._link.writer.write(PendingEdit(image_id, proposals=found, provenance=origin))

    def set_image_state(self, state: ImageState) -> None:
        """Set the state of the current image."""
        if self.image is None or self._link is None or self.image.state is state or not self.may_edit():
            return
        self.image = replace(self.image, state=state)
        self._link.writer.write(PendingEdit(self.image.id, state=state))

    def reload_classes(self) -> None:
        """Objects on any image may have another class: read everything again, including undo steps."""
        self.history.forget_all()
        self.refresh()
        self.history.changed.emit()

    def stored_history(self, image_id: int) -> History:
        """For `history`: the steps of earlier sessions. Raises NoAnswerError."""
        return self._link.reader.history(image_id) if self._link is not None else History()

    def _note_look(self) -> None:
        """Record the effort spent on the image being left, if no step has recorded it."""
        gesture = self.take_gesture()
        is_kept = self.image is not None and self.project is not None and not self.project.is_read_only
        if self._link is not None and self.image is not None and is_kept and gesture.active_s >= LEAST_LOOK_S:
            self._link.writer.write(PendingEdit(self.image.id, gesture=gesture))

    def may_edit(self) -> bool:
        """Whether the project can be changed; if not, tells the user why."""
        if self.project is not None and self.project.is_read_only:
            self.failed.emit(
                "Nothing was changed",
                ProjectError(f"the project is read-only: {self.project.read_only_reason}"),
            )
            return False
        return True

    def take(self, change: Change, label: str, kind: EditKind) -> None:
        """For `history`: apply a step to the document and have it written. Raises ValueError if it does not fit."""
        assert self.document is not None
        assert self._link is not None
        self.document = self.document.apply(change)
        self._announce(change)
        edit = PendingEdit(self.document.image_id, change, label, kind, gesture=self.take_gesture())
        if self.image is not None:
            self.image = replace(self.image, state=state_after(self.image.state, [edit]))
        self._link.writer.write(edit)

    def _announce(self, change: Change) -> None:
        self.classes.list_also(after.category_id for _, _, after in change if after is not None)
        self.document_changed.emit(change, self.document)
        assert self.document is not None
        gone = frozenset(id_ for id_ in self.selection if id_ not in self.document)
        if gone:
            self.select(self.selection - gone)

    def _on_put_aside(self, edit: "EditSetAside") -> None:
        self.history.forget(edit.image_id)  # it is already among the steps
        self.history.changed.emit()
        self.put_aside.emit(edit)

    def _on_write_failed(self, error: MaskwrightError) -> None:
        self.failed.emit(NOT_SAVED, error)
