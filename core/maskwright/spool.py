"""Arrays too large for memory, mapped to an unnamed file: only the parts in use take memory.

16-bit colour at 108 megapixels is 648 MB, of which the window needs only the values under the pointer."""

import logging
import mmap
import os
import shutil
import tempfile
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

log = logging.getLogger(__name__)

MOST_IN_MEMORY_BYTES = 300 * 10**6
"""Bytes of samples; 108 megapixels of 16-bit grey are less."""
_SPARE_BYTES = 10**9
"""Disk space to leave free."""


def room(shape: tuple[int, ...], dtype: np.dtype[Any], most_bytes: int | None = None) -> NDArray[Any]:
    """Zeros, in memory up to `most_bytes` (None: MOST_IN_MEMORY_BYTES), or if the disk has no room."""
    byte_count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if byte_count <= (MOST_IN_MEMORY_BYTES if most_bytes is None else most_bytes):
        return np.zeros(shape, dtype)
    try:
        return _mapped(shape, dtype, byte_count)
    except OSError as error:
        log.info("%s bytes of samples stay in memory: %s", byte_count, error)
        return np.zeros(shape, dtype)


def is_spooled(array: NDArray[Any]) -> bool:
    """Whether the array is mapped to a file."""
    return _map_of(array) is not None


def let_go(array: NDArray[Any]) -> None:
    """Release the memory used for reading or writing the array, or its base; the file keeps the values."""
    mapped = _map_of(array)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _mapped(shape: tuple[int, ...], dtype: np.dtype[Any], byte_count: int) -> NDArray[Any]:
    """Raises OSError. The file is allocated before it is mapped: a full disk would otherwise kill the process."""
    folder = platformdirs.user_cache_path("maskwright") / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < byte_count + _SPARE_BYTES:
        raise OSError("the disk is nearly full")
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, byte_count)
        return np.memmap(file, dtype, mode="r+", shape=shape)


def _map_of(array: NDArray[Any]) -> mmap.mmap | None:
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
