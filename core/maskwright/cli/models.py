"""`maskwright models ...`: the catalogue, the installed models, and files that users add."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.model_files import bench, checked_precision, convert, quantize
from maskwright.cli.options import AsJson
from maskwright.cli.output import messages, print_json, progress_bar, reports_errors, results
from maskwright.errors import MaskwrightError

if TYPE_CHECKING:
    from maskwright.models.catalog import Listed

app = typer.Typer(help="List, get, convert, check and remove models.", epilog=exit_codes.HELP, no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="A name that `maskwright models list` shows.")]


@app.command("list", epilog=exit_codes.HELP)
@reports_errors
def list_models(as_json: AsJson = False) -> int:
    """List the models and assistants of the catalogue and those that were added by hand."""
    from maskwright.models.catalog import listed_assistants, listed_models

    rows = [_row(model, "model") for model in listed_models()]
    rows += [_row(model, "assistant") for model in listed_assistants()]
    if as_json:
        print_json({"models": rows})
        return exit_codes.OK
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("name", "kind", "state", "download", "licence", "what it is"):
        table.add_column(heading, no_wrap=heading != "what it is")
    for row in rows:
        size = f"{row['download_bytes'] / 1e6:.0f} MB" if row["download_bytes"] else ""
        if row["arrived_bytes"]:
            size = f"{row['arrived_bytes'] / 1e6:.0f} of {size}"
        table.add_row(row["name"], row["kind"], row["state"], size, row["license"], row["title"])
    results().print(table)
    return exit_codes.OK


@app.command("show", epilog=exit_codes.HELP)
@reports_errors
def show(name: Name, as_json: AsJson = False) -> int:
    """Print what is known about a model."""
    from maskwright.inference.installed import installed_model
    from maskwright.models.catalog import all_cards

    card = next((card for card in all_cards() if card.name == name), None)
    installed = installed_model(name)
    if card is None and installed is None:
        raise MaskwrightError(f"no model called {name}", hint="maskwright models list")
    content: dict[str, Any] = {"name": name}
    if card is not None:
        keys = ("title", "family", "license", "source", "description", "input", "outputs", "hub", "by_hand")
        content |= {key: getattr(card, key) for key in keys if getattr(card, key)}
        content["metrics"] = dict(card.metrics)
        content["files"] = [asdict(file) for file in card.files]
    if installed is not None:
        content |= {"installed": str(installed.path), "came_from": installed.source, "sha256": installed.content_hash}
    if as_json:
        print_json(content)
        return exit_codes.OK
    for key, value in content.items():
        _print_entry(key, value)
    return exit_codes.OK


@app.command("get", epilog=exit_codes.HELP)
@reports_errors
def get(
    name: Annotated[str, typer.Argument(help="A catalogue name, hf://OWNER/NAME, or a file to add.")],
    as_name: Annotated[str | None, typer.Option("--name", help="Name for an added file. Default: its own.")] = None,
    precision: Annotated[str, typer.Option(help="Precision of the stored weights: f16 or f32.")] = "f16",
    as_json: AsJson = False,
) -> int:
    """Download and convert a model, or add a file (.pth, .pb, .tar.gz, .xml, .onnx); afterwards --model NAME works.

    An assistant of two files is added by either of them, the other beside it.
    """
    from maskwright.models.convert import FILE_SUFFIXES
    from maskwright.models.install import add_file, get_model

    chosen = checked_precision(precision)
    if Path(name).is_file():
        model = add_file(Path(name), name=as_name, precision=chosen)
    elif Path(name).suffix.lower() in FILE_SUFFIXES and not name.startswith("hf://"):
        raise MaskwrightError("no such file", path=Path(name))
    else:
        with progress_bar("download", None) as advance:
            model = get_model(
                name,
                precision=chosen,
                on_progress=lambda done, size: advance(done >> 20, f"of {size >> 20} MB"),
            )
    if as_json:
        print_json({"name": model.name, "family": model.family, "path": str(model.path)})
    else:
        results().print(f"{model.name} is ready: {model.path}")
    return exit_codes.OK


@app.command("verify", epilog=exit_codes.HELP)
@reports_errors
def verify_models(
    name: Annotated[str | None, typer.Argument(help="One model, or a downloaded file. Default: all installed.")] = None,
    as_json: AsJson = False,
) -> int:
    """Check installed models, or a downloaded file, against their checksums."""
    wrong = _found_wrong(name)
    if as_json:
        print_json({"checked": wrong})
    else:
        for entry, reason in wrong.items():
            results().print(f"{entry}: {reason or 'unchanged'}")
        if not wrong:
            messages().print("no models installed; the bundled one is part of the program")
    return exit_codes.FAILED if any(wrong.values()) else exit_codes.OK


@app.command("remove", epilog=exit_codes.HELP)
@reports_errors
def remove(name: Name, as_json: AsJson = False) -> int:
    """Delete an installed model and anything left of its download."""
    from maskwright.models.catalog import remove as remove_model

    remove_model(name)
    if as_json:
        print_json({"removed": name})
    else:
        results().print(f"{name} removed")
    return exit_codes.OK


app.command("convert", epilog=exit_codes.HELP)(convert)
app.command("bench", epilog=exit_codes.HELP)(bench)
app.command("quantize", epilog=exit_codes.HELP)(quantize)


def _found_wrong(name: str | None) -> dict[str, str | None]:
    """What is wrong with a downloaded file, one model, or all installed ones; None if it is intact."""
    from maskwright.inference.installed import installed_model, installed_models
    from maskwright.models.catalog import verify
    from maskwright.models.install import check_published

    if name is not None and Path(name).is_file():
        if check_published(Path(name)) is None:
            raise MaskwrightError("no model in the catalogue has a file with that name", path=name)
        return {name: None}
    chosen = installed_models() if name is None else tuple(filter(None, [installed_model(name)]))
    if name is not None and not chosen:
        raise MaskwrightError(f"no installed model is called {name}", hint="maskwright models list")
    found: dict[str, str | None] = {}
    for model in chosen:
        try:
            verify(model)
            found[model.name] = None
        except MaskwrightError as error:
            found[model.name] = str(error)
    return found


def _row(model: "Listed", kind: str) -> dict[str, Any]:
    return {
        "name": model.name,
        "kind": kind,
        "title": model.title,
        "license": model.card.license if model.card is not None else "",
        "download_bytes": model.card.download_size if model.card is not None else 0,
        "state": str(model.availability),
        "arrived_bytes": model.arrived_size,
    }


def _print_entry(key: str, value: Any) -> None:
    out = results()
    match value:
        case dict():
            for name, number in value.items():
                out.print(f"{name:22} {number}")
        case list():
            for entry in value:
                size = f"{entry['size'] / 1e6:.1f} MB" if entry["size"] else "size not published"
                out.print(f"{'file':22} {entry['name']}, {size}")
                algorithm = "sha256" if entry["sha256"] else "sha384"
                out.print(f"{'':22} {algorithm} {entry[algorithm]}")
                for url in entry["urls"]:
                    out.print(f"{'':22} {url}")
        case _:
            out.print(f"{key:22} {str(value).replace(chr(10), chr(10) + ' ' * 23)}")
