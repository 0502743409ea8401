"""Exit codes, which scripts rely on."""

OK = 0
FAILED = 1
"""Nothing was produced: the message says why."""
USAGE = 2
"""The command line was wrong (Typer's own code)."""
SOME_FAILED = 3
"""The work is done, but some images failed, annotations were skipped or a check found errors; they are listed."""
INCOMPLETE = 4
"""The batch was aborted, e.g. because a device failed; --resume continues."""
INTERRUPTED = 130
"""Stopped by Ctrl+C; --resume continues."""

HELP = (
    "Exit codes: 0 done, 1 failed (the message says why), 2 wrong usage, 3 done but with findings (listed), 4 stopped "
    "before the end (--resume continues), 130 interrupted (--resume continues)."
)
