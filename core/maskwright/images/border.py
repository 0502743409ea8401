"""The error boundary around decoders: whatever they raise is reported as the file's fault.

For damaged files Pillow, tifffile and OpenCV raise almost anything (RuntimeError, OverflowError, ZeroDivisionError,
zlib.error, their own warnings where these are errors); no list of types is ever complete, and one file with an unlisted
error would end a scan or batch of thousands."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from PIL import Image

from maskwright.errors import NO_FILE, NO_LINKED_FILE, ImageError, MaskwrightError
from maskwright.regular_files import open_regular

log = logging.getLogger(__name__)

Explain = Callable[[Exception], str]
"""Explains a decoder's exception in plain words."""


class _PassingError(BaseException):
    """Raised by a watcher, not by a decoder; no `except Exception` on the way takes it for damage."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def let_through(watcher: Callable[..., None] | None) -> Callable[..., None] | None:
    """`watcher`, with its own exceptions passing through `decoding` unchanged."""
    if watcher is None:
        return None

    def told(*arguments: Any) -> None:
        try:
            watcher(*arguments)
        except Exception as error:  # noqa: BLE001  (raised again outside)
            raise _PassingError(error) from None

    return told


@contextmanager
def decoding(path: Path, explain: Explain, kind: type[MaskwrightError] = ImageError) -> Iterator[None]:
    """Turns any `Exception` in the block into `kind`, with the file and the reason."""
    try:
        yield
    except _PassingError as passing:
        raise passing.error from None
    except MaskwrightError:
        raise
    except MemoryError as error:
        raise kind("there is not enough memory to decode it", path=path) from error
    except Exception as error:  # the boundary
        raise kind(explain(error), path=path) from error


@contextmanager
def opened(source: Path, path: Path) -> Iterator[IO[bytes]]:
    """`source`, a regular file, opened for reading; an ImageError names it `path`."""
    try:
        with open_regular(source) as file:
            yield file
    except OSError as error:
        raise ImageError(os_reason(error, path), path=path) from error


def os_reason(error: OSError, path: Path | None = None) -> str:
    """The operating system's reason why a file cannot be read, in plain words."""
    match error:
        case FileNotFoundError() if path is not None and path.is_symlink():
            return NO_LINKED_FILE
        case FileNotFoundError():
            return NO_FILE
        case PermissionError():
            return "no permission to read this file"
        case IsADirectoryError():
            return "this is a folder, not an image"
        case _:
            return f"the file cannot be read: {error.strerror or error}"


def damage_reason(what: str, error: Exception) -> str:
    """`what` names the data, such as "PNG"."""
    if isinstance(error, OSError) and error.errno is not None:
        return os_reason(error)
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"the {what} image has more pixels than its decoder can handle at once"
    text = str(error)
    if "truncated" in text or "not enough image data" in text or isinstance(error, EOFError):
        return f"the {what} file is truncated: part of the picture is missing"
    log.info("%s data: %s", what, text or type(error).__name__)  # the decoder's own message helps only developers
    return f"the {what} data is damaged"
