"""The class table of the project: adding, renaming, recolouring, merging."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMessageBox, QWidget

from maskwright.document.class_keys import with_key
from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright_gui.commands.editing import EditCommands
from maskwright_gui.messages import Message
from maskwright_gui.session import CLASS_KEYS_SETTING, Session
from maskwright_gui.workers.tasks import Task, TaskProgress

if TYPE_CHECKING:
    from maskwright.project.merging import CategoryUse, Merge


class ClassCommands(QObject):
    failed = Signal(str, object)
    """(what did not work, MaskwrightError)."""
    told = Signal(object)
    """Message."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None); an empty text when nothing runs."""
    merged = Signal()
    """Objects of all images have another class."""

    def __init__(self, session: Session, edits: EditCommands, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._edits, self._window = session, edits, window
        self._task: Task | None = None

    def add(self, name: str) -> Category | None:
        """A new class, which is then the one to draw with; None where it was refused."""
        project = self._session.project
        if project is None:
            return None
        try:
            category = project.add_category(name)
        except MaskwrightError as error:
            self.failed.emit("The class was not added", error)
            return None
        self._session.reload_categories()
        self._session.set_current_category(category.id)
        return category

    def add_and_apply(self, name: str) -> None:
        """A new class, given to the selection."""
        if (category := self.add(name)) is not None:
            self._edits.set_category(category.id)

    def rename(self, category_id: int, name: str) -> None:
        if self._session.project is None:
            return
        try:
            self._session.project.rename_category(category_id, name)
        except MaskwrightError as error:
            self.failed.emit("The class was not renamed", error)
        self._session.reload_categories()

    def set_colour(self, category_id: int, colour: str) -> None:
        """`colour` as `#rrggbb`."""
        if self._session.project is None:
            return
        try:
            self._session.project.set_category_colour(category_id, colour)
        except MaskwrightError as error:
            self.failed.emit("The colour was not changed", error)
        self._session.reload_categories()

    def set_key(self, category_id: int, digit: int) -> None:
        """The class gets the digit; the one that had it changes places with it."""
        project = self._session.project
        if project is None:
            return
        keys = with_key(self._session.class_keys, category_id, digit)
        try:
            project.set_setting(CLASS_KEYS_SETTING, {str(known): id_ for known, id_ in keys.items()})
        except MaskwrightError as error:
            self.failed.emit("The key was not changed", error)
        self._session.reload_categories()

    def merge(self, source_id: int, target_id: int) -> QMessageBox | None:
        """Ask whether all objects of one class are to become objects of another, and do it then."""
        project = self._session.project
        names = {category.id: category.name for category in self._session.categories}
        if project is None or self._task is not None or not {source_id, target_id} <= names.keys():
            return None
        self._session.save()
        source, target = names[source_id], names[target_id]
        box = QMessageBox(QMessageBox.Icon.Question, "Merge classes", f"Merge “{source}” into “{target}”?")
        box.setParent(self._window, box.windowFlags())
        box.setInformativeText(what_merges(project.category_use(source_id), source, target))
        box.addButton("Merge", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        work = partial(project.merge_categories, source_id, target_id)
        done = partial(self._on_merged, f"“{source}” is part of “{target}” now")
        box.accepted.connect(partial(self._run, f"Merging “{source}”", work, done))
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def undo_merge(self, merge_id: int) -> None:
        if self._session.project is not None and self._task is None:
            self._session.save()
            work = partial(self._session.project.undo_merge, merge_id)
            self._run("Taking a merge back", work, self._on_merge_undone)

    @property
    def is_working(self) -> bool:
        """Whether classes are being merged, or parted again."""
        return self._task is not None

    def stop(self) -> None:
        """Wait until nothing touches the project any more; a merge is done wholly or not at all."""
        if self._task is not None:
            task, self._task = self._task, None
            task.stop()
            self.work_changed.emit("", 0, None)

    def _run(self, text: str, work: Callable[[], object], on_done: Callable[..., object]) -> None:
        def function(_progress: TaskProgress) -> object:
            return work()

        self._task = Task(function, self)
        self._task.finished.connect(partial(self._on_ended, self._task))
        self._task.done.connect(on_done)
        self._task.failed.connect(partial(self.failed.emit, "The classes stay as they are"))
        self.work_changed.emit(text, 0, None)
        self._task.start()

    def _on_ended(self, task: Task) -> None:
        if task is self._task:
            self._task = None
            task.deleteLater()
            self.work_changed.emit("", 0, None)

    def _settle(self) -> None:
        """The work is done, only its thread has to end: what follows from it may start the next work at once."""
        if self._task is not None:
            self._task.wait()
            self._on_ended(self._task)

    def _on_merged(self, text: str, merge: "Merge") -> None:
        self._settle()
        self._session.reload_classes()
        detail = _counted(merge.instance_count, "object") + " changed class."
        self.told.emit(Message(text, detail, action_text="Undo", action=partial(self.undo_merge, merge.id)))
        self.merged.emit()

    def _on_merge_undone(self, category: Category) -> None:
        self._settle()
        self._session.reload_classes()
        self.told.emit(Message(f"“{category.name}” is a class of its own again"))
        self.merged.emit()


def what_merges(use: "CategoryUse", source: str, target: str) -> str:
    """What a person should know before two classes become one."""
    rejected = f" ({use.rejected} of them rejected)" if use.rejected else ""
    return (
        f"{_counted(use.instances, 'object')}{rejected} on {_counted(use.images, 'image')} will be “{target}”, and the "
        f"class “{source}” goes. A model that finds “{source}” proposes “{target}” from then on. The menu of the "
        "classes can take it back at any time."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
