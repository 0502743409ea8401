"""Maps samples of more than 8 bits to 0..255: the displayed range, found automatically or chosen by a user."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.spool import is_spooled, let_go, room

WINDOW_PERCENTILES = (0.1, 99.9)
"""Samples deeper than 8 bits are stretched so that these percentiles become 0 and 255."""
BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: white, as in viewers and browsers."""
_BAND_SAMPLES = 1 << 20
_MOST_OF_LEVEL_BYTES, _HALVED_ROWS = 64 * 10**6, 128
_MOST_SORTED = 1 << 23
"""If there are more samples than this and they cannot be counted by value, every k-th is used."""


@dataclass(frozen=True, slots=True)
class DisplayWindow:
    """Samples up to `low` are shown as 0, from `high` on as 255."""

    low: float
    high: float


def auto_window(samples: NDArray[Any]) -> DisplayWindow:
    """The WINDOW_PERCENTILES of all finite samples; their whole range if the percentiles coincide."""
    if samples.dtype in (np.uint8, np.uint16):
        return _counted_window(samples)
    some = _every(samples, max(samples.size // _MOST_SORTED, 1))
    finite = some[np.isfinite(some)] if samples.dtype.kind == "f" else some
    if finite.size == 0:
        return DisplayWindow(0.0, 1.0)
    low, high = (float(value) for value in np.percentile(finite, WINDOW_PERCENTILES))
    return DisplayWindow(low, high) if high > low else DisplayWindow(float(finite.min()), float(finite.max()))


def _bands(samples: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """A few rows at a time; the memory of mapped files is released."""
    rows = max(_BAND_SAMPLES // max(int(np.prod(samples.shape[1:])), 1), 1)
    for top in range(0, len(samples), rows):
        yield samples[top : top + rows]
        let_go(samples)


def _every(samples: NDArray[Any], step: int) -> NDArray[Any]:
    """Every `step`-th sample, counted over all rows."""
    found, seen = [], 0
    for band in _bands(samples):
        found.append(band.reshape(-1)[-seen % step :: step].copy())
        seen += band.size
    return np.concatenate(found) if found else samples.reshape(-1)


def _counted_window(samples: NDArray[Any]) -> DisplayWindow:
    """From the histogram, which is exact and needs no second copy of the samples."""
    counts = np.zeros(int(np.iinfo(samples.dtype).max) + 1, np.int64)
    for band in _bands(samples):
        counts += np.bincount(band.reshape(-1), minlength=len(counts))
    upto = np.cumsum(counts)
    if not upto[-1]:
        return DisplayWindow(0.0, 1.0)
    low, high = (_value_at(upto, share / 100 * (int(upto[-1]) - 1)) for share in WINDOW_PERCENTILES)
    if high > low:
        return DisplayWindow(low, high)
    used = np.flatnonzero(counts)
    return DisplayWindow(float(used[0]), float(used[-1]))


def _value_at(upto: NDArray[np.int64], rank: float) -> float:
    """The sample of that rank in sorted order, interpolated linearly (numpy's definition)."""
    below = int(np.searchsorted(upto, int(rank), side="right"))
    above = int(np.searchsorted(upto, int(np.ceil(rank)), side="right"))
    return below + (above - below) * (rank - int(rank))


def windowed(samples: NDArray[Any], window: DisplayWindow) -> NDArray[np.uint8]:
    """(H, W) or (H, W, C) samples of any numeric dtype to uint8 of the same shape; NaN becomes 0.

    In bands of rows: an image of 100 megapixels never exists a second time in floating point.
    """
    shown = np.empty(samples.shape, np.uint8)
    table = _table(window) if samples.dtype == np.uint16 else None
    top = 0
    for band in _bands(samples):
        into = shown[top : top + len(band)]
        if table is not None:
            np.take(table, band, out=into)
        else:
            into[:] = _scaled(band, window)
        top += len(band)
    return shown


def _table(window: DisplayWindow) -> NDArray[np.uint8]:
    """(65536,) the output for each 16-bit value."""
    return _scaled(np.arange(1 << 16, dtype=np.int32), window)


def _scaled(samples: NDArray[Any], window: DisplayWindow) -> NDArray[np.uint8]:
    exact = np.float32 if samples.dtype.itemsize <= 2 or samples.dtype == np.float32 else np.float64
    values: NDArray[Any] = samples.astype(exact)
    if samples.dtype.kind == "f":
        values = np.nan_to_num(values, nan=window.low, posinf=window.high, neginf=window.low)
    width = window.high - window.low
    values = (values - window.low) * (255.0 / width if width > 0 else 0.0)
    return np.asarray(np.rint(values.clip(0, 255)), dtype=np.uint8)


def halved(samples: NDArray[Any]) -> NDArray[Any]:
    """Half the width and height, each sample the mean of four; uint16, int16 or floating point.

    If the samples are in a file (`maskwright.spool`), so is the result.
    """
    size_wh = (max(samples.shape[1] // 2, 1), max(samples.shape[0] // 2, 1))
    if not is_spooled(samples):
        return np.asarray(cv2.resize(samples, size_wh, interpolation=cv2.INTER_AREA))
    small = room((size_wh[1], size_wh[0], *samples.shape[2:]), samples.dtype, _MOST_OF_LEVEL_BYTES)
    for top in range(0, size_wh[1], _HALVED_ROWS):
        into = small[top : top + _HALVED_ROWS]
        band = samples[2 * top : 2 * (top + len(into))]
        into[:] = cv2.resize(band, (size_wh[0], len(into)), interpolation=cv2.INTER_AREA)
        let_go(samples)
        let_go(small)
    return small


def deep_to_bgr(samples: NDArray[Any], window: DisplayWindow | None = None) -> NDArray[np.uint8]:
    """(H, W), (H, W, 1), (H, W, 3) BGR or (H, W, 4) BGRA samples of any depth to (H, W, 3) uint8.

    None for the automatic `window`.
    """
    plane = samples.reshape(samples.shape[:2]) if samples.ndim == 2 or samples.shape[2] == 1 else samples[:, :, :3]
    shown = windowed(plane, window if window is not None else auto_window(plane))
    if shown.ndim == 2:
        return np.asarray(cv2.cvtColor(shown, cv2.COLOR_GRAY2BGR), np.uint8)
    if samples.shape[2] == 4:
        top = 0
        for band in _bands(samples):
            part = shown[top : top + len(band)]
            part[:] = _over_white(part, band[:, :, 3])
            top += len(band)
    return shown


def _over_white(colour: NDArray[np.uint8], alpha: NDArray[Any]) -> NDArray[np.uint8]:
    top = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1.0
    share = (alpha[:, :, None].astype(np.float32) / top).clip(0, 1)
    blended = colour * share + np.array(BACKGROUND, np.float32) * (1 - share)
    return np.asarray(np.rint(blended), dtype=np.uint8)
