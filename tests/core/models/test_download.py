"""Downloads against a server on this machine that behaves as badly as the world does."""

import gzip
import hashlib
import itertools
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from maskwright.errors import ModelError
from maskwright.models.catalog import CardFile
from maskwright.models.download import DownloadCancelledError, Patience, download
from maskwright.models.transfer import Pace, unpacked

CONTENT = np.random.default_rng(0).bytes(1_000_000)
IMPATIENT = Patience(connect_s=2, stall_s=0.3, retry_s=0.01)


@dataclass
class Server:
    """Answers each path with the behaviour registered for it; keeps the ranges asked for."""

    url: str
    behaviours: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def file(self, *paths: str, content: bytes = CONTENT) -> CardFile:
        checksum = hashlib.sha384(content).hexdigest()
        return CardFile("net.pth", len(content), checksum, tuple(f"{self.url}{path}" for path in paths))


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.ranges.append(self.headers.get("Range"))
            known.behaviours[self.path](self)

        def do_HEAD(self) -> None:
            known.behaviours[self.path](self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    known = Server(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield known
    known.is_over.set()
    listener.shutdown()
    listener.server_close()
    thread.join()


def sends(
    content: bytes = CONTENT, *, does_ranges: bool = True, stops_after: int | None = None, says_length: bool = True
) -> Callable[..., None]:
    """Serve `content`, from the start that was asked for, breaking off after some bytes of each answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range") if does_ranges else None
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        handler.send_response(206 if wanted else 200)
        if wanted:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if says_length:
            handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(content[start:][:stops_after])

    return answer


def test_a_file_arrives_whole_with_progress(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends()
    seen: list[tuple[int, int]] = []
    path = download(server.file("/net"), tmp_path / "a" / "net.pth", on_progress=lambda *p: seen.append(p))
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [entry.name for entry in path.parent.iterdir()] == ["net.pth"]


def test_what_is_there_and_right_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(CONTENT)
    download(server.file("/never"), tmp_path / "net.pth")
    assert server.ranges == []


def unsized(server: Server, content: bytes = CONTENT) -> CardFile:
    """Of which only the SHA-256 was published."""
    return CardFile("net.onnx", 0, "", (f"{server.url}/net",), hashlib.sha256(content).hexdigest())


def test_a_file_of_unknown_size_is_taken_by_its_checksum(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends(stops_after=400_000)
    told: list[tuple[int, int]] = []
    path = download(
        unsized(server), tmp_path / "net.onnx", on_progress=lambda *seen: told.append(seen), patience=IMPATIENT
    )
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_wrong_bytes_of_unknown_size_are_refused(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends()
    with pytest.raises(ModelError, match="wrong checksum"):
        download(unsized(server, b"something else"), tmp_path / "net.onnx", patience=IMPATIENT)
    assert list(tmp_path.iterdir()) == []


def test_an_answer_of_unknown_length_is_not_begun(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends(says_length=False)
    with pytest.raises(ModelError, match="the server reports 0 bytes"):
        download(unsized(server), tmp_path / "net.onnx", patience=IMPATIENT)
    assert server.ranges == []


def test_a_truncated_answer_is_resumed(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends(stops_after=400_000)
    path = download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=400000-", "bytes=800000-"]


def test_a_line_that_keeps_breaking_brings_the_file_in_the_end(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends(stops_after=100_000)
    assert download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT).read_bytes() == CONTENT
    assert len(server.ranges) == 10


def test_a_line_that_brings_next_to_nothing_is_given_up(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends(stops_after=1000)
    with pytest.raises(ModelError, match=r"net\.pth could not be downloaded"):
        download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert len(server.ranges) == 4


def test_a_page_in_place_of_the_file_is_not_taken_for_a_part_of_it(server: Server, tmp_path: Path) -> None:
    """Networks of hotels and firms answer everything with a page that asks to log in."""
    server.behaviours["/net"] = sends(b"<html>log in</html>")
    with pytest.raises(ModelError, match="the server offers another file: 19 bytes, expected 1000000"):
        download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert list(tmp_path.iterdir()) == []


def test_a_partial_file_of_an_earlier_run_is_resumed(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(CONTENT[:123_456])
    server.behaviours["/net"] = sends()
    download(server.file("/net"), tmp_path / "net.pth")
    assert server.ranges == ["bytes=123456-"]


def test_a_server_without_ranges_starts_over(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(CONTENT[:1000])
    server.behaviours["/net"] = sends(does_ranges=False)
    assert download(server.file("/net"), tmp_path / "net.pth").read_bytes() == CONTENT


def test_a_partial_file_of_something_else_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    (tmp_path / "net.pth.part").write_bytes(bytes(5000))
    server.behaviours["/net"] = sends()
    assert download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT).read_bytes() == CONTENT


def test_a_stalling_server_gives_way_to_the_next_address(server: Server, tmp_path: Path) -> None:
    def stalls(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.flush()
        server.is_over.wait(20)

    server.behaviours |= {"/slow": stalls, "/net": sends()}
    path = download(server.file("/slow", "/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert path.read_bytes() == CONTENT


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    def moved(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/net")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.behaviours |= {"/old": moved, "/net": sends()}
    assert download(server.file("/old"), tmp_path / "net.pth").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(b"x" + CONTENT[1:], id="same size"),
        pytest.param(CONTENT + b"more", id="too long"),
    ],
)
def test_wrong_bytes_are_refused_and_nothing_is_left(server: Server, tmp_path: Path, wrong: bytes) -> None:
    server.behaviours["/net"] = sends(wrong, says_length=False)
    with pytest.raises(ModelError, match=r"net\.pth could not be downloaded: 127\.0\.0\.1: .*wrong checksum"):
        download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_said_at_once(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = lambda handler: handler.send_error(404)
    with pytest.raises(ModelError, match="answered 404"):
        download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert len(server.ranges) == 1


def test_no_server_at_all_is_an_error_with_the_offline_route(tmp_path: Path) -> None:
    file = CardFile("net.pth", 3, hashlib.sha384(b"abc").hexdigest(), ("http://127.0.0.1:9/net",))
    with pytest.raises(ModelError, match="maskwright models get FILE"):
        download(file, tmp_path / "net.pth", patience=IMPATIENT)


def test_cancelling_keeps_what_has_arrived(server: Server, tmp_path: Path) -> None:
    server.behaviours["/net"] = sends()
    cancel = threading.Event()
    with pytest.raises(DownloadCancelledError):
        download(server.file("/net"), tmp_path / "net.pth", on_progress=lambda *_: cancel.set(), cancel=cancel)
    arrived = (tmp_path / "net.pth.part").read_bytes()
    assert arrived
    assert CONTENT.startswith(arrived)
    assert not (tmp_path / "net.pth").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    file = CardFile("net.pth", 3, hashlib.sha384(b"abc").hexdigest(), ("http://127.0.0.1:9/net",))
    with pytest.raises(ModelError, match="cannot be written"):
        download(file, tmp_path / "taken" / "net.pth")


def drips(head: bytes, drop: bytes, over: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    """Sends `head`, then a drop every hundredth of a second, for ever."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        while not over.wait(0.01):
            try:
                handler.wfile.write(drop)
            except OSError:
                return

    return answer


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n", "less than 64 kB in 0.2 s"),
        (b"HTTP/1.0 200 OK\r\nX-Long: ", "no answer in 0.3 s"),
        (b"", "no answer in 0.3 s"),
    ],
    ids=["content", "header", "status"],
)
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    server: Server, tmp_path: Path, head: bytes, reason: str
) -> None:
    server.behaviours["/net"] = drips(head, b"a", server.is_over)
    patience = Patience(connect_s=2, stall_s=5, retry_s=0.01, answer_s=0.3, slow_s=0.2)
    with pytest.raises(ModelError, match=reason):
        download(server.file("/net"), tmp_path / "net.pth", patience=patience)
    assert len(server.ranges) <= 4


def test_a_pace_is_judged_over_each_stretch() -> None:
    now = [0.0]
    pace = Pace(60.0, 1000, lambda: now[0])
    found = []
    for second in range(1, 181):
        now[0] = float(second)
        found.append(pace.is_too_slow(100 if second <= 60 else 1))
    assert [index + 1 for index, is_slow in enumerate(found) if is_slow] == [120, 180]


def packed_as(encoding: str, content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", encoding)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_what_is_sent_packed_unasked_is_unpacked(
    server: Server, tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    server.behaviours["/net"] = packed_as(encoding, pack(CONTENT))
    assert download(server.file("/net"), tmp_path / "net.pth").read_bytes() == CONTENT


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_what_is_packed_in_another_way_is_refused(server: Server, tmp_path: Path, encoding: str) -> None:
    server.behaviours["/net"] = packed_as(encoding, b"x" * 100)
    with pytest.raises(ModelError, match="sent compressed as"):
        download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)


def test_a_bomb_is_unpacked_no_further_than_the_file_is_long(server: Server, tmp_path: Path) -> None:
    packed = gzip.compress(bytes(200 << 20), 9)
    taken = list(itertools.islice(unpacked(iter([packed]), "gzip"), 3))
    assert max(map(len, taken)) <= 1 << 18
    server.behaviours["/net"] = packed_as("gzip", packed)
    with pytest.raises(ModelError, match="wrong checksum"):
        download(server.file("/net"), tmp_path / "net.pth", patience=IMPATIENT)
    assert not list(tmp_path.iterdir())
