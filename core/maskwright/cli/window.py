"""The one door from core to the window: by name, at run time, and only when somebody asks for it."""

import os
import sys
from importlib import import_module
from pathlib import Path


def has_display() -> bool:
    """Whether a window can be seen here: on Linux an X or Wayland server, elsewhere always."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def open_window(path: Path | None) -> int:
    """Show the window on a folder or project until it is closed; its exit code."""
    if not has_display() and not os.environ.get("QT_QPA_PLATFORM"):
        sys.stderr.write(
            "There is no display here, so no window can be shown.\n"
            "Set DISPLAY, run it under xvfb-run, or use a command: maskwright --help\n"
        )
        return 1
    try:
        app = import_module("maskwright_gui.app")
    except ImportError as error:
        missing = (error.name or str(error)).partition(".")[0]
        sys.stderr.write(
            f"The window needs Qt, which cannot be loaded here ({missing}: {error}).\n"
            'Install it with: pip install "maskwright[gui]"\n'
            "(on a bare server also the system libraries listed in the README)\n"
            "Everything else works without it: maskwright --help\n"
        )
        return 1
    return int(app.run(path))
