"""The command line. Needs neither Qt nor a display; without a command it opens the window."""

import os
import sys
from pathlib import Path

from maskwright.memory import use_few_arenas


def main() -> None:
    """Entry point of `maskwright`: a command, or nothing, a folder or a project for the window."""
    # Before numpy is loaded: OpenBLAS's threads go on spinning after each of the small products that masks are made
    # of. With them an image of the YOLACT stand-in costs 87 ms of CPU up to its masks, without them 54.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    use_few_arenas()
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(_open_window(None))
    from maskwright.cli.app import COMMANDS, app

    # A path is told from a mistyped command by its being there.
    if len(arguments) == 1 and arguments[0] not in COMMANDS and Path(arguments[0]).exists():
        sys.exit(_open_window(Path(arguments[0])))
    app(prog_name="maskwright")


def _open_window(path: Path | None) -> int:
    from maskwright.cli.window import open_window

    return open_window(path)
