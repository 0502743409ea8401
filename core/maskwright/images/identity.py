"""Whether a file is still the one that was read: by size and time at once, by content where these are in doubt."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from maskwright.images.pages import page_source


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file as it was when someone was about to read it."""

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def now(cls, path: Path) -> "SeenFile":
        """A file that is not there has the size -1; for the page of a TIFF it is the file that holds it."""
        source = page_source(path)[0]
        try:
            found = source.stat()
        except OSError:
            return cls(source, -1, 0)
        return cls(source, found.st_size, found.st_mtime_ns)

    def digest(self) -> str | None:
        """SHA-256 in hex of its content; None where it has been changed since, or is gone. Costs 1 ms a megabyte."""
        try:
            with self.path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return None
        return content if SeenFile.now(self.path) == self else None
