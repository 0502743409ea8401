"""Creates projects anywhere, and reopens recent ones."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QFileDialog, QMenu

from maskwright.operations.opening import PROJECT_SUFFIX
from maskwright_gui.actions import Action, Menu, nothing
from maskwright_gui.feature import Context, Feature
from maskwright_gui.features.projects.feature import NOT_OPENED, ProjectsFeature
from maskwright_gui.messages import Message
from maskwright_gui.recent_projects import RecentProject, RecentProjects
from maskwright_gui.workers.executor import answer_soon

if TYPE_CHECKING:
    from maskwright.document.values import ImageRecord

NOTED_AFTER_MS = 500
"""Delay, so that paging through images writes no settings."""


class RecentFeature(Feature):
    """Notes the image at which a project was left; `ProjectsFeature` shows it at the next opening."""

    def __init__(self, context: Context, projects: ProjectsFeature, recent: RecentProjects) -> None:
        super().__init__(context)
        self._projects, self._recent = projects, recent
        self._declare(
            Action(
                "new_project",
                "New project…",
                Menu.FILE,
                0,
                self.new_project,
                needs=nothing,
                words="create place where folder directory images save as",
            ),
            Action(
                "open_recent",
                "Open recent",
                Menu.FILE,
                0,
                self.pop_up,
                needs=lambda _session: bool(recent.listed),
                words="last latest reopen go on history",
            ),
        )
        self.menu = QMenu(self._window)
        self._actions["open_recent"].setMenu(self.menu)
        self._left: tuple[Path, str] | None = None
        """(project, file name) of the last image on screen."""
        self._noting = QTimer(self, singleShot=True, interval=NOTED_AFTER_MS)
        self._noting.timeout.connect(self.note)
        projects.opened.connect(self._on_opened)
        projects.not_opened.connect(self._on_not_opened)
        self._session.image_changed.connect(self._on_image_changed)
        self._session.project_changed.connect(self._on_project_changed)
        self._window.empty_state.recent_requested.connect(self._open)
        self._show()

    def new_project(self) -> None:
        """Ask for an image folder and a place for the project, and create it."""
        folder = QFileDialog.getExistingDirectory(self._window, "New project: choose the folder of images")
        if not folder:
            return
        proposed = Path(folder).with_name(f"{Path(folder).name}{PROJECT_SUFFIX}")
        kinds, asks_later = f"Projects (*{PROJECT_SUFFIX})", QFileDialog.Option.DontConfirmOverwrite
        title = "New project: choose its name and place"
        place, _ = QFileDialog.getSaveFileName(self._window, title, str(proposed), kinds, options=asks_later)
        if place:
            self._projects.make_project(Path(folder), Path(place))

    def pop_up(self) -> None:
        """Show the list at the pointer, for users who found the action by searching."""
        self.menu.popup(QCursor.pos())

    def note(self) -> None:
        """Remember the last image on screen."""
        self._noting.stop()
        if self._left is not None:
            self._recent.note_image(*self._left)

    def stop(self) -> None:
        self.note()

    def _on_opened(self) -> None:
        project = self._session.project
        if project is not None:
            self._recent.note_open(project.path, project.name, project.image_root)
            self._show()

    def _on_project_changed(self, _project: object) -> None:
        self.note()
        self._left = None
        self._show()

    def _on_image_changed(self, image: "ImageRecord | None") -> None:
        if self._session.project is not None and image is not None:
            self._left = self._session.project.path, image.file_name
            self._noting.start()

    def _on_not_opened(self, path: Path) -> None:
        if self._recent.get(path) is not None and not answer_soon(path.exists, True):
            self._window.toasts.withdraw(NOT_OPENED)  # another message says this better
            action = partial(self._forget, path)
            self.told.emit(Message("This project no longer exists", str(path), "info", "Remove from the list", action))

    def _forget(self, path: Path) -> None:
        self._recent.forget(path)
        self._show()

    def _open(self, path: str) -> None:
        self._projects.open_path(Path(path))

    def _show(self) -> None:
        listed = self._recent.listed
        self._window.empty_state.set_recent(listed)
        self._refresh("open_recent")
        self.menu.clear()
        here = self._session.project.path if self._session.project is not None else None
        for known in listed:
            row = self.menu.addAction(_row_text(known))
            row.setToolTip(known.path)
            row.setEnabled(known.path != str(here))
            row.triggered.connect(partial(self._on_row, known.path))

    def _on_row(self, path: str, _is_checked: bool = False) -> None:
        self._open(path)


def _row_text(known: RecentProject) -> str:
    """A project's name and path; "&" is doubled, since menus take it for the mark of a letter."""
    return f"{known.name}  ·  {known.path}".replace("&", "&&")
