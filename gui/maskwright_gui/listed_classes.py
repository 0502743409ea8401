"""The classes of the open project, and how it lists them."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from maskwright.document.class_listing import ClassKeys, ClassListing
from maskwright.document.palette import told_apart
from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright_gui.link import ProjectLink
from maskwright_gui.workers.executor import NoAnswerError

CLASS_KEYS_SETTING, CLASS_LIST_SETTING = "window.class_keys", "window.class_list"


class ListedClasses:
    """The current listing; what a project does not say yet is decided once and kept when it is closed."""

    def __init__(self, link: ProjectLink | None = None) -> None:
        stored = (
            [link.project.setting(key) for key in (CLASS_LIST_SETTING, CLASS_KEYS_SETTING)] if link else (None, None)
        )
        self._link = link
        self.listing = self._kept = ClassListing.from_json(*stored)

    def keep(self) -> None:
        """Beside the window: nothing waits for it, and little is lost where it cannot be kept."""
        if self._link is None or self._link.project.is_read_only or self.listing == self._kept:
            return
        project, listing = self._link.project.stored, self.listing
        self._kept = listing

        def keep() -> None:
            with suppress(MaskwrightError):
                project.set_setting(CLASS_LIST_SETTING, listing.to_json())
                project.set_setting(CLASS_KEYS_SETTING, listing.keys_to_json())

        self._link.waiting.executor.post(keep)


class ClassList(QObject):
    """The classes of the open project: those that are listed, and the one that the next object gets."""

    changed = Signal(object)
    """tuple of Category."""
    current_changed = Signal(object)

    def __init__(self, here: Callable[[], Iterable[int]], may_edit: Callable[[], bool], parent: QObject) -> None:
        """`here`: ids of the classes that occur on the image on screen, also while that is not written yet.

        may_edit: whether the project can be changed; says why where it cannot.
        """
        super().__init__(parent)
        self.listed: tuple[Category, ...] = ()
        self.offered: tuple[Category, ...] = ()
        """Those that a model knows, and none of which is listed."""
        self.unlisted: tuple[Category, ...] = ()
        """Those that a model knows and none of which has occurred, and those that were deleted: for their names."""
        self.current_id = 0
        self._here, self._may_edit = here, may_edit
        self._nameless: set[int] = set()
        """Ids of objects here that are no class of the project."""
        self._link: ProjectLink | None = None
        self._order = ListedClasses()

    def follow(self, link: ProjectLink | None) -> None:
        """Another project is open; None: none is. `reload` then."""
        if link is None:
            self._order.keep()
        self._link, self._order = link, ListedClasses(link)

    @property
    def keys(self) -> ClassKeys:
        """The class that each of the digits stands for."""
        return self._order.listing.keys

    @property
    def listing(self) -> ClassListing:
        """Order, digits and which are hidden."""
        return self._order.listing

    def list_as(self, listing: ClassListing) -> None:
        """Another order, other digits, or others hidden."""
        if self._may_edit():
            self._order.listing = listing
            self.reload()
            self._order.keep()

    def reload(self) -> None:
        """Read the classes of the project again, and their keys. Raises NoAnswerError."""
        project = self._link.project if self._link is not None else None
        standing = project.ask(lambda stored: stored.categories.by_standing()) if project is not None else ((), (), ())
        listed, offered, deleted = standing
        here = set(self._here())
        shown = [each for each in (*offered, *deleted) if each.id in here]  # not written yet
        self._order.listing = listing = self._order.listing.settled((*listed, *shown))
        self.listed = listing.sorted(told_apart((*listed, *shown)))
        self.offered = tuple(each for each in offered if each.id not in here)
        self.unlisted = tuple(each for each in (*offered, *deleted) if each.id not in here)
        self.changed.emit(self.listed)
        if self.current_id not in {category.id for category in self.listed}:
            self.set_current(self.listed[0].id if self.listed else 0)

    def list_also(self, ids: Iterable[int]) -> None:
        """Classes of objects on the image are listed, also those that were not so far."""
        missing = set(ids) - {each.id for each in self.listed} - self._nameless
        if missing:
            with suppress(NoAnswerError):  # they have their names when it answers again
                self.reload()
            self._nameless = missing - {each.id for each in self.listed}

    def set_current(self, category_id: int) -> None:
        """The class that the next drawn object gets."""
        if category_id != self.current_id:
            self.current_id = category_id
            self.current_changed.emit(category_id)
