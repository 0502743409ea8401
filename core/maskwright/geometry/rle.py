"""Run lengths from foreign files, validated before memory is allocated or C code sees them.

Format: column-major runs, background first. Compressed counts are those of pycocotools (`rleFrString` in
`common/maskApi.c`): base 32 with continuation bits, from the fourth count on as differences to the one before the
previous."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.plain_words import kind_of

MAX_PIXELS = 1 << 28


def rle_counts(counts: Any) -> NDArray[np.int64]:
    """(N,) int64 runs from a compressed string or a list of numbers. Raises ValueError for anything else."""
    if isinstance(counts, str | bytes):
        return _decompressed(counts.encode("ascii") if isinstance(counts, str) else counts)
    if not isinstance(counts, list):
        raise ValueError(f"expected run lengths as a string or a list, got {kind_of(counts)}")
    if not all(isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 1 << 40 for count in counts):
        raise ValueError("expected run lengths that are whole numbers of at least 0")
    return np.array(counts, np.int64)


def counts_to_mask(counts: NDArray[np.int64], size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool. Raises ValueError if the runs do not fill the image exactly or the image is too large."""
    height, width = size_hw
    if height <= 0 or width <= 0 or height * width > MAX_PIXELS:
        raise ValueError(f"expected a size of 1 to {MAX_PIXELS} pixels, got {height} x {width}")
    if len(counts) and (counts.min() < 0 or counts.max() > MAX_PIXELS):
        raise ValueError("expected run lengths from 0 to the number of pixels")
    if int(counts.sum()) != height * width:
        raise ValueError(f"the run lengths add up to {int(counts.sum())}, but the image has {height * width} pixels")
    is_foreground = np.arange(len(counts)) % 2 == 1
    return np.repeat(is_foreground, counts).reshape(width, height).T


def _decompressed(text: bytes) -> NDArray[np.int64]:
    digits = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    if len(digits) and (digits.min() < 0 or digits.max() > 63):
        raise ValueError("expected compressed run lengths, got invalid characters")
    is_last = (digits & 32) == 0
    if len(digits) and not is_last[-1]:
        raise ValueError("the compressed run lengths are truncated")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    lengths = ends - starts + 1
    if len(lengths) and lengths.max() > 8:
        raise ValueError("expected run lengths below 10^12")
    place = 5 * (np.arange(len(digits)) - np.repeat(starts, lengths))
    values = np.add.reduceat((digits & 31) << place, starts) if len(starts) else np.empty(0, np.int64)
    is_negative = (digits[ends] & 16) != 0
    values = values - np.where(is_negative, np.int64(1) << (5 * lengths), 0)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return np.asarray(values)
