"""Downloads one file: resumes where it stopped, verifies it, and puts it in place completely or not at all."""

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
"""Called with the bytes so far and the total."""
_ATTEMPTS = 4
"""Successive attempts per URL that bring next to nothing; each continues where the last one stopped."""
_MOST_BYTES = 4 << 30
"""Limit for a file whose size only the server tells."""
_WORTH_IT = 1 << 16
"""Bytes from which an attempt counts as progress."""


class DownloadCancelledError(ModelError):
    """The user cancelled; what has arrived is kept and resumed next time."""


class _Incomplete(Exception):  # noqa: N818  # private signal
    """The response ended early or does not match what had arrived before; worth another attempt."""


class _Final(Exception):  # noqa: N818  # private signal
    """This URL does not have the file."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits in seconds."""

    connect_s: float = 15.0
    stall_s: float = 30.0
    """Without a byte; then another attempt starts."""
    retry_s: float = 1.0
    """Before another attempt, doubled each time."""
    answer_s: float = 60.0
    """Until a response begins, including all redirections; a server may send its headers one byte at a time."""
    slow_s: float = 60.0
    """Time for at least 64 kB, else the attempt ends: at a byte per second it would go on for years."""


def download(
    file: CardFile,
    to: Path,
    *,
    on_progress: OnBytes | None = None,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
) -> Path:
    """Download `file` to the path `to`; returns at once if it is already there and intact.

    Until it is complete it is called NAME.part; a later call continues from there. URLs are tried in turn. `to` appears
    only after size and checksum have been verified. Raises DownloadCancelledError, or ModelError with the reason for
    each URL; complete but wrong content is deleted.
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
    """Whether a file, under any name, is the published one: by its size, if known, and its checksum."""
    if not path.exists() or (file.size and path.stat().st_size != file.size):
        return False
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256" if file.sha256 else "sha384")
    return digest.hexdigest() == (file.sha256 or file.sha384)


def _sized(client: httpx.Client, url: str, file: CardFile, patience: Patience) -> tuple[CardFile, str | None]:
    """The file with the size that the server announces, or why there is none: an endless response is refused."""
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
    """One URL, attempted several times."""

    client: httpx.Client
    url: str
    file: CardFile
    partial: Path
    on_progress: OnBytes | None
    cancel: Cancel | None
    patience: Patience

    def run(self) -> str | None:
        """None once the partial file is complete and verified, else the reason why it is not."""
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
                    return reason  # no such server, or no network: waiting seldom helps
            except (httpx.TooManyRedirects, httpx.InvalidURL) as error:
                return in_plain_words(error)
            except (_Incomplete, httpx.HTTPError) as error:
                reason = in_plain_words(error)
            _log.info("%s: %s", self.url, reason)
            # A connection that keeps breaking still brings the file, as long as each attempt brings some of it.
            failures = 1 if self._arrived() - before >= _WORTH_IT else failures + 1
        return reason

    def _check_whole_and_right(self, *, starts_over: bool) -> None:
        """Raises _Incomplete if another attempt makes sense, _Final if not."""
        if is_published(self.partial, self.file):
            return
        if self._arrived() < self.file.size:
            raise _Incomplete(f"the download ended after {self._arrived()} of {self.file.size} bytes")
        self.partial.unlink()
        wrong = "wrong checksum"
        # If complete and only from this URL, the server has another file; else the earlier part may have been wrong.
        raise _Incomplete(wrong) if starts_over else _Final(wrong)

    def _go_on(self, before: int) -> None:
        """Append what is missing; starts over if the server does not support ranges."""
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
            if packed == "identity" and announced not in ("", str(left)):  # a login page, or another version
                raise _Final(f"the server offers another file: {announced} bytes, expected {left}")
            with self.partial.open("ab" if goes_on else "wb") as target:
                self._take(unpacked(answer.iter_raw(), packed), target, left)

    @contextmanager
    def _answer(self, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Raises httpx.HTTPError as the client does, and if the response does not begin in time."""
        with answering_within(self.patience.answer_s) as extensions:
            request = self.client.build_request("GET", self.url, headers=headers, extensions=extensions)
            answer = self.client.send(request, stream=True)
        with closing(answer):
            yield answer

    def _take(self, blocks: Iterator[bytes], target: IO[bytes], left: int) -> None:
        """Raises _Incomplete for a connection that hardly transfers anything."""
        pace = Pace(self.patience.slow_s, _WORTH_IT)
        for block in blocks:
            # One byte too many is enough to fail the check; the rest of an endless response is not read.
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
        """Number of bytes to continue from; a complete but wrong file is deleted."""
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
