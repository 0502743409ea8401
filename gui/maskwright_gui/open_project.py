"""The window's way to the open project: never a call that may stand still with the project's disk."""

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
    """For the window's thread: what costs no file, and `ask` for everything else. Other threads take `stored`."""

    def __init__(self, project: "Project", waiting: Waiting) -> None:
        self.stored = project
        """The project itself, for threads that may wait for its disk."""
        self._waiting = waiting

    def ask(self, question: Callable[["Project"], T]) -> T:
        """What `question` returns or raises; it reads or writes in turn with all others, in the project's thread.

        Raises NoAnswerError when that takes too long; what was begun may still be done.
        """
        return self._waiting.call(lambda: question(self.stored))

    def record(self, image_id: int) -> ImageRecord:
        """Raises ProjectError when there is no such image, NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.images.record(image_id))

    def state_counts(self) -> dict[ImageState, int]:
        """Number of images in each state, all states present. Raises NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.images.state_counts())

    def last_run(self) -> "Run | None":
        """The latest batch. Raises NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.runs.last())

    def setting(self, key: str) -> Any:
        """The JSON value stored under `key`; None when there is none. Raises NoAnswerError as `ask`."""
        return self.ask(lambda stored: stored.setting(key))

    def set_setting(self, key: str, value: Any) -> None:
        """Raises ProjectError when it cannot be written, NoAnswerError as `ask`."""
        self.ask(lambda stored: stored.set_setting(key, value))

    @property
    def path(self) -> Path:
        """The project's folder."""
        return self.stored.path

    @property
    def name(self) -> str:
        """As its window is called."""
        return self.stored.name

    @property
    def mark(self) -> str:
        """The same wherever the project is moved or mounted."""
        return self.stored.mark

    @property
    def image_root(self) -> Path:
        """The folder that the file names of images count from."""
        return self.stored.image_root

    def image_path(self, image: ImageRecord) -> Path:
        """Where its file is, or should be."""
        return self.stored.image_path(image)

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be changed; `read_only_reason` says why."""
        return self.stored.is_read_only

    @property
    def read_only_reason(self) -> str | None:
        """None where the project can be changed."""
        return self.stored.read_only_reason
