"""Large JSON files in pieces: the top-level keys one after another, long arrays of objects in batches.

orjson is fast but parses only whole documents, and a COCO file of half a gigabyte takes five times that in memory.
Arrays are therefore cut between elements. A cut is assumed first and proved by parsing: inside an element or a string,
the piece would not be valid JSON."""

import gc
import json
import mmap
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from maskwright.errors import FormatError
from maskwright.plain_words import WRITE_AGAIN, in_plain_words, kind_of
from maskwright.regular_files import open_regular, read_regular

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

WINDOW_BYTES = 2 << 20
_TAIL_BYTES = 8 << 20
WHOLE_BYTES = 8 << 20
"""Files up to this size are parsed at once."""

_BLANKS = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_SCALAR = re.compile(rb"[^,\]}\s]+")
_SEPARATOR = re.compile(rb"\}\s*,\s*\{")
_TRIES = 4


def top_level_items(
    path: Path, arrays: Collection[str] = (), *, shortcut: Callable[[str, bytes], Any | None] | None = None
) -> Iterator[tuple[str, Any]]:
    """(key, value) of the JSON object in `path`, in the file's order; values of `arrays` come as batches (lists).

    An array may come in several batches; an empty one comes as one. Raises FormatError with the byte position for a
    file that is not JSON, not UTF-8 or not an object, and for one that cannot be read. NaN and Infinity are accepted.
    `shortcut` sees the elements of an array before they are parsed and may return a replacement for the batch.
    """
    try:
        size = path.stat().st_size
        if size <= WHOLE_BYTES:
            yield from _whole(read_regular(path), path)
            return
        with open_regular(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield from _JsonPieces(data, path, shortcut).items(arrays)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}", path=path) from error


def last_array(path: Path, key: str) -> list[Any] | None:
    """The list under `key` if it is near the end of the file, without reading what precedes it; else None."""
    with open_regular(path) as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    at = tail.rfind(orjson.dumps(key))
    if at < 0:
        return None
    try:
        value = orjson.loads(b"{" + tail[at:])[key]
    except (orjson.JSONDecodeError, KeyError):
        return None
    return value if isinstance(value, list) else None


@contextmanager
def paused_gc() -> Iterator[None]:
    """Pauses garbage collection: with millions of new lists it takes as long as the parser, and none is a cycle."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def parsed(data: bytes, path: Path, *, at: int = 0) -> Any:
    """One JSON value; `at` is the offset of `data` in the file, where a byte order mark may stand at 0.

    Raises FormatError with the position.
    """
    data = data if at else data.removeprefix(_BYTE_ORDER_MARK)
    try:
        with paused_gc():
            return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # slower, but accepts NaN and Infinity and locates the fault
    try:
        value = json.loads(data.decode("utf-8"), parse_int=_whole_number)
        orjson.dumps(value)
        return value
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 at byte {at + error.start}", path=path, hint="save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        position = at + len(error.doc[: error.pos].encode("utf-8", "replace"))
        if not data.strip():
            raise FormatError("the file is empty", path=path, hint=WRITE_AGAIN) from error
        where = f"it is not valid JSON from byte {position:,} on"
        if not at:  # further on, its line numbers would be those of a piece of the file
            where = f"{in_plain_words(error)}, byte {position:,}"
        raise FormatError(where, path=path, hint=WRITE_AGAIN) from error
    except RecursionError as error:
        raise FormatError("not readable: nested too deeply", path=path) from error
    except (ValueError, TypeError) as error:  # half a surrogate pair, or nested deeper than orjson writes
        raise FormatError(f"not readable: {in_plain_words(error)}", path=path) from error


def require_shallow(value: Any, *, deepest: int = 100) -> None:
    """Raises ValueError for lists and objects nested too deeply to be written again."""
    level = [value]
    for _ in range(deepest):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError(f"nested more than {deepest} levels deep")


def _whole_number(text: str) -> int | float:
    """JSON has no limit; files and databases do."""
    return int(text) if len(text) < 19 else float(text)


def _whole(data: bytes, path: Path) -> Iterator[tuple[str, Any]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FormatError("is UTF-16", path=path, hint="save the file as UTF-8")
    value = parsed(data, path)
    if not isinstance(value, dict):
        raise FormatError(f"expected a JSON object, got {kind_of(value)}", path=path)
    yield from value.items()


class ElementBatch(list[Any]):
    """Some elements of an array, with the text they were parsed from."""

    text: bytes = b""

    @classmethod
    def of(cls, text: bytes) -> "ElementBatch":
        """Parse the elements between the brackets of an array."""
        with paused_gc():
            batch = cls(orjson.loads(text))
        batch.text = text
        return batch

    def texts(self) -> list[bytes] | None:
        """The text of each element, byte for byte, if it is easy to find: objects, each on one line."""
        separator = _SEPARATOR.search(self.text)
        if separator is None or b"\n" in self.text.replace(separator.group(), b""):
            return None
        pieces = self.text[2:-2].split(separator.group())
        # A list of objects inside an element has the same separator; then there are more pieces than elements.
        return [b"{%b}" % piece for piece in pieces] if len(pieces) == len(self) else None


class _JsonPieces:
    """A cursor over the bytes of one JSON object."""

    def __init__(
        self, data: mmap.mmap | bytes, path: Path, shortcut: Callable[[str, bytes], Any | None] | None
    ) -> None:
        self._data, self._path, self._shortcut = data, path, shortcut
        self._at = 3 if data[:3] == b"\xef\xbb\xbf" else 0

    def items(self, arrays: Collection[str]) -> Iterator[tuple[str, Any]]:
        """See `top_level_items`."""
        self._take(b"{")
        while self._peek() != b"}":
            string = _STRING.match(self._data, self._at)
            if string is None:
                raise self._error("expected a key")
            key = parsed(string.group(), self._path, at=self._at)
            self._at = string.end()
            self._take(b":")
            if self._peek() == b"[" and key in arrays:
                for batch in self._batches(key):
                    yield key, batch
            else:
                end = self._value_end()
                yield key, parsed(self._data[self._at : end], self._path, at=self._at)
                self._at = end
            if self._peek() != b"}":
                self._take(b",")
        self._take(b"}")
        if self._peek():
            raise self._error("expected the end of the file")

    def _batches(self, key: str) -> Iterator[Any]:
        self._take(b"[")
        if self._peek() == b"]":
            yield []
        while self._peek() != b"]":
            batch = self._trusted_batch(key)
            yield batch if batch is not None else self._scanned_batch()
            if self._peek() != b"]":
                self._take(b",")
        self._take(b"]")

    def _trusted_batch(self, key: str) -> Any | None:
        """A batch up to the last "}, {" in the window that parsing confirms."""
        end = self._at + WINDOW_BYTES
        if end >= len(self._data):
            return None
        for _ in range(_TRIES):
            end = self._boundary_before(end)
            if end <= self._at:
                return None
            text = self._data[self._at : end]
            batch = self._shortcut(key, text) if self._shortcut is not None else None
            if batch is None:
                try:
                    batch = ElementBatch.of(b"[" + text + b"]")
                except orjson.JSONDecodeError:
                    continue
            self._forget_pages(end)
            self._at = end
            return batch
        return None

    def _forget_pages(self, end: int) -> None:
        """Tell the system that pages already read need not stay in memory; it drops them only when it runs short."""
        if isinstance(self._data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            start = self._at - self._at % mmap.PAGESIZE
            self._data.madvise(mmap.MADV_DONTNEED, start, end - start)

    def _boundary_before(self, end: int) -> int:
        """The offset after the last "}" before `end` that a comma and a "{" follow; `self._at` if there is none."""
        while True:
            brace = self._data.rfind(b"{", self._at, end)
            if brace <= self._at:
                return self._at
            before = self._data[max(self._at, brace - 64) : brace].rstrip()
            if before.endswith(b",") and before[:-1].rstrip().endswith(b"}"):
                return self._data.rfind(b"}", self._at, brace) + 1
            end = brace

    def _scanned_batch(self) -> list[Any]:
        """A batch found by counting brackets: up to the array's end, or the last element that ends in the window."""
        depth, cut = 0, self._at
        limit = self._at + WINDOW_BYTES
        for token in _TOKEN.finditer(self._data, self._at):
            match token.group():
                case b"[" | b"{":
                    depth += 1
                case b"]" if depth == 0:
                    cut = token.start()
                    break
                case b"]" | b"}":
                    depth -= 1
                    if depth == 0:
                        cut = token.end()
                        if cut > limit:
                            break
        else:
            raise self._error("the file ends inside a list")
        batch: list[Any] = parsed(b"[" + self._data[self._at : cut] + b"]", self._path, at=self._at - 1)
        self._at = cut
        return batch

    def _value_end(self) -> int:
        if self._peek() not in (b"[", b"{"):
            scalar = _STRING.match(self._data, self._at) or _SCALAR.match(self._data, self._at)
            if scalar is None:
                raise self._error("expected a value")
            return scalar.end()
        depth = 0
        for token in _TOKEN.finditer(self._data, self._at):
            if token.group() in (b"[", b"{"):
                depth += 1
            elif token.group() in (b"]", b"}"):
                depth -= 1
                if depth == 0:
                    return token.end()
        raise self._error("the file ends inside a value")

    def _peek(self) -> bytes:
        blanks = _BLANKS.match(self._data, self._at)
        self._at = blanks.end() if blanks is not None else self._at
        return self._data[self._at : self._at + 1]

    def _take(self, expected: bytes) -> None:
        if self._peek() != expected:
            raise self._error(f"expected {expected.decode()!r}")
        self._at += 1

    def _error(self, message: str) -> FormatError:
        return FormatError(
            f"it is not valid JSON from byte {self._at:,} on: {message}", path=self._path, hint=WRITE_AGAIN
        )
