"""The only link from core to the window: by name, at run time, and only on request."""

import os
import sys
from importlib import import_module
from pathlib import Path


def has_display() -> bool:
    """Whether a window could be shown: on Linux if there is an X or Wayland server, elsewhere always."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def open_window(path: Path | None) -> int:
    """Show the window on a folder or project until it is closed; returns its exit code."""
    if not has_display() and not os.environ.get("QT_QPA_PLATFORM"):
        sys.stderr.write(
            "No display found, so the window cannot open.\n"
            "Set DISPLAY, use xvfb-run, or use a command: maskwright --help\n"
        )
        return 1
    try:
        app = import_module("maskwright_gui.app")
    except ImportError as error:
        missing = (error.name or str(error)).partition(".")[0]
        sys.stderr.write(
            f"The window needs Qt, which could not be loaded ({missing}: {error}).\n"
            'Install it with: pip install "maskwright[gui]"\n'
            "(a bare server also needs the system libraries listed in the README)\n"
            "Everything else works without it: maskwright --help\n"
        )
        return 1
    return int(app.run(path))
