"""Reads PyTorch checkpoints without PyTorch and without executing what a pickle says.

A checkpoint is a pickle, and a pickle is a program. This reader knows four names and refuses every other; the results
are plain arrays. Formats: the legacy stream of PyTorch before 1.6 (three header pickles, the state, the list of storage
keys, then each storage as an int64 count and its elements) and the later zip archive (`*/data.pkl` and `*/data/KEY`),
as in torch/serialization.py of either age."""

import io
import math
import pickle
import pickletools
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.plain_words import in_plain_words
from maskwright.regular_files import open_regular

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_MAX_PICKLE = 4 << 20
"""In bytes; YOLACT's has 60,000. One byte of it can request an object of a hundred."""
_MOST_UNPACKED_TIMES, _MOST_SHARED_TIMES = 4, 2
"""Weight archives are not compressed, and hardly any tensor is a view of another's numbers."""
_MAX_CONTENT = 4 << 30
"""In bytes; the largest YOLACT checkpoint has a quarter of a gigabyte."""
_ELEMENT_TYPES: dict[str, np.dtype[Any]] = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("<i1"),
    "ByteStorage": np.dtype("<u1"),
    "BoolStorage": np.dtype("?"),
}
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What unpickling or reading an archive raises for damaged input."""


def read_checkpoint(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a state dict by name, as separate arrays.

    Raises ModelError for a file that is missing, damaged, truncated, not a checkpoint, or that requests anything but
    tensors; nothing in the file is executed.
    """
    try:
        with open_regular(path) as stream:
            state = _read_zip(stream) if zipfile.is_zipfile(stream) else _read_legacy(stream, path.stat().st_size)
            return _tensors(state)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", path=path) from error
    except _Refused as error:
        raise ModelError(str(error), path=path) from error
    except _DAMAGE as error:
        raise ModelError(f"not a complete PyTorch checkpoint: {in_plain_words(error)}", path=path) from error


class _Refused(Exception):  # noqa: N818  # private signal, told to people as a ModelError
    """The file is well formed but requests something unsupported."""


@dataclass
class _Storage:
    """A flat run of numbers, filled in when its bytes are reached."""

    element_type: np.dtype[Any]
    count: int
    elements: NDArray[Any] | None = None


@dataclass
class _Tensor:
    """A view into a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def byte_count(self) -> int:
        """Size of a copy in bytes; 0 for a view that does not fit its storage, which `array` refuses."""
        count = math.prod(size if type(size) is int and size >= 0 else 0 for size in self.shape)
        return count * self.storage.element_type.itemsize if count <= self.storage.count else 0

    def array(self) -> NDArray[Any]:
        """A contiguous copy. Raises ValueError if the view exceeds its storage or repeats elements."""
        elements = self.storage.elements
        if elements is None:
            raise ValueError("a tensor has no data")
        numbers = (self.offset, *self.shape, *self.strides)
        if len(self.shape) != len(self.strides) or not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError(f"a tensor of shape {self.shape} and strides {self.strides}")
        if 0 in self.shape:
            return np.zeros(self.shape, elements.dtype)
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if last >= len(elements) or int(np.prod([float(size) for size in self.shape])) > len(elements):
            raise ValueError(f"a tensor of shape {self.shape} does not fit into its {len(elements)} elements")
        steps = [stride * elements.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(elements[self.offset :], self.shape, steps).copy()


def _rebuilt(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    """Stands in for torch._utils._rebuild_tensor_v2; gradients and hooks are ignored."""
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


@dataclass
class _StateReader:
    """What the pickle of a file may request."""

    storages: dict[str, _Storage] = field(default_factory=dict)

    def load(self, stream: io.BytesIO) -> Any:
        start = stream.tell()
        _require_small_memo(stream)
        stream.seek(start)
        return _Unpickler(stream, self._named, self._persistent).load()

    def _named(self, module: str, name: str) -> Any:
        match module, name:
            case "collections", "OrderedDict":
                return OrderedDict
            case "torch._utils", "_rebuild_tensor_v2":
                return _rebuilt
            case "torch._utils", "_rebuild_parameter":
                return lambda tensor, *_: tensor
            case "torch", kind if kind in _ELEMENT_TYPES:
                return kind
        raise _Refused(f"refused: the file asks for {module}.{name}, which a weights checkpoint does not need")

    def _persistent(self, reference: Any) -> _Storage:
        tag, kind, key, _, count, *view = reference
        if tag != "storage" or any(entry is not None for entry in view):
            raise _Refused("refused: the file contains something other than plain weights")
        if type(count) is not int or not 0 <= count <= _MAX_CONTENT:
            raise ValueError(f"a storage of {count} elements")
        return self.storages.setdefault(str(key), _Storage(_ELEMENT_TYPES[kind], count))


def _require_small_memo(stream: io.BytesIO) -> None:
    """Nine bytes can request a memo of two billion entries, which Python allocates at once."""
    for opcode, argument, _ in pickletools.genops(stream):
        if "PUT" in opcode.name and isinstance(argument, int) and argument > _MAX_PICKLE:
            raise _Refused(f"refused: the file asks for a memo of {argument} entries")


class _Unpickler(pickle.Unpickler):
    """Python's unpickler with both of its hooks restricted."""

    def __init__(
        self, stream: IO[bytes], named: Callable[[str, str], Any], persistent: Callable[[Any], _Storage]
    ) -> None:
        super().__init__(stream, encoding="utf-8")
        self._named, self._persistent = named, persistent

    def find_class(self, module: str, name: str) -> Any:
        return self._named(module, name)

    def persistent_load(self, reference: Any) -> _Storage:
        return self._persistent(reference)


def _read_legacy(stream: IO[bytes], file_size: int) -> Any:
    stream.seek(0)
    reader, head = _StateReader(), io.BytesIO(stream.read(_MAX_PICKLE))
    if reader.load(head) != _LEGACY_MAGIC or reader.load(head) != _LEGACY_PROTOCOL:
        raise ValueError("not in one of PyTorch's two formats")
    if not reader.load(head).get("little_endian", True):
        raise _Refused("refused: written on a big-endian machine")
    state, keys = reader.load(head), reader.load(head)
    stream.seek(head.tell())
    for key in keys:
        storage = reader.storages[str(key)]
        (count,) = struct.unpack("<q", stream.read(8))
        size = storage.count * storage.element_type.itemsize
        if count != storage.count or size > file_size:
            raise ValueError(f"a storage of {count} elements, expected {storage.count}")
        storage.elements = _elements(storage, stream.read(size))
    return state


def _read_zip(stream: IO[bytes]) -> Any:
    with zipfile.ZipFile(stream) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        names = [name for name in entries if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise ValueError(f"{len(names)} files data.pkl in the archive, expected one")
        if entries[names[0]].file_size > _MAX_PICKLE:
            raise _Refused("refused: data.pkl is larger than 4 MB")
        unpacked = sum(entry.file_size for entry in entries.values())
        if unpacked > min(_MAX_CONTENT, _MOST_UNPACKED_TIMES * stream.seek(0, io.SEEK_END) + _MAX_PICKLE):
            raise _Refused(f"refused: the archive unpacks to {unpacked} bytes, many times its size")
        root, reader = names[0].removesuffix("data.pkl"), _StateReader()
        _check_byte_order(archive, f"{root}byteorder")
        state = reader.load(io.BytesIO(archive.read(names[0])))
        for key, storage in reader.storages.items():
            entry = entries[f"{root}data/{key}"]
            if entry.file_size != storage.count * storage.element_type.itemsize:
                raise ValueError(f"storage {key} has {entry.file_size} bytes, expected {storage.count} elements")
            storage.elements = _elements(storage, archive.read(entry))
        return state


def _check_byte_order(archive: zipfile.ZipFile, name: str) -> None:
    if name in archive.namelist() and archive.getinfo(name).file_size < 16 and archive.read(name) != b"little":
        raise _Refused("refused: written on a big-endian machine")


def _elements(storage: _Storage, content: bytes) -> NDArray[Any]:
    elements = np.frombuffer(content, storage.element_type)
    if len(elements) != storage.count:
        raise ValueError(f"the file ends inside a storage of {storage.count} elements")
    return elements


def _tensors(state: Any) -> dict[str, NDArray[Any]]:
    """The arrays of a state dict, including one that a trainer has wrapped or whose names have a prefix."""
    if isinstance(state, Mapping):
        state = next((state[key] for key in ("state_dict", "model") if isinstance(state.get(key), Mapping)), state)
    if not isinstance(state, Mapping) or not any(isinstance(value, _Tensor) for value in state.values()):
        raise ValueError("it contains no named tensors")
    tensors = {str(name).removeprefix("module."): value for name, value in state.items() if isinstance(value, _Tensor)}
    _require_own_numbers(tensors.values())
    return {name: tensor.array() for name, tensor in tensors.items()}


def _require_own_numbers(tensors: Collection[_Tensor]) -> None:
    """Raises _Refused if a few numbers would become many tensors: each gets a copy of its own."""
    storages = {id(tensor.storage): tensor.storage for tensor in tensors}
    held = sum(storage.count * storage.element_type.itemsize for storage in storages.values())
    asked = sum(tensor.byte_count for tensor in tensors)
    if asked > _MOST_SHARED_TIMES * held + _MAX_PICKLE:
        raise _Refused(f"refused: its tensors claim {asked} bytes, but the file holds {held}")
