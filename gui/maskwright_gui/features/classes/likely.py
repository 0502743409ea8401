"""Which classes a user is likely to mean next: those used last, then those that the image has."""

from collections import Counter

from PySide6.QtCore import QObject

from maskwright_gui.session import Session

MOST_RECENT = 12


class LikelyClasses(QObject):
    """Follows the session; says nothing of what no longer is a class."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._recent: list[int] = []
        session.classes.current_changed.connect(self._note)
        session.project_changed.connect(lambda _project: self._recent.clear())

    def ids(self) -> tuple[int, ...]:
        """The likeliest first; hidden ones are left out."""
        session = self._session
        known = {each.id for each in session.classes.listed} - session.classes.listing.hidden
        here = Counter(instance.category_id for instance in session.document or ())
        ordered = dict.fromkeys([*self._recent, *(id_ for id_, _ in here.most_common())])
        return tuple(id_ for id_ in ordered if id_ in known)

    def _note(self, category_id: int) -> None:
        if category_id:
            others = [id_ for id_ in self._recent if id_ != category_id]
            self._recent = [category_id, *others][:MOST_RECENT]
