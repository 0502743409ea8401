"""Starts the learning process, reads its messages, stops it, and reports how it ended."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

from maskwright.errors import MaskwrightError
from maskwright.learning.events import Event, Failed, Finished, LearnProgress, parsed
from maskwright.learning.job import BEST_MODEL, CHECKPOINT_NAME

STOP_NAME = "stop"
_LAST_WORDS = 20
_POLL_S = 0.2

OnProgress = Callable[[LearnProgress], None]


class LearningError(MaskwrightError):
    """The learning process ended without a model; its checkpoint keeps what it has learned."""


class LearningRefusedError(LearningError):
    """The process reported why it could not continue, for example a missing device or a full disk."""


def run_process(
    folder: Path,
    *,
    threads: int,
    on_progress: OnProgress | None,
    stop: threading.Event,
    check: Callable[[], None] | None = None,
) -> Finished:
    """Run the job in `folder` to its end; blocks. `stop` ends it early with the best model so far.

    check: called regularly; an exception from it ends the process at once, with its latest checkpoint. Raises
    LearningError if the process failed, was killed or could not be started.
    """
    (folder / STOP_NAME).unlink(missing_ok=True)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "maskwright.learning.worker", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(threads),
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
        )
    except OSError as error:
        raise LearningError(f"the learning process could not be started: {error.strerror or error}") from error
    words: deque[str] = deque(maxlen=_LAST_WORDS)
    last: list[Event] = []
    begun = threading.Event()

    def told(progress: LearnProgress) -> None:
        if progress.step:
            begun.set()
        if on_progress is not None:
            on_progress(progress)

    listeners = [
        threading.Thread(target=_listen, args=(process.stdout, last, told), name="learning-events", daemon=True),
        threading.Thread(target=_keep_words, args=(process.stderr, words), name="learning-words", daemon=True),
    ]
    for listener in listeners:
        listener.start()
    try:
        _wait(process, folder, stop, check, lambda: begun.is_set() or has_learned(folder))
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        for listener in listeners:
            listener.join()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    return _outcome(process.returncode, last, words, what_is_kept(folder))


def has_learned(folder: Path) -> bool:
    """Whether the round in `folder` has anything to continue from, or to keep."""
    return any((folder / name).exists() for name in (CHECKPOINT_NAME, BEST_MODEL))


def what_is_kept(folder: Path) -> str:
    """What is left of a round that ended early, as a hint for the user."""
    if has_learned(folder):
        return "what was learned is kept, and the round can be continued"
    return "nothing had been learned yet"


def ask_to_stop(folder: Path) -> None:
    """Make the round in `folder` end after its current step and keep the best model so far; works from any process."""
    (folder / STOP_NAME).touch()


def _wait(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    stop: threading.Event,
    check: Callable[[], None] | None,
    has_begun: Callable[[], bool],
) -> None:
    has_asked = False
    while True:
        try:
            process.wait(_POLL_S)
            return
        except subprocess.TimeoutExpired:
            if check is not None:
                check()
            if stop.is_set() and not has_begun():
                raise LearningError(
                    "stopped before anything was learned", hint="let it run for a minute or more"
                ) from None
            if stop.is_set() and not has_asked:
                ask_to_stop(folder)
                has_asked = True


def _listen(stream: IO[bytes], last: list[Event], on_progress: OnProgress) -> None:
    for line in stream:
        event = parsed(line)
        if isinstance(event, LearnProgress):
            on_progress(event)
        elif event is not None:
            last.append(event)


def _keep_words(stream: IO[bytes], words: "deque[str]") -> None:
    for line in stream:
        words.append(line.decode("utf-8", "replace").rstrip())


def _outcome(code: int, last: list[Event], words: "deque[str]", kept: str) -> Finished:
    event = last[-1] if last else None
    if isinstance(event, Finished) and code == 0:
        return event
    if isinstance(event, Failed):
        raise LearningRefusedError(event.message, hint=event.hint)
    if code == -signal.SIGKILL if hasattr(signal, "SIGKILL") else False:
        raise LearningError("the learning process was killed, most likely because memory ran out", hint=kept)
    said = next((word for word in reversed(words) if word.strip()), f"exit code {code}")
    raise LearningError(f"the learning process ended unexpectedly: {said}", hint=kept)


def _environment(threads: int) -> dict[str, str]:
    """Threads sleep while waiting: spinning ones took four times the CPU time beside other work."""
    paths = [path for path in sys.path if path]
    return {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "passive",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
    }
