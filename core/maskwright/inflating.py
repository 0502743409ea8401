"""Deflated bytes of a stranger, unpacked no further than was agreed: a thousandth of the size may be all there is."""

import zlib


def inflate(data: bytes, most_bytes: int) -> bytes:
    """Raises ValueError for damage, and for what unpacks to more than `most_bytes`; no more than that is unpacked."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, most_bytes)
        if not stream.eof and stream.decompress(stream.unconsumed_tail, 1):
            raise ValueError(f"it unpacks to more than {most_bytes} bytes")
    except zlib.error as error:
        raise ValueError("it cannot be decompressed: the data is damaged") from error
    if not stream.eof:
        raise ValueError("it is truncated")
    return plain
