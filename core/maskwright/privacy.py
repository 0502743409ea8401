"""Nothing leaves the user's computer: turns off what other packages would send on their own.

Runs when `maskwright` is imported, so it covers all our programs, threads and child processes."""

import os
import sys
from typing import Any, cast

BLOCKED_PACKAGE = "openvino_telemetry"
"""`import openvino` sends an event through it and leaves an id file in the home folder; NNCF does the same."""


def switch_off_telemetry() -> None:
    """Make the telemetry package impossible to import in this process.

    OpenVINO and NNCF then fall back to a stub of their own. The consent file that the package keeps in the home folder
    belongs to the user and is neither read nor written. If a program imported the package before us, it keeps it.
    """
    modules = cast("dict[str, Any]", sys.modules)  # None tells the import system that it is not available
    modules.setdefault(BLOCKED_PACKAGE, None)
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
