"""Taking one file out of an archive that came from outside."""

import gzip
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from maskwright.errors import ModelError
from maskwright.regular_files import open_regular

_MAX_UNPACKED = 4 << 30
_BLOCK = 1 << 20
_MOST_AT_ONCE = 4 << 20


def extract_member(archive: Path, file_name: str, to: Path) -> None:
    """Write the one member called `file_name` (whatever its folder) of a .tar.gz to the file `to`.

    Raises ModelError for an archive that is damaged, lacks the member or has it twice, holds paths that leave its own
    folder, or unpacks to more than 4 GB. Nothing but `to` is ever written.
    """
    try:
        with open_regular(archive) as file, tarfile.open(fileobj=_Bounded(fileobj=file), mode="r:") as members:
            _copy_member(members, archive, file_name, to)
    except _TooLargeError as error:
        raise ModelError(f"refused: {error}", path=archive) from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ModelError(f"not a whole .tar.gz archive: {error}", path=archive) from error


class _TooLargeError(Exception):
    """Not one of those that tarfile takes for the end of an archive."""


class _Bounded(gzip.GzipFile):
    """The unpacked bytes of an archive, never many at a time: tarfile reads names and headers whole, of any size."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MOST_AT_ONCE:
            raise _TooLargeError(f"it has a name or header of {size} bytes")
        return super().read(size)


def _copy_member(members: tarfile.TarFile, archive: Path, file_name: str, to: Path) -> None:
    unpacked, found = 0, 0
    for member in members:
        unpacked += member.size
        if member.size < 0 or unpacked > _MAX_UNPACKED:
            raise ModelError("refused: it unpacks to more than 4 GB", path=archive)
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise ModelError(f"refused: it holds a path that leaves its folder: {member.name}", path=archive)
        if member.isfile() and path.name == file_name:
            found += 1
            source = members.extractfile(member)
            assert source is not None  # a regular file
            with source, to.open("wb") as target:
                while block := source.read(_BLOCK):
                    target.write(block)
    if found != 1:
        raise ModelError(f"{found} files called {file_name} in the archive, expected one", path=archive)
