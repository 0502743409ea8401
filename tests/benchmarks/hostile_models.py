"""Model files that were made to harm, and what is done with them."""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hostile_projects import Case, Commands

from project_builders import write_image


def _model(suffix: str, content: Callable[[], bytes]) -> Callable[[Path, Path], Commands]:
    def make(place: Path, home: Path) -> Commands:
        file = place / f"net{suffix}"
        file.write_bytes(content())
        write_image(place / "images" / "a.png")
        commands = [["models", "convert", str(file), str(place / "out.xml")], ["models", "get", str(file)]]
        if suffix in (".xml", ".onnx"):
            out = str(place / "o.json")
            commands.append(["prelabel", str(place / "images"), "--model", str(file), "--out", out])
        return commands

    return make


def _memo() -> bytes:
    return b"\x80\x02Nr" + struct.pack("<I", 0x7FFFFFFF) + b"."


def _runs_a_command() -> bytes:
    return b"\x80\x02cos\nsystem\nX\x08\x00\x00\x00touch /x\x85R."


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", pickle.dumps({}, 2))
        archive.writestr("x/data/0", bytes(500 << 20))
    return out.getvalue()


def _tar(*, name: str = "net.pb", size: int | None = None, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    out = io.BytesIO()
    with gzip.open(out, "wb", compresslevel=1) as stream:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, link
        entry.size = 1 << 30 if size is None else size
        stream.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(min(entry.size, 600 << 20) >> 20):
            stream.write(bytes(1 << 20))
    return out.getvalue()


def _network(layers: str) -> bytes:
    return f'<?xml version="1.0"?><net name="x" version="11"><layers>{layers}</layers><edges/></net>'.encode()


def _parameter(shape: str, kind: str = "f32") -> str:
    ports = "".join(f"<dim>{size}</dim>" for size in shape.split(","))
    return (
        f'<layer id="0" name="image" type="Parameter" version="opset1"><data shape="{shape}" element_type="{kind}"/>'
        f'<output><port id="0" precision="FP32">{ports}</port></output></layer>'
    )


_MODELS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "memo of two thousand million places": (".pth", _memo),
    "pickle that runs a command": (".pth", _runs_a_command),
    "archive that inflates": (".pth", _zip_bomb),
    "empty": (".pth", lambda: b""),
    "deep pickle": (".pth", lambda: b"\x80\x02" + b"]" * 500_000 + b"a" * 499_999 + b"."),
    "tar with a long name": (".tar.gz", lambda: _tar(kind=tarfile.GNUTYPE_LONGNAME)),
    "tar with a path outside": (".tar.gz", lambda: _tar(name="../../home/x.pb", size=10)),
    "tar with a link": (".tar.gz", lambda: _tar(name="frozen_inference_graph.pb", size=0, kind=b"2", link="/etc/passwd")),  # noqa: E501
    "tar with a graph of a gigabyte": (".tar.gz", lambda: _tar(name="x/frozen_inference_graph.pb")),
    "gzip in gzip": (".tar.gz", lambda: gzip.compress(gzip.compress(bytes(300 << 20)))),
    "graph of nothing": (".pb", lambda: b"\x0a\xff\xff\xff\xff\x7f"),
    "random graph": (".pb", lambda: np.random.default_rng(0).bytes(5000)),
    "random onnx": (".onnx", lambda: np.random.default_rng(1).bytes(5000)),
    "IR of a huge input": (".xml", lambda: _network(_parameter("1,3,200000,200000"))),
    "IR of a negative input": (".xml", lambda: _network(_parameter("1,3,-5,-7"))),
    "IR with entities": (".xml", lambda: (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "' + b"a" * 1000 + b'">'
                         + b"".join(b'<!ENTITY a%d "%s">' % (i, b"&a%s;" % (b"%d" % (i - 1) if i else b"") * 10) for i in range(9))  # noqa: E501
                         + b"]><net>&a8;</net>")),
    "IR that is cut": (".xml", lambda: _network(_parameter("1,3,64,64"))[:200]),
}  # fmt: skip


MODELS = tuple(Case(f"model: {name}", _model(suffix, content)) for name, (suffix, content) in _MODELS.items())
