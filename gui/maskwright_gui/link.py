"""What stands between the window and one open project: who writes, who reads, who reads ahead, who hands out ids."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from maskwright.inference.candidate_cache import CandidateCache
from maskwright_gui.reading import ImageReader, LeftImages
from maskwright_gui.workers.ending import end_and_delete, left_behind, wait_for
from maskwright_gui.workers.ids import IdSupply
from maskwright_gui.workers.lane import FolderProbe, Waiting, answering
from maskwright_gui.workers.read_ahead import ReadAhead
from maskwright_gui.workers.writer import EditWriter

if TYPE_CHECKING:
    from maskwright.project.store import Project

SAVE_S = 5.0
"""How long the window may stand still for the last edits to be written, on a folder that answers."""


class ProjectLink:
    """Owns a project from its opening to its closing; a folder that hangs holds up neither."""

    def __init__(self, project: "Project", parent: QObject) -> None:
        self.waiting = Waiting(FolderProbe(project.path))
        self.project = project = answering(project, self.waiting)
        self.ids = IdSupply(lambda count: project.reserve_instance_ids(count), self.waiting)
        self.cache = CandidateCache.of_project(project.path)
        """Candidates of the project's images."""
        self.writer = EditWriter(project, parent)
        self.ahead = ReadAhead(project, parent)
        self.left = LeftImages()
        self.reader = ImageReader(project, self.writer, self.ahead)

    def start(self) -> None:
        """Once whoever wants to hear of it is connected."""
        if not self.project.is_read_only:
            self.ids.fill()
        self.ahead.start()
        self.writer.start()

    def save(self) -> bool:
        """Try again what could not be written; True when nothing waits. Returns at once where the folder hangs."""
        return self.writer.flush(SAVE_S, is_hopeless=self._hangs)

    def stop(self) -> None:
        """Write what can be written; then nothing reads or writes any more."""
        for worker in (self.writer, self.ahead):
            worker.stop()
            end_and_delete(worker)

    def close(self) -> None:
        """Give the project back when nobody uses it any more; the window waits for that only where all is well."""
        hanging = left_behind()

        def close() -> None:
            for thread in hanging:
                thread.wait()
            self.project.close()

        call = self.waiting.lane.post(close)
        self.waiting.close()
        if not hanging and not self.waiting.hangs:
            wait_for(call.ended.wait)

    def _hangs(self) -> bool:
        """Whether the folder does not answer; asks it, so that this is known next time."""
        self.waiting.ask()
        return self.waiting.hangs
