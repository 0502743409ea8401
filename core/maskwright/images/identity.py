"""Whether a file is still the one that was read: by size and time, and by content if these leave a doubt."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from maskwright.images.pages import page_source


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file's size and time just before it was read."""

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def now(cls, path: Path) -> "SeenFile":
        """A missing file has the size -1; for a page of a TIFF, the file that contains it counts."""
        source = page_source(path)[0]
        try:
            found = source.stat()
        except OSError:
            return cls(source, -1, 0)
        return cls(source, found.st_size, found.st_mtime_ns)

    def digest(self) -> str | None:
        """SHA-256 of the content in hex; None if the file has changed since or is gone. Takes 1 ms per megabyte."""
        try:
            with self.path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return None
        return content if SeenFile.now(self.path) == self else None
