"""Responses from untrusted servers: limits on their duration and on what they unpack to."""

import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any

import httpx

from maskwright.plain_words import in_plain_words

_BLOCK = 1 << 18


class LateAnswerError(httpx.ReadTimeout):
    """A response that did not begin in time; its text is ours and shown to users."""


class PackedAnswerError(httpx.DecodingError):
    """A response that is damaged or compressed in an unsupported way; its text is ours."""


class Pace:
    """Checks the transfer rate: at least `least` bytes in each `seconds`."""

    def __init__(self, seconds: float, least: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._least, self._clock = seconds, least, clock
        self._begin, self._come = clock(), 0

    def is_too_slow(self, count: int) -> bool:
        """`count`: bytes received since the previous call."""
        self._come += count
        now = self._clock()
        if now - self._begin < self._seconds:
            return False
        is_slow = self._come < self._least
        self._begin, self._come = now, 0
        return is_slow


@contextmanager
def answering_within(seconds: float) -> Iterator[dict[str, Any]]:
    """Extensions for an httpx request whose response must begin within the block; else its connection is closed.

    A timeout of httpx restarts with every byte. Closing raises httpx.HTTPError in the request. Connections are found
    through httpcore's trace extension (httpcore documentation, "Request extensions").
    """
    streams: list[Any] = []
    is_late = False

    def cut() -> None:
        nonlocal is_late
        is_late = True
        for stream in streams:
            with suppress(OSError, AttributeError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def on_event(name: str, info: dict[str, Any]) -> None:
        if name in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            streams.append(info["return_value"])
            if is_late:
                cut()

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield {"trace": on_event}
    except httpx.HTTPError as error:
        if not is_late:
            raise
        raise LateAnswerError(f"no answer in {seconds:g} s") from error
    finally:
        timer.cancel()


def unpacked(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Decompresses content that was compressed although not requested, a bounded piece at a time: a byte may hold a
    thousand.

    Raises httpx.DecodingError for damage and for encodings other than gzip and deflate.
    """
    if encoding == "identity":
        yield from blocks
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise PackedAnswerError(f"it is sent compressed as {encoding[:40]!r}")
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either one, as its first bytes say
    try:
        for block in blocks:
            while block and not stream.eof:
                yield stream.decompress(block, _BLOCK)
                block = stream.unconsumed_tail
    except zlib.error as error:
        raise PackedAnswerError(f"it cannot be decompressed: {in_plain_words(error)}") from error
