"""Opens the window on the whole data set and finds pictures that occur twice."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from maskwright.document.palette import category_colour
from maskwright.errors import MaskwrightError
from maskwright_gui.dialogs.data_set import DataSetWindow
from maskwright_gui.main_window import MainWindow
from maskwright_gui.messages import Message
from maskwright_gui.panels.class_bars import ClassBar
from maskwright_gui.session import Session
from maskwright_gui.theme import Theme
from maskwright_gui.workers.tasks import Task, TaskProgress

if TYPE_CHECKING:
    from maskwright.project.store import Project


class DataSetCommands(QObject):
    told = Signal(object)
    """Message."""
    work_changed = Signal(str, int, object)
    """(text, done, total or None); an empty text when nothing runs."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        super().__init__(window)
        self._session, self._window = session, window
        self._open: DataSetWindow | None = None
        self._task: Task | None = None

    def open(self, theme: Theme) -> DataSetWindow | None:
        project = self._session.project
        if project is None:
            return None
        self.stop()
        self._session.save()
        self._open = DataSetWindow(project, self._window.images.query, class_bars(project), theme, self._window)
        self._open.image_chosen.connect(self._session.show_image)
        self._open.duplicates_requested.connect(self.find_duplicates)
        self._open.finished.connect(self._on_closed)
        self._open.show()
        return self._open

    def find_duplicates(self) -> None:
        if self._session.project is None:
            return
        self._stop_task()
        self._task = Task(partial(_find_duplicates, self._session.project), self)
        self._task.progressed.connect(lambda done, total, text: self.work_changed.emit(text, done, total))
        self._task.finished.connect(lambda: self.work_changed.emit("", 0, None))
        self._task.done.connect(self._on_found)
        self._task.failed.connect(self._on_failed)
        self._task.start()

    def stop(self) -> None:
        """Close the window and end what it has begun."""
        self._stop_task()
        if self._open is not None:
            self._open.close()
            self._open = None

    def _stop_task(self) -> None:
        if self._task is not None:
            task, self._task = self._task, None
            task.stop()
            task.deleteLater()

    def _on_closed(self) -> None:
        self._open = None

    def _on_found(self, groups: list[list[int]]) -> None:
        project = self._session.project
        if project is None or self._open is None:
            return
        ids = [image_id for group in groups for image_id in group]
        self._open.show_duplicates(groups, {record.id: record.file_name for record in project.image_records(ids)})

    def _on_failed(self, error: MaskwrightError) -> None:
        self.told.emit(Message.of_error("The search for pictures that occur twice stopped", error))


def class_bars(project: "Project") -> list[ClassBar]:
    """The number of objects and images of each class; rejected proposals left out."""
    _, category_ids, counts = project.category_images()
    bars = []
    for category in project.categories():
        here = np.flatnonzero(category_ids == category.id)
        bars.append(ClassBar(category.name, category_colour(category), int(counts[here].sum()), len(here)))
    return bars


def _find_duplicates(project: "Project", progress: TaskProgress) -> list[list[int]]:
    from maskwright.review.duplicates import find_duplicates

    text = "Looking for pictures that occur twice"
    return find_duplicates(project, on_progress=lambda done, total: progress.report(done, total, text))
