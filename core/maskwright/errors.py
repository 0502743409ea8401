"""Errors that the user or the environment can fix; every other exception is a bug of ours."""

from collections.abc import Callable, Sequence
from pathlib import Path

from maskwright.words import shown, shown_lines

_MOST_OF_PATH = 4096

NO_FILE, NO_LINKED_FILE = "the file does not exist", "this is a link to a file that does not exist"
"""Why a file that is not there cannot be read."""


class MaskwrightError(Exception):
    """Something that a user can act on: `str(error)` is the message to show.

    `path` is the file or folder in question, `hint` what to do next; both may be missing.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, hint: str | None = None) -> None:
        self.message = shown_lines(message)
        self.path = Path(path) if path is not None else None
        self.hint = hint
        super().__init__(self.message)

    @property
    def reason(self) -> str:
        """The message without the path, for lists that show the file beside it."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __str__(self) -> str:
        where = f"{shown(str(self.path), _MOST_OF_PATH)}: " if self.path is not None else ""
        return f"{where}{self.reason}"


class InputError(MaskwrightError, ValueError):
    """An invalid argument: a score of 2, an outline without points, a mask of the wrong size."""


UNEXPECTED = "an unexpected error occurred"
"""Shown for a bug of ours, whose own message would mean nothing to a user."""
IN_THE_LOG = "details are in the log"


class ImageError(MaskwrightError):
    """An image that cannot be read: truncated, not an image, too large, not permitted."""


class ModelError(MaskwrightError):
    """A model that cannot be loaded, recognised, compiled or run."""


class PromptError(MaskwrightError):
    """A click, box or outline that an assistant cannot use: outside the image, without area, of the wrong size."""


class ProjectError(MaskwrightError):
    """A project that cannot be created, opened or written."""


class HalfMadeProjectError(ProjectError):
    """A project whose creation was interrupted: it is empty and can be created again."""


class DamagedProjectError(ProjectError):
    """A project file (`path`) that SQLite cannot read: an earlier copy can be restored."""

    has_rest: bool = True
    """Whether `salvage` may recover anything from the file: it is neither missing nor empty."""


class DamagedRowError(ProjectError):
    """A row of a project with content that none of our versions writes; `row_id` is its id."""

    def __init__(self, message: str, row_id: int) -> None:
        super().__init__(message, hint="maskwright check lists what is damaged")
        self.row_id = row_id


class ForeignImagesError(ProjectError):
    """A project (`path`) with images in a folder elsewhere (`image_root`) that the user has not confirmed.

    `allow` records the user's consent; the project can then be opened.
    """

    def __init__(self, project: Path, image_root: Path, allow: Callable[[], None]) -> None:
        super().__init__(
            f"this project reads images from {image_root}, which is not next to it",
            path=project,
            hint="maskwright trust PROJECT allows it permanently",
        )
        self.image_root, self.allow = image_root, allow


class LostProjectError(DamagedProjectError):
    """A damaged project without an intact copy: salvage what can be read, or set the file aside to start over."""


class UnfitEditError(ProjectError):
    """An edit that the project can never store: what it starts from has changed or is gone."""


class FormatError(MaskwrightError):
    """An annotation file that cannot be read or written."""


class IncompleteError(FormatError):
    """An annotation file that cannot be imported completely, although that was required."""

    def __init__(
        self, message: str, *, problems: Sequence[str], path: Path | str | None = None, hint: str | None = None
    ) -> None:
        self.problems = tuple(problems)
        super().__init__(message, path=path, hint=hint)
