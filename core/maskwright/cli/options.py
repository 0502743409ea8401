"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ProjectArgument = Annotated[Path, typer.Argument(help="A project, or the image folder that contains it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Replace existing files.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only report what would be written and what would be lost.")]
