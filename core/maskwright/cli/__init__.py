"""The command line. Needs neither Qt nor a display; without a command it opens the window."""

import os
import sys
import threading
from pathlib import Path

from maskwright.memory import use_few_arenas

ANSWER_S = 1.0
"""How long to wait for a folder to answer whether it exists."""


def main() -> None:
    """Entry point of `maskwright`: a command, or nothing, a folder or a project for the window."""
    # Before numpy is loaded: OpenBLAS's threads keep spinning after each of the small matrix products that make masks.
    # With them an image of the YOLACT stand-in costs 87 ms of CPU up to its masks, without them 54.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    use_few_arenas()
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(_open_window(None))
    from maskwright.cli.app import COMMANDS, app

    if len(arguments) == 1 and arguments[0] not in COMMANDS and is_path(arguments[0]):
        sys.exit(_open_window(Path(arguments[0])))
    app(prog_name="maskwright")


def is_path(text: str) -> bool:
    """A path is told from a mistyped command by its existence; if a share does not answer, the window reports it."""
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(Path(text).exists()), daemon=True)
    asking.start()
    asking.join(ANSWER_S)
    return not answers or answers[0]


def _open_window(path: Path | None) -> int:
    from maskwright.cli.window import open_window

    return open_window(path)
