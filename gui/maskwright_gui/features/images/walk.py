"""Walks from the current image to others in the list."""

import numpy as np

from maskwright.document.values import ImageRecord, ImageStanding, ImageState
from maskwright_gui.panels.image_model import ImageListModel
from maskwright_gui.session import Session

OPEN_STATES = frozenset({ImageState.UNSEEN, ImageState.PRELABELLED, ImageState.IN_PROGRESS})
NEAR_ROWS = 400


def is_open(record: ImageRecord) -> bool:
    """Whether the image still needs work."""
    return record.state in OPEN_STATES and record.standing is ImageStanding.LISTED


class RowWalk:
    """Finds rows of the list, relative to the current one."""

    def __init__(self, session: Session, rows: ImageListModel) -> None:
        self._session, self._rows = session, rows
        self.direction = 1
        """Direction of the last step: 1 or -1."""

    def record(self, offset: int) -> ImageRecord | None:
        """The image that many rows from the current one; None beyond the ends."""
        return self._rows.record(self.row + offset) if self.row is not None else None

    def beside(self, row: int, direction: int) -> int:
        """The next row, skipping images out of the set unless the list has only such; may be beyond either end."""
        target = row + direction
        while self._skips and (record := self._rows.record(target)) and record.standing is not ImageStanding.LISTED:
            target += direction
        return target

    @property
    def _skips(self) -> bool:
        return ImageStanding.LISTED in self._rows.standings

    def next_open_row(self, row: int, direction: int) -> int | None:
        """The next row that is not done; None if all are."""
        near = self._near_open_row(row, direction)
        return near if near is not None else self._far_open_row(row, direction)

    def _near_open_row(self, row: int, direction: int) -> int | None:
        """Search the next few pages of the list, which take a millisecond each."""
        for target in range(row + direction, row + direction * NEAR_ROWS, direction):
            record = self._rows.record(target)
            if record is not None and is_open(record):
                return target
        return None

    def _far_open_row(self, row: int, direction: int) -> int | None:
        """Search all rows: 160 ms for 100,000."""
        project = self._session.project
        if project is None:
            return None
        places = np.flatnonzero(
            np.isin(self._rows.ids, project.ask(lambda stored: stored.images.ids(states=OPEN_STATES)))
        )
        places = places[places > row] if direction > 0 else places[places < row][::-1]
        return int(places[0]) if len(places) else None

    @property
    def row(self) -> int | None:
        """The row of the current image."""
        return self._rows.row_of(self._session.image.id) if self._session.image is not None else None
