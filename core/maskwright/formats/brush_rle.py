"""Label Studio's brush masks: bit-packed run lengths over the bytes of an RGBA image whose alpha is the mask.

The encoding is that of `@thi.ng/rle-pack`, as `label_studio_sdk/converter/brush.py` documents it: 32 bits for the
number of values, 5 for their width minus one, four times 4 for the widths of a run's length minus one. Then packets:
one bit for whether a single value is repeated, two for which of the four widths the length has, then the length minus
one, and the value or values."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_VALUES = 1 << 28
_WIDTHS = (3, 4, 8, 16)
_CHANNELS = 4


def mask_to_brush(mask: NDArray[np.bool_]) -> list[int]:
    """The encoded bytes of an (H, W) mask; set pixels are 255 in all channels."""
    flat = mask.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1 if flat.size else np.empty(0, np.int64)
    starts = [0, *edges.tolist()]
    lengths = np.diff([*starts, flat.size]).tolist()
    bits = [f"{flat.size * _CHANNELS:032b}", f"{8 - 1:05b}", *(f"{width - 1:04b}" for width in _WIDTHS)]
    for start, length in zip(starts, lengths, strict=True):
        bits += _packets(length * _CHANNELS, "11111111" if flat.size and flat[start] else "00000000")
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


def brush_to_mask(data: Sequence[int], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool. Raises ValueError for truncated data or an image of another size."""
    width, height = size_wh
    bits = _Bits(data)
    count, word = bits.take(32), bits.take(5) + 1
    if count != width * height * _CHANNELS or not 0 < count <= MAX_VALUES:
        raise ValueError(f"the brush mask has {count} values, but the image has {width} x {height} pixels")
    widths = [bits.take(4) + 1 for _ in range(4)]
    values = np.zeros(count, np.uint8)
    at = 0
    while at < count:
        is_repeated = bits.take(1)
        length = bits.take(widths[bits.take(2)]) + 1
        end = min(at + length, count)
        if is_repeated:
            values[at:end] = min(bits.take(word), 255)
        else:
            values[at:end] = [min(bits.take(word), 255) for _ in range(at, end)]
        at = end
    return values.reshape(height, width, _CHANNELS)[..., 3] > 0


def _packets(length: int, value: str) -> list[str]:
    packets = []
    while length > 0:
        part = min(length, 1 << _WIDTHS[-1])
        index = next(i for i, width in enumerate(_WIDTHS) if part <= 1 << width)
        packets.append(f"1{index:02b}{part - 1:0{_WIDTHS[index]}b}{value}")
        length -= part
    return packets


class _Bits:
    """Reads bits from a list of bytes."""

    def __init__(self, data: Sequence[int]) -> None:
        if not all(type(byte) is int and 0 <= byte <= 255 for byte in data):
            raise ValueError("expected a brush mask of bytes")
        self._text = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        end = self._at + count
        if end > len(self._text):
            raise ValueError("the brush mask is truncated")
        value = int(self._text[self._at : end], 2)
        self._at = end
        return value
