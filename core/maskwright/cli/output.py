"""Output of the commands: messages and progress bars on standard error, results as text or JSON on standard output."""

import functools
import inspect
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from maskwright.cli import exit_codes
from maskwright.errors import MaskwrightError
from maskwright.formats.atomic import is_standard_output
from maskwright.monitor import Monitor
from maskwright.words import shown_lines

Fields = Mapping[str, str]
"""{key: its type}, see `_TYPES`; a question mark: may be null; a star: may be missing."""

_TYPES: Mapping[str, Any] = {
    "text": {"type": "string"},
    "whole": {"type": "integer"},
    "number": {"type": "number"},
    "flag": {"type": "boolean"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "objects": {"type": "array", "items": {"type": "object"}},
    "object": {"type": "object"},
    "list": {"type": "array"},
}
_WRITTEN = {"path": "text", "images": "whole", "instances": "whole", "verified": "object*"}
_ERROR: Fields = {"error": "text", "path": "text?", "hint": "text?"}

_OF: Mapping[str, tuple[Fields, ...]] = {
    "prelabel": (
        {
            "done": "whole", "failed": "whole", "remaining": "whole", "instances": "whole", "seconds": "number",
            "images_per_s": "number?", "device": "text", "device_note": "text?", "stopped_because": "text?",
            "out": "text?", "project": "text?", "refined": "object?", "failures": "objects", "exit_code": "whole",
        },
    ),
    "export": (
        {**_WRITTEN, "unreviewed": "whole", "losses": "texts", "left_out": "objects"},
        {"sets": "objects", "losses": "texts", "notes": "texts"},
        {"path": "text", "instances": "whole", "losses": "texts"},
    ),
    "import": (
        {
            "dry_run": "flag", "images": "whole", "instances": "whole", "added": "whole", "updated": "whole",
            "kept": "whole", "categories": "whole", "renumbered": "whole", "resized": "texts", "missing": "texts",
            "relocated": "texts", "problems": "texts",
        },
    ),
    "convert": ({**_WRITTEN, "losses": "texts", "problems": "texts"},),
    "check": ({"fixed": "whole", "findings": "objects"},),
    "evaluate": (
        {
            "bbox": "object", "segm": "object", "max_dets": "whole", "images": "whole", "truth": "whole",
            "predictions": "whole", "failures": "objects", "notes": "texts",
        },
    ),
    "queue": ({"order": "text", "images": "texts"},),
    "classes": ({"classes": "objects", "merged": "objects"},),
    "images": ({"images": "objects", "changed": "object"},),
    "duplicates": ({"groups": "list"},),
    "restore": ({"backups": "texts"}, {"restored": "text", "kept": "text"}, {"kept": "text"}),
    "trust": ({"image_root": "text"},),
    "devices": ({"devices": "texts"},),
}  # fmt: skip
"""The JSON of each command; commands not listed only promise an object."""


def schema_of(command: str) -> dict[str, Any]:
    """The JSON schema of a command, such as "import" or "models list"."""
    shapes = [_shape(fields) for fields in _OF.get(command, ())] or [{"type": "object"}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"maskwright {command} --json",
        "anyOf": [*shapes, _shape(_ERROR)],
    }


def _shape(fields: Fields) -> dict[str, Any]:
    properties = {key: _typed(kind) for key, kind in fields.items()}
    required = [key for key, kind in fields.items() if not kind.endswith("*")]
    return {"type": "object", "properties": properties, "required": required}


def _typed(kind: str) -> dict[str, Any]:
    known: dict[str, Any] = _TYPES[kind.rstrip("?*")]
    return {"anyOf": [known, {"type": "null"}]} if kind.endswith("?") else known


P = ParamSpec("P")

LINE_EVERY_S = 10.0
_MOST_LISTED = 20
_WIDE = 240
_MOST_PRINTED = 100_000


class _PlainConsole(Console):
    """Escapes control characters, so that the name of a class in a stranger's file cannot control the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(shown_lines(text, _MOST_PRINTED), **options)


class PlainFormatter(logging.Formatter):
    """Escapes control characters in the log, too."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record), _MOST_PRINTED)


_is_quiet: ContextVar[bool] = ContextVar("is_quiet", default=False)


def keep_quiet(is_wanted: bool) -> None:
    """From here on print only errors and results: no progress, notes or summaries."""
    _is_quiet.set(is_wanted)


def messages() -> Console:
    """For notes, on standard error; silent with --quiet. Lines are not folded in a file or pipe.

    Created on each call, because tests and callers may have replaced sys.stderr.
    """
    return _errors(is_quiet=_is_quiet.get())


def summary() -> Console:
    """For what has been done, on standard output; silent with --quiet."""
    console = results()
    console.quiet = _is_quiet.get()
    return console


def _errors(*, is_quiet: bool = False) -> Console:
    width = None if sys.stderr.isatty() else _WIDE
    return _PlainConsole(
        stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True, width=width, quiet=is_quiet
    )


def results() -> Console:
    """For results. Wide if not a terminal, so that a table in a file or pipe is not folded to 80 columns."""
    width = None if sys.stdout.isatty() else _WIDE
    return _PlainConsole(highlight=False, markup=False, emoji=False, soft_wrap=True, width=width)


def results_beside(out: Path) -> Console:
    """For the summary of what was written to `out`: on standard error if `out` is standard output."""
    return messages() if is_standard_output(out) else summary()


def require_two_outputs(out: Path, *, as_json: bool) -> None:
    """Raise if a report and a file would share standard output."""
    if as_json and is_standard_output(out):
        raise typer.BadParameter("--json and the file itself cannot both go to standard output")


def print_json(content: Mapping[str, Any]) -> None:
    """Print a result as indented JSON."""
    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def reports_errors(command: Callable[P, int]) -> Callable[P, None]:
    """Turn a command that returns its exit code into one for Typer; a MaskwrightError is printed and gives code 1.

    If the command's `as_json` is set, the error is printed as JSON on standard output. Each command gets `--quiet`, and
    one with `--json` also gets `--json-schema`.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        keep_quiet(bool(kwargs.pop("is_quiet", False)))
        kwargs.pop("wants_schema", None)
        try:
            code = command(*args, **kwargs)
        except MaskwrightError as error:
            if kwargs.get("as_json"):
                path = str(error.path) if error.path is not None else None
                print_json({"error": error.message, "path": path, "hint": error.hint})
            _errors().print(f"error: {error}", style="red", soft_wrap=True)
            code = exit_codes.FAILED
        raise typer.Exit(code)

    _add_common_options(run)
    return run


def _show_schema(context: typer.Context, is_wanted: bool) -> None:
    if is_wanted and not context.resilient_parsing:
        print_json(schema_of(context.command_path.split(maxsplit=1)[-1]))
        raise typer.Exit


_Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors and the requested output.")]
_Schema = Annotated[
    bool,
    typer.Option(
        "--json-schema", is_eager=True, callback=_show_schema, help="Print the JSON Schema of --json and exit."
    ),
]


def _add_common_options(run: Callable[..., None]) -> None:
    """Typer reads options off the signature; these are the same for all commands."""
    signature = inspect.signature(run)
    added = {"is_quiet": _Quiet} | ({"wants_schema": _Schema} if "as_json" in signature.parameters else {})
    keyword = inspect.Parameter.KEYWORD_ONLY
    more = [inspect.Parameter(name, keyword, default=False, annotation=kind) for name, kind in added.items()]
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *more])  # type: ignore[attr-defined]
    run.__annotations__ = {**run.__annotations__, **added}


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[int, str], None]]:
    """A bar with count and ETA on the terminal. Call what it yields with the number done and a text such as the rate.

    If standard error is not a terminal: a line every ten seconds instead; nothing with --quiet.
    """
    console = messages()
    if not console.is_terminal:
        yield _ProgressLines(console, what, total).show
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with Progress(*columns, console=console, transient=True, disable=console.quiet) as progress:
        task: TaskID = progress.add_task(what, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


class _ProgressLines:
    """Replaces the bar in a log. Prints nothing for the first ten seconds."""

    def __init__(self, console: Console, what: str, total: int | None) -> None:
        self._console, self._what, self._total = console, what, total
        self._last = time.monotonic()

    def show(self, done: int, note: str) -> None:
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_S:
            self._last = now
            of_all = f" of {self._total:,}" if self._total is not None else ""
            self._console.print(f"{self._what}: {done:,}{of_all}{', ' if note else ''}{note}")


class _BarMonitor:
    """Shows an operation's progress on a bar. Never cancels, because Ctrl+C ends the command."""

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
    """Print file names and reasons, at most twenty."""
    if not failures:
        return
    table = Table("file", "failed because", box=None, pad_edge=False, header_style="dim")
    for name, reason in failures[:_MOST_LISTED]:
        table.add_row(name, reason)
    console = messages()
    console.print(table)
    if len(failures) > _MOST_LISTED:
        console.print(f"... and {len(failures) - _MOST_LISTED} more (--json lists all)")
