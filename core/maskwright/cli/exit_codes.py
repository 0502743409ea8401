"""What the exit code says; scripts rely on these."""

OK = 0
FAILED = 1
"""Nothing was produced: the message says why."""
USAGE = 2
"""The command line was wrong (Typer's own code)."""
SOME_FAILED = 3
"""The work is done, but something could not be or wants a look: it is listed. Some images failed, annotations were
skipped, a check has found errors."""
INCOMPLETE = 4
"""The batch gave up before the end, e.g. a device that failed; --resume continues."""
INTERRUPTED = 130
"""Stopped by Ctrl+C; --resume continues."""

HELP = (
    "Exit codes: 0 done, 1 failed (the message says why), 2 wrong usage, 3 done but with findings (listed), 4 stopped "
    "before the end (--resume continues), 130 interrupted (--resume continues)."
)
