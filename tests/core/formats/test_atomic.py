"""A file appears whole or not at all, and only where a file belongs."""

import errno
import io
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from maskwright.errors import FormatError
from maskwright.formats.atomic import atomic_writer, readable_place


def write(path: Path, content: bytes = b"new") -> None:
    with atomic_writer(path) as file:
        file.write(content)


def test_the_file_that_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a").read_bytes() == b"new"


def test_a_link_to_nothing_gets_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    write(tmp_path / "link")
    assert (tmp_path / "later").read_bytes() == b"new"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FormatError):
        write(tmp_path / "a")


def test_a_pipe_gets_the_bytes_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write(tmp_path / "pipe")
    reader.join(10)
    assert got == [b"new"]
    assert (tmp_path / "pipe").is_fifo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["pipe"]


def test_a_device_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/null")
    for place in (Path("/dev/null"), tmp_path / "link"):
        with pytest.raises(FormatError, match="device"):
            write(place)
    assert Path("/dev/null").is_char_device()


def test_a_socket_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s")
        with pytest.raises(FormatError, match="socket"):
            write(tmp_path / "s")


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_standard_output_gets_the_bytes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)
    write(Path(name), b"\xff\x00")
    assert output.buffer.getvalue() == b"\xff\x00"  # type: ignore[attr-defined]  # a BytesIO


def test_nothing_is_sent_down_a_pipe_when_the_writing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)
    with pytest.raises(ZeroDivisionError), atomic_writer(Path("-")) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert output.buffer.getvalue() == b""  # type: ignore[attr-defined]  # a BytesIO


def test_what_goes_to_standard_output_can_be_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", output)
    with readable_place(Path("-")) as place:
        write(place)
        assert place.read_bytes() == b"new"
        assert output.buffer.getvalue() == b""  # type: ignore[attr-defined]  # a BytesIO
    assert output.buffer.getvalue() == b"new"  # type: ignore[attr-defined]  # a BytesIO


def test_a_folder_does_not_go_down_a_pipe() -> None:
    with pytest.raises(FormatError, match="single file"), readable_place(Path("-")) as place:
        place.mkdir()


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="folder"):
        write(tmp_path)


def test_a_temporary_file_that_cannot_be_removed_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(Path, "unlink", fail)
    with atomic_writer(tmp_path / "out.json") as file:
        file.write(b"whole")
    assert (tmp_path / "out.json").read_bytes() == b"whole"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path, umask: int) -> None:
    made = subprocess.run(
        [sys.executable, "-c", _WRITE, str(tmp_path / "out"), str(umask)], env={"PYTHONPATH": str(CORE)}, check=True
    )
    assert made.returncode == 0
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_that_is_replaced_keeps_its_mode_and_is_never_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with atomic_writer(path) as file:
        (part,) = tmp_path.glob(".*.part")
        assert part.stat().st_mode & 0o777 == 0o600
        file.write(b"new")
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (0o600, b"new")


def test_a_name_as_long_as_the_disk_has_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 250)
    with atomic_writer(path) as file:
        file.write(b"x")
    assert path.read_bytes() == b"x"


_WRITE = """
import os, sys
from pathlib import Path
from maskwright.formats.atomic import atomic_writer
os.umask(int(sys.argv[2]))
with atomic_writer(Path(sys.argv[1])) as file:
    file.write(b"x")
"""
CORE = Path(__file__).resolve().parents[3] / "core"
