"""Nothing leaves the user's computer: what other packages would send on their own is switched off.

Runs when `maskwright` is imported, so it covers every program, thread and child process of ours.
"""

import os
import sys
from typing import Any, cast

BLOCKED_PACKAGE = "openvino_telemetry"
"""`import openvino` sends an event through it and leaves an id file in the home folder; NNCF does the same."""


def switch_off_telemetry() -> None:
    """Make the telemetry package impossible to import in this process.

    Both OpenVINO and NNCF fall back to a stub of their own then. The consent file that the package keeps in the home
    folder belongs to the user and is neither read nor written. A program that imported the package before us keeps it.
    """
    modules = cast("dict[str, Any]", sys.modules)  # None is how the import system is told "not available"
    modules.setdefault(BLOCKED_PACKAGE, None)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
