"""Keeps what cannot be written to the project in a rescue copy on this computer, beside the GUI thread."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskwright.errors import MaskwrightError
from maskwright_gui.workers.executor import Executor

if TYPE_CHECKING:
    from maskwright_gui.workers.writer import PendingEdit

KEEP_S = 5.0
"""How long a window that closes waits for its rescue copy."""


class RescueKeeper:
    """One project's rescue copy: written whenever what waits is another than before, gone when nothing waits."""

    def __init__(self, project: Path, mark: str) -> None:
        self._project, self._mark = project, mark
        self._executor = Executor()
        self._file: Path | None = None
        self._is_for_good = False
        self._wanted: tuple[PendingEdit, ...] = ()
        self._written: tuple[PendingEdit, ...] = ()
        self._rows: dict[int, dict[str, Any]] = {}
        """By the `id` of an edit: each is packed once."""
        self.kept = 0
        """Edits in the copy."""
        self.failure = ""
        """Why there is no copy; empty while there is one or none is needed."""

    def keep(self, edits: "Sequence[PendingEdit]") -> None:
        """These, and no others, from soon on; returns at once."""
        if self._is_for_good or self._executor.busy_s:
            return
        self._wanted = tuple(edits)
        if not _same(self._wanted, self._written):
            self._executor.post(self._write)

    def keep_for_good(self, edits: "Sequence[PendingEdit]") -> str:
        """These, also when the project is closed; why that did not work, or an empty text."""
        self._is_for_good, self._wanted = True, tuple(edits)
        if not self._executor.post(self._write).ended.wait(KEEP_S):
            return "the disk with the person's data does not answer"
        return self.failure

    def close(self) -> None:
        """The copy goes, unless it was kept for good."""
        if not self._is_for_good and self._file is not None:
            self._wanted = ()
            self._executor.post(self._write).ended.wait(KEEP_S)
        self._executor.close()

    def _write(self) -> None:
        """On the executor."""
        from maskwright.project.rescue import rescue_file, write_rescue

        wanted = self._wanted
        rows = {id(edit): self._rows.get(id(edit)) or _packed(edit) for edit in wanted}
        try:
            if self._file is None:
                self._file = rescue_file(self._project, self._mark)
            write_rescue(self._file, self._project, [row for row in rows.values() if row])
        except MaskwrightError as error:
            self.failure, self.kept = error.reason, 0
        else:
            self.failure, self.kept, self._written, self._rows = "", len(wanted), wanted, rows


def _same(some: "Sequence[PendingEdit]", others: "Sequence[PendingEdit]") -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def _packed(edit: "PendingEdit") -> dict[str, Any]:
    """Empty for proposals of a model, which can make them again."""
    from maskwright.project.rescue import RescuedEdit, edit_to_json

    if edit.change is None and edit.state is None:
        return {}
    return edit_to_json(RescuedEdit(edit.image_id, edit.label, edit.kind, edit.change, edit.state))
