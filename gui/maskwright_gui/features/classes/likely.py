"""The classes that the user is likely to choose: found there by the model, used recently, or present on the image."""

from collections import Counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from maskwright_gui.session import Session

if TYPE_CHECKING:
    from maskwright.operations.proposing import KnownImage

MOST_RECENT = 12


class LikelyClasses(QObject):
    """Follows the session; leaves out classes that no longer exist."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._recent: list[int] = []
        self._seen: KnownImage | None = None
        session.classes.current_changed.connect(self._note)
        session.project_changed.connect(lambda _project: self._recent.clear())

    def ids(self) -> tuple[int, ...]:
        """The likeliest first, without hidden ones."""
        session = self._session
        known = {each.id for each in session.classes.listed} - session.classes.listing.hidden
        here = Counter(instance.category_id for instance in session.document or ())
        ordered = dict.fromkeys([*self._recent, *(id_ for id_, _ in here.most_common())])
        return tuple(id_ for id_ in ordered if id_ in known)

    def note_seen(self, seen: "KnownImage") -> None:
        """Remember all that the model found on an image, including what scored too low to be proposed."""
        self._seen = seen

    def at(self, box_xyxy: tuple[float, float, float, float]) -> tuple[int, ...]:
        """Classes that the model considers possible for the box on the current image, the likeliest first."""
        document, hidden = self._session.document, self._session.classes.listing.hidden
        if self._seen is None or document is None or self._seen.image_id != document.image_id:
            return ()
        return tuple(id_ for id_ in self._seen.classes_at(box_xyxy) if id_ not in hidden)

    def _note(self, category_id: int) -> None:
        if category_id:
            others = [id_ for id_ in self._recent if id_ != category_id]
            self._recent = [category_id, *others][:MOST_RECENT]
