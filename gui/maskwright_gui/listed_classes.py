"""How the open project lists its classes, and that it is kept with the project."""

from contextlib import suppress

from maskwright.document.class_listing import ClassListing
from maskwright.errors import MaskwrightError
from maskwright_gui.link import ProjectLink

CLASS_KEYS_SETTING, CLASS_LIST_SETTING = "window.class_keys", "window.class_list"


class ListedClasses:
    """The listing in force; what a project does not say yet is decided once and kept when it is closed."""

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
