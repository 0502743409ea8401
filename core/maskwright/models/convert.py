"""Converts any kind of model file to a self-describing OpenVINO IR, or to two of them for an assistant."""

import gzip
import logging
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Literal

from maskwright._version import __version__
from maskwright.assist.sam.recognising import SamPair, sam_pair
from maskwright.errors import ModelError
from maskwright.inference.adapters.family import PixelFormat
from maskwright.inference.adapters.pixels import noted_pixels
from maskwright.inference.files import DECODER, ENCODER
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright.inference.model import recognised
from maskwright.inference.runtime import Network, save_graph
from maskwright.models.checkpoint import read_checkpoint
from maskwright.models.yolact_graph import YolactLayout, yolact_graph, yolact_layout
from maskwright.plain_words import in_plain_words
from maskwright.regular_files import open_regular

_MAX_UNPACKED = 4 << 30
_BLOCK = 1 << 20
_MOST_AT_ONCE = 4 << 20


def extract_member(archive: Path, file_name: str, to: Path) -> None:
    """Write the one member called `file_name` (in any folder) of a .tar.gz to the file `to`.

    Raises ModelError for an archive that is damaged, lacks the member or has it twice, holds paths outside its own
    folder, or unpacks to more than 4 GB. Never writes anything but `to`.
    """
    try:
        with open_regular(archive) as file, tarfile.open(fileobj=_Bounded(fileobj=file), mode="r:") as members:
            _copy_member(members, archive, file_name, to)
    except _TooLargeError as error:
        raise ModelError(f"refused: {error}", path=archive) from error
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ModelError(f"not a complete .tar.gz archive: {in_plain_words(error)}", path=archive) from error


class _TooLargeError(Exception):
    """Not one of the exceptions that tarfile takes for the end of an archive."""


class _Bounded(gzip.GzipFile):
    """The unpacked bytes of an archive, a few at a time: tarfile reads names and headers of any size at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= _MOST_AT_ONCE:
            raise _TooLargeError(f"it contains a name or header of {size} bytes")
        return super().read(size)


def _copy_member(members: tarfile.TarFile, archive: Path, file_name: str, to: Path) -> None:
    unpacked, found = 0, 0
    for member in members:
        unpacked += member.size
        if member.size < 0 or unpacked > _MAX_UNPACKED:
            raise ModelError("refused: it unpacks to more than 4 GB", path=archive)
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts:
            raise ModelError(f"refused: it contains a path outside its folder: {member.name}", path=archive)
        if member.isfile() and path.name == file_name:
            found += 1
            source = members.extractfile(member)
            assert source is not None  # only regular files get here
            with source, to.open("wb") as target:
                while block := source.read(_BLOCK):
                    target.write(block)
    if found != 1:
        raise ModelError(f"{found} files called {file_name} in the archive, expected one", path=archive)


_log = logging.getLogger(__name__)

Precision = Literal["f16", "f32"]
FROZEN_GRAPH = "frozen_inference_graph.pb"
FILE_SUFFIXES = (".pth", ".pt", ".pb", ".gz", ".tgz", ".onnx", ".xml")


class FileKind(StrEnum):
    """The detected kind of a file."""

    CHECKPOINT = "PyTorch checkpoint"
    ARCHIVE = "archive of a frozen TensorFlow graph"
    FROZEN_GRAPH = "frozen TensorFlow graph"
    ONNX = "ONNX model"
    IR = "OpenVINO IR"


@dataclass(frozen=True, slots=True)
class ConvertedModel:
    """The new model, and what it was made from."""

    path: Path
    family: str
    kind: FileKind


def file_kind(path: Path) -> FileKind:
    """Detected by content if possible, else by name. Raises ModelError if neither tells."""
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", path=path) from error
    if head.startswith(b"\x1f\x8b"):
        return FileKind.ARCHIVE
    if head.startswith((b"PK\x03\x04", b"\x80\x02")):
        return FileKind.CHECKPOINT
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith((b"<?xml", b"<net")):
        return FileKind.IR
    by_suffix = {
        ".pth": FileKind.CHECKPOINT,
        ".pt": FileKind.CHECKPOINT,
        ".pb": FileKind.FROZEN_GRAPH,
        ".onnx": FileKind.ONNX,
        ".xml": FileKind.IR,
    }
    kind = by_suffix.get(path.suffix.lower())
    if kind is None:
        raise ModelError(
            "not a known kind of model file", path=path, hint="known: .pth, .pb, .tar.gz, .onnx, .xml with .bin"
        )
    return kind


def convert(
    path: Path,
    out_dir: Path,
    *,
    precision: Precision = "f16",
    name: str | None = None,
    pixels: PixelFormat | None = None,
    check: Callable[[], None] | None = None,
) -> ConvertedModel:
    """Write NAME.xml and NAME.bin to `out_dir` (created if missing), with preprocessing, labels and family in the
    metadata.

    precision: of the stored weights; f16 halves the file, the inference precision is the device's choice either way.
    pixels: the pixel format if it is detected wrongly; recorded in the new file. check: called before the files are put
    in place; nothing is left if it raises. Both files appear completely or not at all. Raises ModelError for a file
    that cannot be read, is hostile or of no known family, and for a folder that cannot be written.
    """
    kind = file_kind(path)
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=out_dir) as scratch:
            stem = name or _stem(path)
            made = Path(scratch) / f"{stem}.xml"
            family = _convert_into(path, kind, made, precision, stem, pixels)
            if check is not None:
                check()
            for part in (made.with_suffix(".bin"), made):  # the .xml last: a model exists once its .xml does
                part.replace(out_dir / part.name)
    except OSError as error:
        raise ModelError(f"the converted model cannot be written: {error.strerror}", path=out_dir) from error
    return ConvertedModel(out_dir / f"{stem}.xml", family, kind)


def _convert_into(
    path: Path, kind: FileKind, to: Path, precision: Precision, name: str, pixels: PixelFormat | None
) -> str:
    match kind:
        case FileKind.CHECKPOINT:
            return _convert_checkpoint(path, to, precision, name)
        case FileKind.ARCHIVE:
            graph = to.with_name(FROZEN_GRAPH)
            extract_member(path, FROZEN_GRAPH, graph)
            return _convert_network(graph, to, precision, name, pixels)
        case _:
            return _convert_network(path, to, precision, name, pixels)


def _convert_checkpoint(path: Path, to: Path, precision: Precision, name: str) -> str:
    weights = read_checkpoint(path)
    try:
        layout = yolact_layout(weights)
        graph = yolact_graph(weights, layout)
    except ModelError as error:
        raise ModelError(error.message, path=path) from error
    except (RuntimeError, ValueError, IndexError) as error:
        raise ModelError(f"the weights are inconsistent: {str(error).strip().splitlines()[-1]}", path=path) from error
    save_graph(graph, to, _yolact_notes(layout, name), compresses=precision == "f16")
    return "yolact"


def _yolact_notes(layout: YolactLayout, name: str) -> dict[str, str]:
    notes = {
        "model_type": "yolact",
        "model_name": name,
        "backbone": layout.backbone,
        "color_space": "BGR",
        "resize_type": "standard",
        "converter": f"maskwright {__version__}",
    }
    if layout.classes - 1 == len(COCO_CATEGORIES):
        notes["labels"] = " ".join(category.name.replace(" ", "_") for category in COCO_CATEGORIES)
        notes["category_ids"] = " ".join(str(category.id) for category in COCO_CATEGORIES)
    return notes


def _convert_network(path: Path, to: Path, precision: Precision, name: str, pixels: PixelFormat | None) -> str:
    """Any file that OpenVINO reads itself, if a family recognises it."""
    network = Network(path)
    adapter = recognised(network.interface, path, pixels)
    notes = {"model_type": adapter.family, "model_name": name, "converter": f"maskwright {__version__}"}
    notes |= dict(network.interface.metadata)
    if pixels is not None:
        notes |= noted_pixels(adapter.image_input)
    network.save(to, notes, compresses=precision == "f16")
    return adapter.family


def _stem(path: Path) -> str:
    name = path.name
    for suffix in (".tar.gz", ".tgz", path.suffix):
        if suffix and name.lower().endswith(suffix.lower()):
            name = name[: -len(suffix)]
            break
    return path.resolve().parent.name if name == "frozen_inference_graph" else name


def converted_pair(
    paths: Sequence[Path],
    out_dir: Path,
    *,
    precision: Precision = "f16",
    name: str,
    check: Callable[[], None] | None = None,
) -> ConvertedModel:
    """Write NAME-encoder and NAME-decoder, .xml and .bin, to `out_dir` (created if missing); returns the encoder's.

    paths: in any order. If interrupted, an encoder never appears without its decoder. Raises ModelError if they do not
    fit together, and for a folder that cannot be written; `check` as for `convert`.
    """
    kind = file_kind(paths[0])
    pair = read_pair(paths)
    made = written_pair(pair, out_dir, compresses=precision == "f16", name=name, check=check)
    return ConvertedModel(made, pair.layout.family, kind)


def written_pair(
    pair: SamPair,
    out_dir: Path,
    *,
    compresses: bool,
    name: str,
    notes: Mapping[str, str] | None = None,
    check: Callable[[], None] | None = None,
) -> Path:
    """Both networks as IRs in `out_dir`; returns the encoder's .xml, which is put in place last."""
    own = {"model_type": pair.layout.family, "model_name": name, "converter": f"maskwright {__version__}"}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".converting-", dir=out_dir) as scratch:
            for half, network in ((DECODER, pair.decoder), (ENCODER, pair.encoder)):
                made = Path(scratch) / f"{name}-{half}.xml"
                network.save(made, own | {"half": half} | dict(notes or {}), compresses=compresses)
            if check is not None:
                check()
            for half in (DECODER, ENCODER):
                for suffix in (".bin", ".xml"):
                    part = Path(scratch) / f"{name}-{half}{suffix}"
                    part.replace(out_dir / part.name)
    except OSError as error:
        raise ModelError(f"the converted model cannot be written: {error.strerror}", path=out_dir) from error
    return out_dir / f"{name}-{ENCODER}.xml"


def read_pair(paths: Sequence[Path]) -> SamPair:
    """Raises ModelError if they are not an encoder and a decoder, or one is missing."""
    pair = sam_pair([Network(path) for path in paths])
    if pair is None:
        raise ModelError("not an encoder and decoder of a known kind", path=paths[0])
    return pair
