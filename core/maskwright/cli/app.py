"""The commands of `maskwright`, put together."""

import logging
from collections.abc import Callable
from typing import Annotated

import typer

from maskwright._version import __version__
from maskwright.cli import exit_codes
from maskwright.cli.check import check
from maskwright.cli.classes import classes
from maskwright.cli.convert import convert, import_
from maskwright.cli.demo import demo
from maskwright.cli.duplicates import duplicates
from maskwright.cli.effort import effort
from maskwright.cli.evaluate import evaluate
from maskwright.cli.export import export
from maskwright.cli.images import images
from maskwright.cli.learn import learn
from maskwright.cli.machine import devices, info
from maskwright.cli.models import app as models
from maskwright.cli.output import PlainFormatter
from maskwright.cli.prelabel import prelabel
from maskwright.cli.queue import queue
from maskwright.cli.restore import restore
from maskwright.cli.trust import trust


def start_logging(verbosity: int = 0) -> None:
    """0: warnings; 1: what matters to a user; 2 and above: what matters to a developer."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)]
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    # Warnings about damaged EXIF and the like: metadata that nobody needs, in images that are fine.
    logging.getLogger("py.warnings").setLevel(logging.ERROR if verbosity < 2 else logging.DEBUG)
    for library in ("PIL", "tifffile", "alembic"):
        logging.getLogger(library).setLevel(logging.ERROR if verbosity < 2 else logging.INFO)


app = typer.Typer(
    name="maskwright",
    help="Pre-label images with an instance segmentation model, correct the polygons, export a COCO file.\n\n"
    "Without a command, or given a folder or project, opens the window.",
    epilog=exit_codes.HELP,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
_ALL: dict[str, Callable[..., None]] = {
    "demo": demo,
    "prelabel": prelabel,
    "export": export,
    "import": import_,
    "check": check,
    "convert": convert,
    "evaluate": evaluate,
    "queue": queue,
    "classes": classes,
    "images": images,
    "effort": effort,
    "learn": learn,
    "duplicates": duplicates,
    "restore": restore,
    "trust": trust,
    "info": info,
    "devices": devices,
}
COMMANDS = frozenset((*_ALL, "models"))
for _name, _command in _ALL.items():
    app.command(_name, epilog=exit_codes.HELP)(_command)
app.add_typer(models, name="models", epilog=exit_codes.HELP)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"maskwright {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Log more; give it twice for debugging.")
    ] = 0,
) -> None:
    start_logging(verbose)
