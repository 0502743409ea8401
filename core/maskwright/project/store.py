"""A project: one folder with a database, beside or inside a folder of images; thread-safe."""

import logging
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from maskwright.errors import HalfMadeProjectError, ProjectError
from maskwright.project.backup import back_up_daily, list_backups
from maskwright.project.categories import CategoryRepository
from maskwright.project.database import Database
from maskwright.project.gestures import EffortRepository
from maskwright.project.history import HistoryRepository
from maskwright.project.image_folders import require_trusted, trust
from maskwright.project.images import ImageRepository
from maskwright.project.importing import ImportRepository
from maskwright.project.instances import InstanceRepository
from maskwright.project.layer import ProposalRepository
from maskwright.project.lock import Holder, ProjectLock
from maskwright.project.making import MARK, make_file
from maskwright.project.merging import MergeRepository
from maskwright.project.relocate import ROOT, ROOT_ABSOLUTE, ImageFolder, root_settings
from maskwright.project.restoring import is_being_restored
from maskwright.project.rows import read_setting, write_settings
from maskwright.project.runs import RunRepository
from maskwright.project.scripting import Scripting, as_path
from maskwright.project.set_aside import AsideRepository
from maskwright.project.signals import SignalRepository
from maskwright.project.source import ProjectSource
from maskwright.project.upgrade import UpgradedCopy, bring_up_to_date, is_half_made, readable_file, require_sound
from maskwright.project.whole_files import make_folder

log = logging.getLogger(__name__)

FILE_NAME = "project.db"
INSIDE_IMAGES = ".maskwright"
"""Name of a project folder inside its image folder; elsewhere it is called NAME.maskwright."""
_NAME = "project.name"


class Project(Scripting):
    """Images, categories, instances and batches of one data set. Close it, or use it as a context manager.

    Its parts do the work (`project.images.records`, `project.history.undo_steps`); its own methods are for scripts.
    """

    def __init__(
        self, path: Path, database: Database, access: ProjectLock | str, *, copy: UpgradedCopy | None = None
    ) -> None:
        """Use `create` or `open`. `access`: the right to write, or why there is none. `copy`: read it instead."""
        self.path = path
        self._database = database
        self._copy = copy
        self._lock = access if isinstance(access, ProjectLock) else None
        self.read_only_reason = None if isinstance(access, ProjectLock) else access
        try:
            self.name: str = _text(self.setting(_NAME)) or path.stem
            self.mark: str = self._find_mark()
            """The same wherever the project is moved or mounted; empty where an earlier version made it."""
            root = self._find_image_root()
        except BaseException:
            database.close()
            raise
        self.images = ImageRepository(database, root)
        self.categories = CategoryRepository(database)
        self.instances = InstanceRepository(database)
        self.proposals = ProposalRepository(database)
        self.history = HistoryRepository(database, self.instances)
        self.merges = MergeRepository(database)
        self.runs = RunRepository(database)
        self.signals = SignalRepository(database)
        self.effort = EffortRepository(database)
        self.set_aside = AsideRepository(database)
        self.source = ProjectSource(database, self.images, self.instances)
        """What formats write."""
        self.imports = ImportRepository(database, self.source, self.proposals)
        self.image_folder = ImageFolder(database, self.images, path=path, mark=self.mark)

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        image_root: str | Path | None = None,
        name: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Create a project folder at `path` for the images below `image_root`, with initial `settings`.

        Without `image_root`, `path` is a folder of images, and the project is created inside it, as by the window.
        Raises ProjectError if there is a project already, the image folder is missing or the place cannot be written.
        """
        path, image_root = _places(as_path(path), image_root)
        if (path / FILE_NAME).exists() and not is_half_made(path / FILE_NAME):
            raise ProjectError("a project already exists here", path=path, hint="open it instead")
        if not image_root.is_dir():
            raise ProjectError("the image folder does not exist", path=image_root)
        try:
            make_folder(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ProjectError(f"cannot create the project folder: {reason}", path=path, hint=_ELSEWHERE) from error
        lock = ProjectLock.acquire(path)
        if isinstance(lock, Holder):
            raise ProjectError(f"another program is creating a project here ({lock})", path=path)
        try:
            default = image_root.name if path.name == INSIDE_IMAGES else path.stem
            own = {_NAME: name or default, **root_settings(path, image_root)}
            make_file(path / FILE_NAME, {**own, **(settings or {})})
            project = cls._opened(path / FILE_NAME, lock, trusts_images=True)
            trust(path, project.mark, image_root)
            return project
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: str | Path, *, read_only: bool = False, trusts_images: bool = False) -> Self:
        """Open the project in `path`: its folder, its file, or the image folder around it.

        A project that cannot be written, or that another program has open, is opened read-only; `read_only_reason` says
        why. If an earlier version made it, a migrated copy is read then. After a crash the file is checked. Raises
        ProjectError if there is no project, it is damaged, or a newer version of Maskwright made it; ForeignImagesError
        if its images are in a folder elsewhere that the user has not confirmed, unless `trusts_images`.
        """
        path = as_path(path)
        file = find_project(path)
        if file is None:
            raise ProjectError("no project here", path=path)
        access = "it was opened read-only" if read_only else _access(file)
        copy: UpgradedCopy | None = None
        try:
            if isinstance(access, str):
                copy = readable_file(file)
            else:
                try:
                    require_sound(file)
                except HalfMadeProjectError:
                    if file.parent.name != INSIDE_IMAGES:
                        raise
                    images = file.parent.parent  # the place where its creation was started
                    make_file(file, {_NAME: images.name, **root_settings(file.parent, images)})
                bring_up_to_date(file)
            return cls._opened(file, access, trusts_images=trusts_images, copy=copy)
        except BaseException:
            if copy is not None:
                copy.close()
            if isinstance(access, ProjectLock):
                access.release()
            raise

    @classmethod
    def _opened(
        cls, file: Path, access: ProjectLock | str, *, trusts_images: bool, copy: UpgradedCopy | None = None
    ) -> Self:
        database = Database(copy.file if copy is not None else file, read_only=isinstance(access, str))
        project = cls(file.parent, database, access, copy=copy)
        try:
            if not trusts_images:
                require_trusted(project.path, project.mark, project.image_root)
        except BaseException:
            project._database.close()
            raise
        return project

    @property
    def image_root(self) -> Path:
        """The folder that the images' file names are relative to; `image_folder` changes it."""
        return self.images.root

    @property
    def is_read_only(self) -> bool:
        """Whether the project cannot be written; see `read_only_reason`."""
        return self._database.is_read_only

    @property
    def revision(self) -> int:
        """Changes with each write of this program, the only one that may write while the project is open."""
        return self._database.revision

    def close(self) -> None:
        """Close the project; may be called repeatedly."""
        self._database.close()
        if self._copy is not None:
            self._copy.close()
        if self._lock is not None:
            self._lock.release()

    def back_up_daily(self) -> Path | None:
        """Make today's copy in the folder `backups`, unless there is one; takes about a second for a million instances.

        Returns the new copy. Raises ProjectError if it cannot be written.
        """
        return None if self.is_read_only else back_up_daily(self._database.path)

    def setting(self, key: str) -> Any:
        """The JSON value stored under `key`; None if there is none or it is invalid."""
        with self._database.read() as connection:
            return read_setting(connection, key)

    def set_setting(self, key: str, value: Any) -> None:
        """Store a JSON value under `key`."""
        with self._database.write() as connection:
            write_settings(connection, {key: value})

    def __repr__(self) -> str:
        access = ", read-only" if self.is_read_only else ""
        return f"<Project {self.name!r} in {self.path}{access}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _find_mark(self) -> str:
        mark = _text(self.setting(MARK))
        if not mark and not self.is_read_only:
            mark = uuid.uuid4().hex
            self.set_setting(MARK, mark)
        return mark

    def _find_image_root(self) -> Path:
        relative, absolute = _text(self.setting(ROOT)), _text(self.setting(ROOT_ABSOLUTE))
        places = [self.path / relative] if relative else []
        places += [Path(absolute)] if absolute else []
        if not places:
            raise ProjectError("the project does not say where its images are", path=self.path)
        found = next((place for place in places if place.is_dir()), None)
        if found is None:
            log.warning("the image folder %s of %s no longer exists", places[0], self.path)
        return Path(os.path.normpath(found or places[0]))


def _places(path: Path, image_root: str | Path | None) -> tuple[Path, Path]:
    """The project's folder and the folder of its images."""
    if image_root is None:
        return path.absolute() / INSIDE_IMAGES, path.absolute()
    return path.absolute(), as_path(image_root).absolute()


_ELSEWHERE = "choose a folder that you can write to; images and project can be in different places"


def find_project(path: Path) -> Path | None:
    """The project file meant by `path`: the file itself, its folder, or the image folder around it."""
    candidates = (path, path / FILE_NAME, path / INSIDE_IMAGES / FILE_NAME)
    return next((place.absolute() for place in candidates if place.name == FILE_NAME and _is_there(place)), None)


def has_project(path: Path) -> bool:
    """Whether there is a project with content; False if its creation was interrupted."""
    file = find_project(path)
    return file is not None and (bool(list_backups(file)) or not is_half_made(file))


def _is_there(file: Path) -> bool:
    """True also if only copies are left: opening it tells how to restore one."""
    return file.is_file() or is_being_restored(file) or bool(list_backups(file))


def _access(file: Path) -> ProjectLock | str:
    """The right to write to the project, or why there is none."""
    if not os.access(file, os.W_OK) or not os.access(file.parent, os.W_OK):
        return "the project or its folder cannot be written"
    lock = ProjectLock.acquire(file.parent)
    return f"it is open elsewhere: {lock}" if isinstance(lock, Holder) else lock


def _text(value: Any) -> str:
    """A text setting; empty for anything else in a stranger's database."""
    return value if isinstance(value, str) else ""
