"""Errors that are the user's or the environment's to fix; every other exception is our bug."""

from collections.abc import Callable, Sequence
from pathlib import Path

from maskwright.plain_text import shown, shown_lines

_MOST_OF_PATH = 4096


class MaskwrightError(Exception):
    """Something a user can act on: `str(error)` is the text to show.

    `path` is the file or folder concerned, `hint` what to do next; both may be missing.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, hint: str | None = None) -> None:
        self.message = shown_lines(message)
        self.path = Path(path) if path is not None else None
        self.hint = hint
        super().__init__(self.message)

    @property
    def reason(self) -> str:
        """The text without the path, for lists in which the file stands beside it."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __str__(self) -> str:
        where = f"{shown(str(self.path), _MOST_OF_PATH)}: " if self.path is not None else ""
        return f"{where}{self.reason}"


class InputError(MaskwrightError, ValueError):
    """An argument that cannot be: a score of 2, an outline without points, a mask of another size."""


UNEXPECTED = "an unexpected error occurred"
"""For a bug of ours, whose own text would mean nothing to a user."""
IN_THE_LOG = "details are in the log"


class ImageError(MaskwrightError):
    """An image that cannot be read: truncated, not an image, too large, not permitted."""


class ModelError(MaskwrightError):
    """A model that cannot be loaded, recognised, compiled or run."""


class PromptError(MaskwrightError):
    """A click, box or outline that an assistant cannot answer: outside the image, without area, of another size."""


class ProjectError(MaskwrightError):
    """A project that cannot be created, opened or written."""


class HalfMadeProjectError(ProjectError):
    """A project whose making was interrupted: nothing is in it, and it may be made again."""


class DamagedProjectError(ProjectError):
    """A project file (`path`) that SQLite cannot make sense of: an earlier copy can be restored."""

    has_rest: bool = True
    """Whether there may be something in the file that `salvage` can take out: it is neither missing nor empty."""


class DamagedRowError(ProjectError):
    """A row of a project that holds what no program of ours writes; `row_id` is its id."""

    def __init__(self, message: str, row_id: int) -> None:
        super().__init__(message, hint="maskwright check lists what is damaged")
        self.row_id = row_id


class ForeignImagesError(ProjectError):
    """A project (`path`) with images in a folder elsewhere (`image_root`) that the user has not been asked about.

    `allow` notes that the user has said yes; the project can be opened then.
    """

    def __init__(self, project: Path, image_root: Path, allow: Callable[[], None]) -> None:
        super().__init__(
            f"this project reads images from {image_root}, which is not next to it",
            path=project,
            hint="maskwright trust PROJECT allows it permanently",
        )
        self.image_root, self.allow = image_root, allow


class LostProjectError(DamagedProjectError):
    """The same without an intact copy: what can be read may be salvaged, or the file set aside to start over."""


class UnfitEditError(ProjectError):
    """An edit that the project can never take as it is: what it starts from is otherwise, or gone."""


class FormatError(MaskwrightError):
    """An annotation file that cannot be read or written."""


class IncompleteError(FormatError):
    """An annotation file of which a part cannot be imported, where all of it was asked for."""

    def __init__(
        self, message: str, *, problems: Sequence[str], path: Path | str | None = None, hint: str | None = None
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(message, path=path, hint=hint)
