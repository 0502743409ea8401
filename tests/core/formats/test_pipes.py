"""A named pipe where a file of a set should be: nobody waits for it."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import maskwright.formats
from format_fuzzing import written_sets
from maskwright.errors import FormatError
from maskwright.formats import atomic
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


@pytest.mark.usefixtures("impatience")
def test_a_pipe_that_nobody_writes_to_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "PIPE_WAIT_S", 0.05)
    os.mkfifo(tmp_path / "p.json")
    with pytest.raises(FormatError, match="nothing has been written to"), atomic.readable_source(tmp_path / "p.json"):
        pass


@pytest.mark.usefixtures("impatience")
def test_a_pipe_whose_writer_takes_its_time_is_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "PIPE_WAIT_S", 0.05)
    pipe = tmp_path / "p.json"
    os.mkfifo(pipe)
    keeper = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # somebody has it open, and writes nothing yet
    begun = threading.Event()

    def write() -> None:
        begun.wait()
        with pipe.open("wb") as stream:
            stream.write(b"{}")
        os.close(keeper)

    real, writer = os.set_blocking, threading.Thread(target=write)
    monkeypatch.setattr(os, "set_blocking", lambda *told: (real(*told), begun.set()))
    writer.start()
    with atomic.readable_source(pipe) as place:
        assert place.read_bytes() == b"{}"
    writer.join()


def test_files_are_opened_in_one_way() -> None:
    raw = re.compile(r"\.read_bytes\(\)|\.read_text\(|\.open\(\"rb\"\)|[^_]parse\((?:file|path)\)")
    sources = Path(maskwright.formats.__file__).parent.rglob("*.py")
    assert {source.name for source in sources if raw.search(source.read_text())} == {"atomic.py"}
