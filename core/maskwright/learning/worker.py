"""The learning process: `python -m maskwright.learning.worker FOLDER`, started by `process.py` with a job in FOLDER.

It reports in JSON lines on standard output, stops when a file `stop` appears, and leaves `best.xml` behind."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from maskwright.errors import MaskwrightError
from maskwright.learning.events import Event, Failed, Finished, LearnProgress, event_line
from maskwright.learning.job import LearningJob
from maskwright.learning.process import STOP_NAME, what_is_kept
from maskwright.learning.requirements import pip_install
from maskwright.project.lock import ProjectLock

_NICE_STEP = 10
_LEAST_ROOM_BYTES = 32 * 2**20
_MEMORY_WORDS = ("alloc", "memory", "bad_alloc")


def main(arguments: list[str]) -> int:
    """Exit code 0 if a model was written, 1 if not (an event says why)."""
    # Ctrl+C in a terminal reaches the whole process group: the parent requests the stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    folder = Path(arguments[0])
    try:
        _step_back(folder)
        outcome: Event = _alone(folder, tell)
    except MaskwrightError as error:
        outcome = Failed(error.message if error.path is None else f"{error.path}: {error.message}", error.hint)
    except MemoryError:
        outcome = _too_little_memory(folder)
    except OSError as error:
        outcome = Failed(f"the disk reported an error: {error.strerror or error}", what_is_kept(folder))
    except RuntimeError as error:
        if _is_full(folder):
            outcome = Failed("the disk is full", f"make room; {what_is_kept(folder)}")
        elif not any(word in str(error).lower() for word in _MEMORY_WORDS):
            raise
        else:
            outcome = _too_little_memory(folder)
    tell(outcome)
    return 0 if isinstance(outcome, Finished) else 1


def _step_back(folder: Path) -> None:
    """Lower the priority, so that the user's programs go first."""
    if hasattr(os, "nice") and not LearningJob.read(folder).counts_cpu:
        os.nice(_NICE_STEP)


def _is_full(folder: Path) -> bool:
    """torch and OpenVINO do not say why they could not write."""
    return shutil.disk_usage(folder).free < _LEAST_ROOM_BYTES


def tell(event: Event) -> None:
    """If the parent is gone, this ends the process: nobody could use the next checkpoint."""
    sys.stdout.buffer.write(event_line(event))
    sys.stdout.buffer.flush()


def _alone(folder: Path, told: Callable[[Event], None]) -> Finished:
    """A process whose parent was killed takes a moment to notice; the next one must not write to the same folder."""
    lock = ProjectLock.acquire(folder)
    if not isinstance(lock, ProjectLock):
        raise MaskwrightError("this round is still shutting down", hint="try again in a minute")
    try:
        return work(folder, told)
    finally:
        lock.release()


def work(folder: Path, told: Callable[[Event], None]) -> Finished:
    """Train, evaluate, leave the best model behind. Raises MaskwrightError if that fails."""
    job = LearningJob.read(folder)
    told(LearnProgress("starting", 0, 0.0, 0.0, None))
    torch = _torch()
    from maskwright.learning.session import LearningSession
    from maskwright.memory import keep_freed_memory

    torch.set_num_threads(job.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    keep_freed_memory()
    session = LearningSession(job, folder, told, is_stopped=lambda: (folder / STOP_NAME).exists())
    session.learn()
    return session.finish()


def _torch() -> ModuleType:
    """Raises MaskwrightError if PyTorch is installed but cannot be loaded, for example because a library is missing."""
    try:
        return importlib.import_module("torch")
    except (ImportError, OSError, AttributeError) as error:
        hint = pip_install("--force-reinstall", '"torch>=2.4"')
        raise MaskwrightError(f"PyTorch cannot be loaded: {error}", hint=hint) from error


def _too_little_memory(folder: Path) -> Failed:
    return Failed("not enough memory", f"close other programs; {what_is_kept(folder)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
