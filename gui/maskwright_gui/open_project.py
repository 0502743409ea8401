"""The window's access to the open project, without calls that could hang with the project's disk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from maskwright.document.values import ImageRecord, ImageState
from maskwright_gui.workers.executor import Waiting

if TYPE_CHECKING:
    from maskwright.project.runs import Run
    from maskwright.project.store import Project

T = TypeVar("T")


class OpenProject:
    """For the GUI thread: cheap values directly, everything else by `ask`. Other threads use `stored`."""

    def __init__(self, project: "Project", waiting: Waiting) -> None:
        self.stored = project
        """The project itself, for threads that may wait for its disk."""
        self._waiting = waiting

    def ask(self, question: Callable[["Project"], T]) -> T:
        """What `question` returns or raises. It runs in the project's thread, in turn with all other calls.

        Raises NoAnswerError if that takes too long; what was begun may still be done.
        """
        return self._waiting.call(lambda: question(self.stored))

    def record(self, image_id: int) -> ImageRecord:
        """Raises ProjectError if there is no such image, NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.images.record(image_id))

    def state_counts(self) -> dict[ImageState, int]:
        """Number of images in each state; all states are present. Raises NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.images.state_counts())

    def last_run(self) -> "Run | None":
        """The latest batch. Raises NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.runs.last())

    def setting(self, key: str) -> Any:
        """The JSON value stored under `key`; None if there is none. Raises NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.setting(key))

    def set_setting(self, key: str, value: Any) -> None:
        """Raises ProjectError if it cannot be written, NoAnswerError as `ask`."""
        self.ask(lambda stored: stored.set_setting(key, value))

    @property
    def path(self) -> Path:
        """The project's folder."""
        return self.stored.path

    @property
    def name(self) -> str:
        """The name in the window's title."""
        return self.stored.name

    @property
    def mark(self) -> str:
        """Stays the same wherever the project is moved or mounted."""
        return self.stored.mark

    @property
    def image_root(self) -> Path:
        """The folder that the file names of images are relative to."""
        return self.stored.image_root

    def image_path(self, image: ImageRecord) -> Path:
        """The path of its file, which may be missing."""
        return self.stored.image_path(image)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be changed; `read_only_reason` says why."""
        return self.stored.is_read_only

    @property
    def read_only_reason(self) -> str | None:
        """None if the project can be changed."""
        return self.stored.read_only_reason
