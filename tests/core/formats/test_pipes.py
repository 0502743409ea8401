"""A named pipe where a file of a set should be: nobody waits for it."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import maskwright.formats
from format_fuzzing import written_sets
from maskwright.errors import FormatError
from maskwright.formats.registry import FORMATS, recognised


@pytest.fixture
def impatience() -> Iterator[None]:
    """Whoever opens a pipe for reading waits until it is written to, which nobody does: a test would never end."""

    def fail(*_: object) -> None:
        raise AssertionError("it waits for a pipe")

    previous = signal.signal(signal.SIGALRM, fail)
    signal.alarm(120)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.usefixtures("impatience")
@pytest.mark.parametrize("name", [kind.name for kind in FORMATS])
def test_no_reader_waits_for_a_pipe(tmp_path: Path, name: str) -> None:
    kind, path = next((kind, path) for kind, path in written_sets(tmp_path) if kind.name == name)
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    for file in files:
        kept = file.read_bytes()
        file.unlink()
        os.mkfifo(file)
        try:
            recognised(path)
            kind.read(path)
        except FormatError:
            pass
        file.unlink()
        file.write_bytes(kept)


def test_files_are_opened_in_one_way() -> None:
    raw = re.compile(r"\.read_bytes\(\)|\.read_text\(|\.open\(\"rb\"\)|[^_]parse\((?:file|path)\)")
    sources = Path(maskwright.formats.__file__).parent.rglob("*.py")
    assert {source.name for source in sources if raw.search(source.read_text())} == {"atomic.py"}
