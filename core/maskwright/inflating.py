"""Decompresses a stranger's data up to a limit: a thousandth of the size may be all there is."""

import zlib


def inflate(data: bytes, most_bytes: int) -> bytes:
    """Raises ValueError for damage and for data that unpacks to more than `most_bytes`; never unpacks more."""
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
