"""A read-only project of an earlier version: migrated in a copy elsewhere, itself untouched."""

import logging
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from maskwright.errors import ProjectError
from maskwright.project.backup import SPARE_BYTES
from maskwright.project.connection import connect
from maskwright.project.database import is_unchanging
from maskwright.project.upgrade import make_tables, require_readable
from maskwright.project.versions import REVISIONS

log = logging.getLogger(__name__)

_TIMES = 2
"""The copy, and the log of the migration."""


class UpgradedCopy:
    """`file`: the copy. Closing deletes it."""

    def __init__(self, original: Path) -> None:
        """Raises ProjectError if there is no room for it, or the original is damaged."""
        self._folder = tempfile.TemporaryDirectory(prefix="maskwright-")
        self.file = Path(self._folder.name) / original.name
        try:
            size = sum(part.stat().st_size for part in original.parent.glob(f"{original.name}*") if part.is_file())
            if shutil.disk_usage(self._folder.name).free < _TIMES * size + SPARE_BYTES:
                raise OSError("there is not enough space on the disk")
            with (
                closing(connect(original, "ro", is_immutable=is_unchanging(original))) as read,
                closing(connect(self.file, "rwc")) as written,
            ):
                read.backup(written)
            make_tables(self.file)
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise ProjectError(
                f"an older version of Maskwright made this project, and it could not be copied to upgrade it: {error}",
                path=original.parent,
                hint="open it once where it can be written; it was not changed",
            ) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Delete the copy."""
        self._folder.cleanup()


def readable_file(file: Path) -> UpgradedCopy | None:
    """For a file that must not be written: a migrated copy if an earlier version made it, None if it can be read
    itself.

    Raises ProjectError if it is missing, damaged, half restored or of a newer version.
    """
    version = require_readable(file)
    if version == REVISIONS[-1]:
        return None
    log.info("%s has schema %s; it is read in a copy of schema %s", file, version, REVISIONS[-1])
    return UpgradedCopy(file)
