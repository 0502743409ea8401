"""Small files that ask for much memory: refused by what they declare, before it is taken."""

import gzip
import io
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tiny_checkpoint
from maskwright.errors import ModelError
from maskwright.inference.adapters.resizing import MOST_INPUT_PIXELS, MOST_INPUT_SIDE_PX, NativeSize
from maskwright.models.checkpoint import read_checkpoint
from maskwright.models.convert import extract_member

CORE = Path(__file__).resolve().parents[3] / "core"
READ = """
import resource, sys
from pathlib import Path
from maskwright.errors import ModelError
from maskwright.models.convert import extract_member
from maskwright.models.checkpoint import read_checkpoint
file = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    extract_member(file, "x", file.with_name("out")) if file.suffix == ".gz" else read_checkpoint(file)
except ModelError as error:
    print("refused", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
MAGIC, PROTOCOL, SYSTEM = (pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))


def memo_index() -> bytes:
    """Nine bytes: PROTO 2, NONE, LONG_BINPUT of a huge index, STOP."""
    return b"\x80\x02Nr" + struct.pack("<I", 0x7FFFFFFF) + b"."


def behind_the_header() -> bytes:
    return MAGIC + PROTOCOL + SYSTEM + memo_index()


def text_memo_index() -> bytes:
    return b"Np2147483646\n."


def long_text() -> bytes:
    """A text that claims to be of two gigabytes."""
    return b"\x80\x02X" + struct.pack("<I", 0x7FFFFFFF) + b"abc."


def one_storage_many_tensors() -> bytes:
    """A storage of 250,000 floats and 2,000 tensors that show all of it: 2 GB."""
    shared, out = np.zeros(250_000, np.float32), io.BytesIO()
    one = tiny_checkpoint.tensor("0", shared, "zip")
    names = (pickle.dumps(f"t{i}", 2)[2:-1] for i in range(2000))
    with zipfile.ZipFile(out, "w") as archive:
        state = b"\x80\x02ccollections\nOrderedDict\n)R(" + b"".join(name + one for name in names) + b"u."
        archive.writestr("x/data.pkl", state)
        archive.writestr("x/data/0", shared.tobytes())
    return out.getvalue()


def archive_that_inflates() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("x/data.pkl", pickle.dumps({}, 2))
        with archive.open("x/data/0", "w") as entry:
            for _ in range(400):
                entry.write(bytes(1 << 20))
    return out.getvalue()


HOSTILE: list[Callable[[], bytes]] = [
    memo_index, behind_the_header, text_memo_index, long_text, one_storage_many_tensors, archive_that_inflates,
]  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE)
def test_a_checkpoint_that_asks_for_much_more_than_it_has_is_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    file = tmp_path / "x.pth"
    file.write_bytes(make())
    with pytest.raises(ModelError):
        read_checkpoint(file)
    assert grown_by(file) <= 10 * file.stat().st_size + (20 << 20)


def grown_by(file: Path) -> int:
    """Bytes by which a process of its own grows when it refuses the file."""
    ran = subprocess.run([sys.executable, "-c", READ, str(file)], env={"PYTHONPATH": str(CORE)}, capture_output=True,
                         text=True, check=True)  # fmt: skip
    word, size = ran.stdout.split()
    assert word == "refused"
    return int(size) * 1024


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_an_archive_with_an_endless_name_is_refused(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("././@LongLink")
    entry.type, entry.size = kind, 300 << 20
    file = tmp_path / "x.tar.gz"
    with gzip.open(file, "wb", compresslevel=1) as stream:
        stream.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(300):
            stream.write(bytes(1 << 20))
    with pytest.raises(ModelError, match=r"name or header|not a complete"):
        extract_member(file, "x", tmp_path / "out")
    assert grown_by(file) <= 40 << 20


def test_weights_that_two_names_share_are_read(tmp_path: Path) -> None:
    shared = np.arange(12, dtype=np.float32).reshape(3, 4)
    one = tiny_checkpoint.tensor("0", shared, "zip")
    state = (
        b"\x80\x02ccollections\nOrderedDict\n)R(" + b"".join(pickle.dumps(name, 2)[2:-1] + one for name in "ab") + b"u."
    )
    found = read_checkpoint(tiny_checkpoint.write(tmp_path / "x.pth", state, [shared], "zip"))
    assert np.array_equal(found["a"], shared)
    assert np.array_equal(found["b"], shared)


@pytest.mark.parametrize(
    "size_wh", [(64, 2_228_272), (2_228_272, 64), (12_000, 9_000), (1, 300_000_000), (40_000, 7_000)]
)
def test_an_input_is_bounded_in_area_and_length_and_keeps_the_place_of_everything(size_wh: tuple[int, int]) -> None:
    placed = NativeSize()
    width, height = placed.content_wh(size_wh)
    frame = placed.frame(size_wh)
    assert width * height <= 1.01 * MOST_INPUT_PIXELS
    assert max(width, height) <= MOST_INPUT_SIDE_PX
    inner = np.array(
        [[0, 0, width / placed._input_wh((width, height))[0], height / placed._input_wh((width, height))[1]]]
    )
    assert frame.boxes_to_pixels(inner)[0] == pytest.approx([0, 0, *size_wh], rel=1e-5)


@pytest.mark.parametrize("size_wh", [(6000, 4000), (20_000, 1_500), (1, 1)])
def test_a_photograph_keeps_its_size(size_wh: tuple[int, int]) -> None:
    assert NativeSize().content_wh(size_wh) == size_wh


@pytest.mark.parametrize("factor", [1e9, 50.0])
def test_a_factor_of_a_model_cannot_make_the_input_large(factor: float) -> None:
    width, height = NativeSize(factors=((10**9, factor),)).content_wh((4000, 3000))
    assert width * height <= 1.01 * MOST_INPUT_PIXELS
