"""The File menu: opening folders, projects and samples, saving, closing."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog

from maskwright.errors import DamagedProjectError, ForeignImagesError, MaskwrightError
from maskwright.monitor import Monitor
from maskwright.operations.opening import Opening, add_rest, make_project, open_project
from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.dialogs.unsaved import Leaving, UnsavedDialog, offer_rescued
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.projects.damaged import DamagedProjects
from maskwright_gui.messages import Message
from maskwright_gui.open_project import OpenProject
from maskwright_gui.operation import Work
from maskwright_gui.recent_projects import RecentProjects
from maskwright_gui.saving import SavingWatch
from maskwright_gui.workers.requests import Failure
from maskwright_gui.workers.writer import PendingEdit

if TYPE_CHECKING:
    from maskwright.project.rescue import Rescue

NOT_OPENED = "Cannot open this"
MODEL_SUFFIXES = frozenset({".xml", ".onnx", ".pb"})


class ProjectsFeature(Feature):
    """One background operation at a time; a new one replaces it."""

    images_added = Signal()
    opened = Signal()
    """A project is open and its first images are known."""
    model_dropped = Signal(str)
    failures_wanted = Signal(object, str)
    """(list of Failure, title)."""
    rescued = Signal(object)
    """The question (QMessageBox) whether to restore rescued edits."""
    not_opened = Signal(object)
    """Path of what could not be opened."""
    located = Signal(object)
    """Located: the images of the opened project have been looked for."""
    images_missing = Signal(int)
    """Number of images in the opened project that are not where it expects them."""

    def __init__(self, context: Context, watch: SavingWatch, recent: RecentProjects) -> None:
        super().__init__(context)
        self._watch, self._recent = watch, recent
        self._damaged = DamagedProjects(self._run, self.told.emit, self.open_path)
        self.opened.connect(self._damaged.tell_outcome)
        self._opening: Opening | None = None
        self._place: Path | None = None
        """What is being opened."""
        self._declare(
            Action(
                "open_folder",
                "Open folder…",
                Menu.FILE,
                0,
                self.open_folder,
                keys=("Ctrl+U", "Ctrl+Shift+O"),
                presets={"labelme": ("Ctrl+U",)},
                icon="folder-open",
                needs=nothing,
                words="directory images load start new project",
            ),
            Action(
                "open_project",
                "Open project…",
                Menu.FILE,
                0,
                self.open_folder,
                keys=("Ctrl+O",),
                needs=nothing,
                words="load",
            ),
            Action(
                "open_samples",
                "Open the samples",
                Menu.FILE,
                0,
                self.open_samples,
                needs=nothing,
                words="demo example tutorial",
            ),
            Action(
                "save",
                "Save now",
                Menu.FILE,
                1,
                self.save,
                keys=("Ctrl+S",),
                presets={"ISAT": ("S", "Ctrl+S")},
                icon="check",
                words="store write autosave",
            ),
            Action("close_project", "Close project", Menu.FILE, 2, self.close_project, keys=("Ctrl+W",), words="leave"),
        )
        watch.hung.connect(self._on_hung)
        self._session.project_changed.connect(self._on_project_changed)
        self._session.image_changed.connect(self._window.toasts.drop_of_image)
        self._session.failed.connect(self._tell_error)
        self._follow_keys(self._window.empty_state.show_keys)
        self._window.path_dropped.connect(self.open_path)
        self._window.empty_state.folder_requested.connect(self.open_folder)
        self._window.empty_state.samples_requested.connect(self.open_samples)

    def open_path(self, path: Path) -> None:
        """Open a folder, a project, an image of a folder or a model: whatever was dropped or named."""
        path = path.expanduser().absolute()
        if path.suffix.lower() in MODEL_SUFFIXES and path.is_file():
            self.model_dropped.emit(str(path))
            return
        if not self.may_lose_edits():
            return
        known = self._recent.of_images(path)
        self._open(path, lambda progress: open_project(path, progress, known=known))

    def _open(self, path: Path, work: Callable[[Monitor], Opening]) -> None:
        self._run(work, self._on_opened, NOT_OPENED, path)
        self._place = path
        self._watch.follow(path)

    def make_project(self, folder: Path, place: Path) -> None:
        """Create a project for the images in `folder`, at `place`, which ends in .maskwright."""
        if self.may_lose_edits():
            self._open(place, lambda progress: make_project(folder, place, progress))

    def open_folder(self) -> None:
        """Ask for a folder of images."""
        name = QFileDialog.getExistingDirectory(self._window, "Open a folder of images or a project")
        if name:
            self.open_path(Path(name))

    def open_samples(self) -> None:
        """Unpack the sample images, and open them."""
        self._run(_make_samples, lambda folder: self.open_path(folder), "The samples could not be created")

    def save(self) -> None:
        """Save now; edits are also saved as they are made."""
        if self._session.save():
            self.told.emit(Message("Everything is saved", "Every edit is saved as you make it."))
        else:
            self._watch.look()
            state = self._watch.state
            self.told.emit(Message(state.short or "Some edits are not saved yet", state.detail, "warning"))

    def close_project(self) -> None:
        """Close the project, unless the user decides to wait for unsaved edits."""
        if not self.may_lose_edits():
            return
        self.stop()
        self._session.close_project()

    def may_lose_edits(self) -> bool:
        """Whether the project may be closed: everything is saved, or the user agrees to go without."""
        if self._session.save():
            return True
        self._watch.look()
        dialog = UnsavedDialog(lambda: self._watch.state, lambda: self._session.unsaved.count, self._window)
        while (leaving := dialog.ask()) is Leaving.KEEP:
            if not (failure := self._watch.keep()):
                break
            dialog.tell(f"No rescue copy could be made: {failure}")
        dialog.deleteLater()
        if leaving is Leaving.STAY:
            return False
        self._session.unsaved.give_up()
        return True

    def show_unreadable(self) -> None:
        """List the files of the folder that cannot be read, with the reasons."""
        images = self._opening.failures if self._opening is not None else []
        rows = [Failure(0, image.file_name, image.failure.message if image.failure else "") for image in images]
        self.failures_wanted.emit(rows, "Files that cannot be read")

    def _run(self, work: Work, on_done: Callable[..., object], complaint: str, opens: Path | None = None) -> None:
        operation = self._run_beside(work, on_done, partial(self._on_failed, complaint))
        if opens is not None:
            operation.on_failure(lambda _error: self.not_opened.emit(opens))

    def _over(self) -> None:
        super()._over()
        self._leave_place()

    def _on_failed(self, complaint: str, error: MaskwrightError) -> None:
        if isinstance(error, DamagedProjectError) and error.path is not None:
            self.told.emit(self._damaged.message(complaint, error, error.path))
        elif isinstance(error, ForeignImagesError) and error.path is not None:
            what = "This project's images are in another folder"
            detail = f"{error.image_root} is not next to {error.path}. Use it only if you know what it contains."
            action = partial(self._open_allowed, error, error.path)
            self.told.emit(Message(what, detail, "warning", "Use that folder", action, stays=True))
        else:
            self.told.emit(Message.of_error(complaint, error))

    def _open_allowed(self, error: ForeignImagesError, project: Path) -> None:
        error.allow()
        self.open_path(project)

    def _leave_place(self) -> None:
        if self._place is not None:
            place, self._place = self._place, None
            self._watch.leave(place)

    def _on_project_changed(self, project: OpenProject | None) -> None:
        self._window.show_project(project)
        self._actions.refresh(self._session)
        self._window.toasts.drop_of_project()

    def _on_hung(self, folder: Path) -> None:
        if folder == self._place:
            detail = f"{folder}. The project opens as soon as it answers."
            self.told.emit(Message("The folder does not answer", detail, "warning", "Cancel", self.stop))

    def _on_opened(self, opening: Opening) -> None:
        self._opening = opening
        self._session.open_project(opening.project)
        project = self._session.project
        if project is None:
            return
        self._show_wanted(opening, project)
        self.opened.emit()
        if (reason := project.read_only_reason) is not None:
            detail = (
                f"{reason[0].upper()}{reason[1:]}. Nothing can be changed. Open the project again once this is "
                f"resolved."
            )
            self.told.emit(Message("Opened as read-only", detail, "warning"))
        if opening.rescues:
            self._offer(opening.rescues)
        self._run(lambda progress: add_rest(opening, progress), self._on_complete, "The folder was only partly read")

    def _show_wanted(self, opening: Opening, project: OpenProject) -> None:
        """Show the image that was asked for, or the last one on screen in an earlier session."""
        left = self._recent.get(project.path)
        wanted = opening.show or (left.left_at if left is not None else "")
        record = project.ask(lambda stored: stored.images.find(wanted)) if wanted else None
        if record is not None:
            self._session.show_image(record.id)

    def _offer(self, rescues: "list[Rescue]") -> None:
        from maskwright.project.rescue import forget_rescues

        forget = partial(forget_rescues, rescues)
        box = offer_rescued(rescues, take=lambda: self._put_in(rescues), drop=forget, parent=self._window)
        self.rescued.emit(box)

    def _put_in(self, rescues: "list[Rescue]") -> None:
        from maskwright.project.rescue import forget_rescues

        edits = [edit for rescue in rescues for edit in rescue.edits]
        pending = [PendingEdit(edit.image_id, edit.change, edit.label, edit.kind, edit.state) for edit in edits]
        count = self._session.put_in(pending)
        self._watch.when_saved(partial(self._on_put_in, count, len(edits), partial(forget_rescues, rescues)))

    def _on_put_in(self, count: int, asked: int, forget: Callable[[], object]) -> None:
        forget()
        self._session.go_on()
        lost = asked - count
        were = "1 was on an image" if lost == 1 else f"{lost} were on images"
        gone = f"{were} that the project no longer has." if lost else ""
        what = f"{count} rescued edit" + ("" if count == 1 else "s") + " restored"
        self.told.emit(Message(what, gone, "warning" if gone else "info"))

    def _on_complete(self, opening: Opening) -> None:
        self.images_added.emit()
        if opening.backup_failure is not None:
            self.told.emit(Message.of_error("Today's backup copy is missing", opening.backup_failure))
        if opening.located is not None and opening.located.moved:
            text = f"{opening.located.moved} moved image" + ("" if opening.located.moved == 1 else "s")
            self.told.emit(Message(f"{text} found again", "Matched by name and size; their annotations are unchanged."))
        if opening.located is not None:
            self.located.emit(opening.located)
        if opening.located is not None and opening.located.missing:
            self.images_missing.emit(opening.located.missing)
        if opening.failures:
            count = len(opening.failures)
            text = f"{count} file" + (" cannot" if count == 1 else "s cannot") + " be read"
            detail = "All other images were loaded."
            self.told.emit(Message(text, detail, "warning", "Show", self.show_unreadable, stays=True))


def _make_samples(progress: Monitor) -> Path:
    """Path of the sample project in the user's data folder, created if it is missing."""
    from platformdirs import user_data_path

    from maskwright.samples.project import open_sample_project

    progress.report(0, None, "Creating the sample images")
    with open_sample_project(user_data_path("maskwright") / "samples") as project:
        return project.path
