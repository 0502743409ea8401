"""The classes of the open project, and how it lists them."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from PySide6.QtCore import QObject, Signal

from maskwright.document.class_listing import ClassKeys, ClassListing
from maskwright.document.values import Category
from maskwright.errors import MaskwrightError
from maskwright_gui.link import ProjectLink
from maskwright_gui.workers.executor import NoAnswerError

CLASS_KEYS_SETTING, CLASS_LIST_SETTING = "window.class_keys", "window.class_list"


class ListedClasses:
    """The current listing; where the project stores none, it is decided once and stored on closing."""

    def __init__(self, link: ProjectLink | None = None) -> None:
        stored = (
            [link.project.setting(key) for key in (CLASS_LIST_SETTING, CLASS_KEYS_SETTING)] if link else (None, None)
        )
        self._link = link
        self.listing = self._kept = ClassListing.from_json(*stored)

    def keep(self) -> None:
        """Store the listing in the background: nothing waits for it, and little is lost if that fails."""
        if self._link is None or self._link.project.is_read_only or self.listing == self._kept:
            return
        project, listing = self._link.project.stored, self.listing
        self._kept = listing
        self._post(
            lambda: project.set_setting(CLASS_LIST_SETTING, listing.to_json()),
            lambda: project.set_setting(CLASS_KEYS_SETTING, listing.keys_to_json()),
        )

    def keep_classes(self, ids: Iterable[int]) -> None:
        """The user asks for these classes: they stay even without objects."""
        if self._link is not None:
            project, wanted = self._link.project.stored, tuple(ids)
            self._post(lambda: project.categories.keep(wanted))

    def _post(self, *calls: Callable[[], object]) -> None:
        def run() -> None:
            with suppress(MaskwrightError):
                for call in calls:
                    call()

        if self._link is not None:
            self._link.waiting.executor.post(run)


class ClassList(QObject):
    """The classes of the open project: which are listed, and which one the next object gets."""

    changed = Signal(object)
    """tuple of Category."""
    current_changed = Signal(object)

    def __init__(self, here: Callable[[], Iterable[int]], may_edit: Callable[[], bool], parent: QObject) -> None:
        """here: ids of the classes on the current image, including unwritten changes.

        may_edit: whether the project can be changed; tells the user if not.
        """
        super().__init__(parent)
        self.listed: tuple[Category, ...] = ()
        self.offered: tuple[Category, ...] = ()
        """Classes that only a model knows: no object has them yet."""
        self.unlisted: tuple[Category, ...] = ()
        """The same and deleted classes, for their names."""
        self.current_id = 0
        self._here, self._may_edit = here, may_edit
        self.is_drawing: Callable[[], bool] = lambda: False
        """Whether an outline is being drawn, which has the current class."""
        self._picked_id = 0
        """The class that the user chose last; it stays listed until another is current, even without objects."""
        self._nameless: set[int] = set()
        """Class ids of objects here that are not in the project."""
        self._link: ProjectLink | None = None
        self._order = ListedClasses()

    def follow(self, link: ProjectLink | None) -> None:
        """Follow another project; None: none is open. Call `reload` afterwards."""
        if link is None:
            self._order.keep()
        self._link, self._order = link, ListedClasses(link)

    @property
    def keys(self) -> ClassKeys:
        """The class of each digit."""
        return self._order.listing.keys

    @property
    def listing(self) -> ClassListing:
        """Order, digits and hidden classes."""
        return self._order.listing

    def list_as(self, listing: ClassListing, *, arranged: Iterable[int]) -> None:
        """Change the order, the digits or which classes are hidden. arranged: those that the user chose a place or a
        digit for, or hid; they stay even without objects.
        """
        if self._may_edit():
            self._order.listing = listing
            self._order.keep_classes(arranged)
            self.reload()
            self._order.keep()

    def reload(self) -> None:
        """Read the classes of the project and their keys again. Raises NoAnswerError."""
        project = self._link.project if self._link is not None else None
        standing = project.ask(lambda stored: stored.categories.by_standing()) if project is not None else ((), (), ())
        listed, offered, deleted = standing
        here = set(self._here()) | ({self.current_id} & {each.id for each in offered} if self._is_needed else set())
        shown = [each for each in (*offered, *deleted) if each.id in here]  # not written yet
        before, listing = self._order.listing, self._order.listing.settled((*listed, *shown))
        self._order.listing = listing
        if before.colours and listing.colours != before.colours:
            self._order.keep()
        self.listed = listing.coloured((*listed, *shown))
        self.offered = tuple(each for each in offered if each.id not in here)
        self.unlisted = tuple(each for each in (*offered, *deleted) if each.id not in here)
        self.changed.emit(self.listed)
        if self.current_id not in {category.id for category in self.listed}:
            self.set_current(self._first())

    def _first(self) -> int:
        """The first class that is not hidden, or if all are, the first; 0 if there is none."""
        shown = [each.id for each in self.listed if each.id not in self.listing.hidden]
        return next(iter([*shown, *(each.id for each in self.listed)]), 0)

    def leave_hidden(self) -> None:
        """Go on with a class that is not hidden, unless an outline of the hidden one is being drawn."""
        if self.current_id in self.listing.hidden and not self.is_drawing():
            self.set_current(self._first())

    @property
    def _is_needed(self) -> bool:
        """Whether the current class is in use before any object has it."""
        return self.is_drawing() or self._picked_id == self.current_id

    def drop_gone(self, ids: Iterable[int]) -> None:
        """The last objects of these classes on the image have gone: leave out those that nothing else needs."""
        if set(ids) - set(self._here()):
            with suppress(NoAnswerError):
                self.reload()

    def pick(self, category_id: int) -> None:
        """Set the class of the next object because the user chose it."""
        self._picked_id = category_id
        self.set_current(category_id)

    def list_also(self, ids: Iterable[int]) -> None:
        """List the classes of objects on the image, if they are not listed yet."""
        missing = set(ids) - {each.id for each in self.listed} - self._nameless
        if missing:
            with suppress(NoAnswerError):  # they get their names when the project answers again
                self.reload()
            self._nameless = missing - {each.id for each in self.listed}

    def set_current(self, category_id: int) -> None:
        """Set the class that the next drawn object gets."""
        if category_id != self.current_id:
            self.current_id = category_id
            self.current_changed.emit(category_id)
