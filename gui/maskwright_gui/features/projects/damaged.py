"""What to do with a damaged project file: recover what can be read, restore an earlier copy, or start over."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from maskwright.errors import DamagedProjectError, LostProjectError
from maskwright.monitor import Monitor
from maskwright.words import count_of
from maskwright_gui.messages import Message
from maskwright_gui.operation import Work

if TYPE_CHECKING:
    from maskwright.project.salvage import Salvaged

SALVAGE, RESTORE, ANEW = "Recover what can be read", "Restore the latest copy", "Start over"


class RunOperation(Protocol):
    """Starts an operation; `complaint`: what to tell the user if it fails."""

    def __call__(self, work: Work, on_done: Callable[..., object], complaint: str, /) -> None: ...


class DamagedProjects:
    """Recovers or replaces damaged projects; the damaged file is always kept."""

    def __init__(
        self, run: RunOperation, tell: Callable[[Message], object], open_path: Callable[[Path], object]
    ) -> None:
        self._run, self._tell, self._open_path = run, tell, open_path
        self._outcome: Message | None = None

    def message(self, complaint: str, error: DamagedProjectError, file: Path) -> Message:
        """What is wrong, and the choices. What can be read may be more than a copy has, or less."""
        detail = f"{file}: {error.message}. The damaged file is kept whatever you choose."
        is_lost = isinstance(error, LostProjectError)
        way, work = (ANEW, self.start_anew) if is_lost else (RESTORE, self.restore)
        message = Message(complaint, detail, "error", way, partial(work, file))
        return replace(message, other_text=SALVAGE, other=partial(self.salvage, file)) if error.has_rest else message

    def tell_outcome(self) -> None:
        """Tell how the recovery went, once the project is open."""
        if self._outcome is not None:
            outcome, self._outcome = self._outcome, None
            self._tell(outcome)

    def salvage(self, file: Path) -> None:
        """Recover what can be read, and open that."""

        def take_out(progress: Monitor) -> "Salvaged":
            from maskwright.project.salvage import salvage

            return salvage(file, progress)

        self._run(take_out, partial(self._on_taken_out, file), "Nothing was recovered")

    def start_anew(self, file: Path) -> None:
        """Set the file aside if there is no copy of it; its image folder becomes a new project."""

        def put_away(progress: Monitor) -> Path:
            from maskwright.project.anew import set_aside

            progress.report(0, None, "Setting the damaged project aside")
            return set_aside(file)

        self._run(put_away, partial(self._on_put_away, file), "The project was not set aside")

    def restore(self, file: Path) -> None:
        """Put the newest intact copy in its place, and open that."""

        def put_back(progress: Monitor) -> Path:
            from maskwright.project.restoring import restore_newest

            progress.report(0, None, "Restoring a copy")
            return restore_newest(file)

        self._run(put_back, partial(self._on_restored, file), "No copy was restored")

    def _on_taken_out(self, file: Path, found: "Salvaged") -> None:
        counts = f"{count_of(found.objects, 'object')} on {count_of(found.images, 'image')} recovered"
        detail = f"The project continues with them. The damaged file is kept as {found.kept}"
        self._outcome = Message(counts, detail, "warning", stays=True)
        self._open_path(file)

    def _on_put_away(self, file: Path, kept: Path) -> None:
        from maskwright.project.store import INSIDE_IMAGES

        is_inside = file.parent.name == INSIDE_IMAGES
        told = f"{kept}. " + ("" if is_inside else "Open its image folder to start over.")
        self._tell(Message("The damaged project is set aside", told))
        if is_inside:
            self._open_path(file.parent.parent)

    def _on_restored(self, file: Path, copy: Path) -> None:
        self._tell(Message("An earlier copy was restored", f"{copy.name}. The damaged file is kept next to it."))
        self._open_path(file)
