"""One file from the network: resumed where it stopped, checked before it counts, in place whole or not at all."""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import httpx

from maskwright.errors import ModelError
from maskwright.models.catalog import CardFile
from maskwright.models.transfer import Pace, answering_within, unpacked
from maskwright.monitor import Cancel as Cancel
from maskwright.plain_words import in_plain_words

_log = logging.getLogger(__name__)

OnBytes = Callable[[int, int], None]
"""Called with bytes so far and bytes in all."""
_ATTEMPTS = 4
"""Per address, of those in a row that bring next to nothing; each continues where the last one stopped."""
_MOST_BYTES = 4 << 30
"""Of a file whose size only the server tells."""
_WORTH_IT = 1 << 16
"""Bytes that make an attempt count as progress."""


class DownloadCancelledError(ModelError):
    """The user took it back; what has arrived is kept and resumed next time."""


class _Incomplete(Exception):  # noqa: N818  # private signal
    """The answer ended early or does not fit what had arrived before; worth another attempt."""


class _Final(Exception):  # noqa: N818  # private signal
    """This address does not have the file."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    connect_s: float = 15.0
    stall_s: float = 30.0
    """Without a byte; then it is taken up again."""
    retry_s: float = 1.0
    """Before another attempt, doubled each time."""
    answer_s: float = 60.0
    """Until an answer begins, all redirections together; a server may send its headers a byte at a time."""
    slow_s: float = 60.0
    """In which at least 64 kB must come, else the attempt is over: a byte every second would continue for years."""


def download(
    file: CardFile,
    to: Path,
    *,
    on_progress: OnBytes | None = None,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
) -> Path:
    """Fetch `file` to the path `to`; returns at once where it is already there and right.

    While it arrives it is called NAME.part; a later call continues from there. Addresses are tried in turn. The name
    `to` appears only after size and checksum were found right. Raises DownloadCancelledError, or ModelError with the
    reason for each address; content that is whole but wrong is thrown away.
    """
    if to.is_file() and is_published(to, file):
        return to
    wait = patience or Patience()
    reasons: list[str] = []
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with httpx.Client(
            follow_redirects=True,
            timeout=httpx.Timeout(wait.stall_s, connect=wait.connect_s),
            limits=httpx.Limits(max_keepalive_connections=0),  # `answering_within` sees new connections only
        ) as client:
            for url in file.urls:
                sized, reason = (file, None) if file.size else _sized(client, url, file, wait)
                if reason is None:
                    fetch = _Fetch(client, url, sized, to.with_name(f"{to.name}.part"), on_progress, cancel, wait)
                    reason = fetch.run()
                    if reason is None:
                        fetch.partial.replace(to)
                        return to
                reasons.append(f"{httpx.URL(url).host}: {reason}")
    except OSError as error:
        raise ModelError(f"cannot be written: {error.strerror or error}", path=to) from error
    raise ModelError(
        f"{file.name} could not be downloaded: {'; '.join(reasons)}",
        hint="download the file another way and add it in the window or with maskwright models get FILE",
    )


def is_published(path: Path, file: CardFile) -> bool:
    """Whether this is that file, under whatever name: by its size, where that is known, and its checksum."""
    if not path.exists() or (file.size and path.stat().st_size != file.size):
        return False
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256" if file.sha256 else "sha384")
    return digest.hexdigest() == (file.sha256 or file.sha384)


def _sized(client: httpx.Client, url: str, file: CardFile, patience: Patience) -> tuple[CardFile, str | None]:
    """The file with the size that the server tells beforehand, or why there is none: an endless answer is not taken."""
    try:
        with answering_within(patience.answer_s) as extensions:
            answer = client.head(url, headers={"Accept-Encoding": "identity"}, extensions=extensions)
        answer.raise_for_status()
        size = int(answer.headers.get("content-length", "0"))
    except httpx.HTTPStatusError as error:
        return file, f"answered {error.response.status_code} {error.response.reason_phrase}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return file, in_plain_words(error)
    if not 0 < size <= _MOST_BYTES:
        return file, f"the server reports {size} bytes"
    return replace(file, size=size), None


@dataclass(frozen=True, slots=True)
class _Fetch:
    """One address, attempted several times."""

    client: httpx.Client
    url: str
    file: CardFile
    partial: Path
    on_progress: OnBytes | None
    cancel: Cancel | None
    patience: Patience

    def run(self) -> str | None:
        """None once the partial file is whole and right, else why it is not."""
        reason, failures = "", 0
        while failures < _ATTEMPTS:
            if failures:
                self._pause(self.patience.retry_s * 2 ** (failures - 1))
            before = self._usable_bytes()
            try:
                if before < self.file.size:
                    self._go_on(before)
                self._check_whole_and_right(starts_over=before > 0)
                return None
            except _Final as error:
                return str(error)
            except httpx.HTTPStatusError as error:
                reason = f"answered {error.response.status_code} {error.response.reason_phrase}"
                if error.response.status_code < 500 and error.response.status_code not in (416, 429):
                    return reason
            except httpx.ConnectError as error:
                reason = in_plain_words(error)
                if failures:
                    return reason  # no server there, or no network: waiting longer seldom helps
            except (httpx.TooManyRedirects, httpx.InvalidURL) as error:
                return in_plain_words(error)
            except (_Incomplete, httpx.HTTPError) as error:
                reason = in_plain_words(error)
            _log.info("%s: %s", self.url, reason)
            # A line that ends early again and again still brings the file, as long as each attempt brings some of it.
            failures = 1 if self._arrived() - before >= _WORTH_IT else failures + 1
        return reason

    def _check_whole_and_right(self, *, starts_over: bool) -> None:
        """Raises _Incomplete where another attempt makes sense, _Final where not."""
        if is_published(self.partial, self.file):
            return
        if self._arrived() < self.file.size:
            raise _Incomplete(f"the download ended after {self._arrived()} of {self.file.size} bytes")
        self.partial.unlink()
        wrong = "wrong checksum"
        # Whole and from this address alone, it has something else; else the earlier part may have been wrong.
        raise _Incomplete(wrong) if starts_over else _Final(wrong)

    def _go_on(self, before: int) -> None:
        """Append what is missing; starts over where the server does not do ranges."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={before}-"} if before else {})
        with self._answer(headers) as answer:
            if answer.status_code == 416:  # the server has less than arrived here: two different files
                self.partial.unlink(missing_ok=True)
            answer.raise_for_status()
            range_start = answer.headers.get("content-range", "").partition("-")[0]
            goes_on = answer.status_code == 206 and range_start == f"bytes {before}"
            left = self.file.size - (before if goes_on else 0)
            packed = answer.headers.get("content-encoding", "identity")
            announced = answer.headers.get("content-length", "")
            if packed == "identity" and announced not in ("", str(left)):  # a page that asks to log in, another version
                raise _Final(f"the server offers another file: {announced} bytes, expected {left}")
            with self.partial.open("ab" if goes_on else "wb") as target:
                self._take(unpacked(answer.iter_raw(), packed), target, left)

    @contextmanager
    def _answer(self, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Raises httpx.HTTPError as the client does, and where the answer does not begin in time."""
        with answering_within(self.patience.answer_s) as extensions:
            request = self.client.build_request("GET", self.url, headers=headers, extensions=extensions)
            answer = self.client.send(request, stream=True)
        with closing(answer):
            yield answer

    def _take(self, blocks: Iterator[bytes], target: IO[bytes], left: int) -> None:
        """Raises _Incomplete for one that hardly moves."""
        pace = Pace(self.patience.slow_s, _WORTH_IT)
        for block in blocks:
            # One byte too many is enough for the check to fail; the rest of an endless answer is not taken.
            target.write(block[: left + 1])
            left -= len(block)
            self._tell(self.file.size - max(left, 0))
            if left < 0:
                return
            if left and pace.is_too_slow(len(block)):
                raise _Incomplete(f"less than {_WORTH_IT // 1024} kB in {self.patience.slow_s:g} s")

    def _arrived(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _usable_bytes(self) -> int:
        """Bytes to continue from; what is as long as the file but wrong is thrown away."""
        if not self.partial.exists():
            return 0
        size = self.partial.stat().st_size
        if size >= self.file.size and not is_published(self.partial, self.file):
            self.partial.unlink()
            return 0
        return size

    def _tell(self, arrived: int) -> None:
        if self.on_progress is not None:
            self.on_progress(arrived, self.file.size)
        self._check_cancel()

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._check_cancel()
            time.sleep(min(left, 0.1))

    def _check_cancel(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise DownloadCancelledError("cancelled", path=self.partial)
