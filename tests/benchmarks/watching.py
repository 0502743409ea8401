"""Work on projects whose calls on files are watched: the preloaded library, forks of the program, prepared folders."""

import ctypes
import logging
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEMORY = Path("/dev/shm")
"""Flushing a real disk some 100,000 times takes hours."""


class Watcher:
    """What `watching_files.c` does; its state is shared with forked children."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.calls_hit.restype = ctypes.c_long
        self._library.name_hit.restype = ctypes.c_char_p

    def start(self, below: Path, mode: int = 0, at: int = 0, log: int = -1) -> None:
        """`mode`: one of the library's; `log`: a descriptor that gets a record of each call."""
        self._library.watch_files(str(below).encode(), mode, ctypes.c_long(at), log)

    def stop(self) -> None:
        self._library.stop_watching()

    def note(self, word: str) -> None:
        self._library.note(word.encode())

    @property
    def is_hit(self) -> bool:
        return bool(self._library.calls_hit())

    @property
    def name_hit(self) -> str:
        return str(self._library.name_hit().decode())


def in_child(
    work: Callable[[Callable[[str], object]], object], *, killed_after_s: float | None = None
) -> tuple[int, list[str]]:
    """Run in a fork; (exit status, what it said). 3: told the user; 70: another error, which is said last."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _run(work, write)
    os.close(write)
    if killed_after_s is not None:
        time.sleep(killed_after_s)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode().split("\0")[:-1]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def _run(work: Callable[[Callable[[str], object]], object], write: int) -> NoReturn:
    def say(text: str) -> None:
        os.write(write, text.encode() + b"\0")

    code = 0
    try:
        work(say)
    except BaseException as error:  # noqa: BLE001  (whatever it is gets counted)
        is_told = type(error).__module__ == "maskwright.errors"
        say(f"told: {error}" if is_told else _where_and_what(error))
        code = 3 if is_told else 70
    os._exit(code)


def prepared(name: str, folder: Path) -> Path:
    """The folder of an operation as it is before. Made in the place where the rounds will be (`place_for`)."""
    from project_checks import OPERATIONS

    place, template = place_for(name, folder), folder / f"{name} template"
    place.mkdir()
    code, said = in_child(lambda _: OPERATIONS[name].prepare(place))
    if code:
        sys.exit(f"{name} cannot be prepared: {said[-1]}")
    place.replace(template)
    return template


def place_for(name: str, folder: Path) -> Path:
    """Where an operation works; files of the user's are in there too, so that calls on them count."""
    place = folder / f"{name} round"
    os.environ["XDG_DATA_HOME"] = str(place / "home")
    return place


def checked(name: str, place: Path, said: list[str], *, is_after_power_loss: bool = False) -> list[str]:
    """What is wrong with the project, which is removed then."""
    from project_checks import CHECKS_AFTER_POWER_LOSS, OPERATIONS

    check = CHECKS_AFTER_POWER_LOSS.get(name) if is_after_power_loss else None
    check = check or OPERATIONS[name].check
    code, wrong = in_child(lambda say: [say(text) for text in check(place, said)])
    shutil.rmtree(place)
    return [f"unusable: {wrong[-1] if wrong else code}"] if code else wrong


@contextmanager
def working_folder() -> Iterator[Path]:
    """Where to work, with what the children need loaded, so that they do not load it each."""
    sys.path[:0] = [str(ROOT / "tests"), str(HERE)]
    logging.disable(logging.CRITICAL)
    import alembic.command
    import alembic.config  # noqa: F401
    import cv2

    import maskwright.inference.model
    import maskwright.prelabel  # noqa: F401
    import tiny_models

    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        folder = Path(place).resolve()
        tiny_models.yolact(folder / "tiny.xml")
        yield folder


def start_again() -> None:
    """This program once more, with the library loaded and one thread only, since it forks."""
    if "watching_files" in os.environ.get("LD_PRELOAD", ""):
        return
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "watching_files.so"
        compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
        source = HERE / "watching_files.c"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
        one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
        environment = {**os.environ, **one, "LD_PRELOAD": str(library)}
        sys.exit(subprocess.run([sys.executable, *sys.argv], env=environment, check=False).returncode)


def _where_and_what(error: BaseException) -> str:
    places = [each for each in traceback.extract_tb(error.__traceback__) if "maskwright" in each.filename]
    return f"{type(error).__name__}: {error} in {places[-1].name if places else 'the driver'}".replace("\n", " ")
