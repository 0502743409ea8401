"""How commands speak: text and bars to people on standard error, results as text or JSON on standard output."""

import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.errors import MaskwrightError
from maskwright.formats.atomic import is_standard_output
from maskwright.monitor import Monitor

P = ParamSpec("P")

_MOST_LISTED = 20
_WIDE = 240


def messages() -> Console:
    """Made anew each time: tests and callers may have replaced sys.stderr since. Never folded in a file or a pipe."""
    width = None if sys.stderr.isatty() else _WIDE
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)


def results() -> Console:
    """Wide where it is no terminal: a table in a file or a pipe is not folded to 80 columns."""
    width = None if sys.stdout.isatty() else _WIDE
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)


def results_beside(out: Path) -> Console:
    """Where to tell what was written to `out`: on standard error where standard output has the file itself."""
    return messages() if is_standard_output(out) else results()


def require_two_outputs(out: Path, *, as_json: bool) -> None:
    """Refuses a report and a file in one stream."""
    if as_json and is_standard_output(out):
        raise typer.BadParameter("--json and the file itself cannot both go to standard output")


def print_json(content: Mapping[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def reports_errors(command: Callable[P, int]) -> Callable[P, None]:
    """Turn a command that returns its exit code into one for Typer; a MaskwrightError becomes its text and code 1.

    With `as_json` among the arguments the error is JSON on standard output.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except MaskwrightError as error:
            if kwargs.get("as_json"):
                path = str(error.path) if error.path is not None else None
                print_json({"error": error.message, "path": path, "hint": error.hint})
            messages().print(f"error: {error}", style="red", soft_wrap=True)
            code = exit_codes.FAILED
        raise typer.Exit(code)

    return run


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
    """A bar with count and ETA on the terminal; call what it yields with the number done and a text such as the rate.

    Shows nothing where standard error is not a terminal.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    console = messages()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task: TaskID = progress.add_task(what, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


class _BarMonitor:
    """Shows on a bar what an operation reports; Ctrl+C ends the command, so that it is never cancelled."""

    def __init__(self, show: Callable[[int, str], None]) -> None:
        self._show = show

    def report(self, done: int, total: int | None, text: str = "") -> None:
        self._show(done, "")

    def check(self) -> None:
        pass


@contextmanager
def progress_monitor(what: str, total: int | None) -> Iterator[Monitor]:
    """The same bar for an operation that takes a monitor."""
    with progress_bar(what, total) as show:
        yield _BarMonitor(show)


def print_failures(failures: Sequence[tuple[str, str]]) -> None:
    """File names and reasons, the first twenty of them."""
    if not failures:
        return
    table = Table("file", "could not be done because", box=None, pad_edge=False, header_style="dim")
    for name, reason in failures[:_MOST_LISTED]:
        table.add_row(name, reason)
    console = messages()
    console.print(table)
    if len(failures) > _MOST_LISTED:
        console.print(f"... and {len(failures) - _MOST_LISTED} more (--json lists all)")
