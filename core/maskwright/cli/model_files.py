"""`maskwright models convert`, `bench` and `quantize`: working on model files."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.table import Table

from maskwright.cli import exit_codes
from maskwright.cli.options import AsJson
from maskwright.cli.output import messages, print_json, reports_errors, results
from maskwright.errors import MaskwrightError

if TYPE_CHECKING:
    from maskwright.models.bench import Timing
    from maskwright.models.quantise import Cost


@reports_errors
def convert(
    file: Annotated[
        Path,
        typer.Argument(help=".pth, .pb, .tar.gz, .onnx or .xml with its .bin; for a pair, the encoder or the decoder."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the new .xml and .bin.")],
    precision: Annotated[str, typer.Option(help="Precision of the stored weights: f16 or f32.")] = "f16",
    name: Annotated[str | None, typer.Option(help="Name of the new files. Default: that of the file.")] = None,
    pixels: Annotated[
        str | None, typer.Option(help="bgr, rgb, rgb-unit or rgb-normalised, if detected wrongly.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Convert a model file to OpenVINO IR, with preprocessing, labels and family noted in it."""
    from maskwright.inference.files import is_half, pair_name, with_other_half
    from maskwright.models.convert import convert as convert_file
    from maskwright.models.convert import converted_pair
    from maskwright.models.install import matching_card

    card, chosen = matching_card(file), checked_precision(precision)
    if is_half(file):
        made = converted_pair(with_other_half(file), out, precision=chosen, name=name or pair_name(file))
    else:
        made = convert_file(file, out, precision=chosen, name=name, pixels=_pixels(pixels))
    if as_json:
        published = card.name if card is not None else None
        print_json({"path": str(made.path), "family": made.family, "kind": str(made.kind), "published_as": published})
        return exit_codes.OK
    origin = f"checksum of {card.name}" if card is not None else "not a published file in the catalogue"
    messages().print(f"{made.kind} ({origin}), family {made.family}")
    results().print(str(made.path))
    return exit_codes.OK


@reports_errors
def bench(
    models: Annotated[list[str], typer.Argument(help="Model files, or names of bundled or installed models.")],
    device: Annotated[list[str] | None, typer.Option(help="Can be repeated. Default: all devices.")] = None,
    precision: Annotated[list[str] | None, typer.Option(help="f32, bf16 or f16; can be repeated.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of each measurement.")] = 3.0,
    size: Annotated[str, typer.Option(help="Image size, for networks that accept any size.")] = "640x480",
    as_json: AsJson = False,
) -> int:
    """Time models on this machine, such as one and its eight-bit copy: one image at a time, and many at once."""
    from maskwright.inference.runtime import list_devices
    from maskwright.models.bench import bench as run_bench

    size_wh = _size_wh(size)
    devices, precisions = device or list_devices(), precision or (None, "f32", "bf16")
    timings: list[Timing] = []
    for model in models:
        timings += run_bench(model, devices=devices, precisions=precisions, seconds=seconds, size_wh=size_wh)
    if as_json:
        print_json({"timings": [asdict(timing) for timing in timings]})
        return exit_codes.OK
    results().print(_timing_table(timings))
    for timing in timings:
        if timing.failure:
            messages().print(f"{timing.model}, {timing.device}, {timing.precision}: {timing.failure}")
    return exit_codes.OK


def _timing_table(timings: "list[Timing]") -> Table:
    """Columns as in benchmark_app, one row per model, device and precision."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("model", "device", "asked for", "runs in"):
        table.add_column(heading, no_wrap=True)
    for heading in ("median", "average", "min", "max", "images/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for timing in timings:
        spans = (timing.latency_ms, timing.average_ms, timing.least_ms, timing.most_ms)
        figures = [*(f"{span:.1f} ms" for span in spans), f"{timing.images_per_s:.1f}"]
        table.add_row(
            *(timing.model, timing.device, timing.precision, timing.runs_in),
            *(figures if not timing.failure else ["-"] * 5),
        )
    return table


@reports_errors
def quantize(
    model: Annotated[str, typer.Argument(help="A model file, or the name of a bundled or installed model.")],
    images: Annotated[Path, typer.Argument(help="Folder of images to calibrate on, like those the model will see.")],
    out: Annotated[Path, typer.Option(help="Folder for the new .xml and .bin.")],
    count: Annotated[int, typer.Option(min=10, help="Maximum number of images, spread evenly over the folder.")] = 200,
    truth: Annotated[Path | None, typer.Option(help="COCO ground truth: measures the loss of accuracy.")] = None,
    truth_images: Annotated[
        Path | None, typer.Option(help="Images of the ground truth. Default: the calibration images.")
    ] = None,
    largest_drop: Annotated[
        float, typer.Option(min=0, max=1, help="Largest allowed drop of mask AP; beyond it nothing is written.")
    ] = 0.02,
    as_json: AsJson = False,
) -> int:
    """Make an eight-bit copy of a model (needs NNCF, the extra "quantise")."""
    from maskwright.images.kind import spread
    from maskwright.inference.files import is_half
    from maskwright.inference.installed import model_path
    from maskwright.models.quantise import Cost, cost, quantise

    if truth is not None and is_half(model_path(model)):
        raise MaskwrightError(
            "an assistant proposes nothing that could be compared with a ground truth", hint="leave out --truth"
        )
    for folder in filter(None, (images, truth_images)):
        if not folder.is_dir():
            raise MaskwrightError("no such folder", path=folder)
    costs: list[Cost] = []

    def judge(made: Path) -> None:
        if truth is not None:
            costs.append(cost(model, made, truth, truth_images or images))
            _refuse_large_drop(costs[0], largest_drop)

    files = sorted(path for path in images.iterdir() if path.is_file())
    made = quantise(model, spread(files, count), out, judge=judge)
    if as_json:
        print_json({"path": str(made), "cost": {**asdict(costs[0]), "change": costs[0].change} if costs else None})
        return exit_codes.OK
    results().print(str(made))
    for found in costs:
        messages().print(_told(found))
    return exit_codes.OK


def _refuse_large_drop(found: "Cost", limit: float) -> None:
    if -found.change > limit:
        raise MaskwrightError(
            f"not written: it loses more than {limit:g} mask AP: {_told(found)}",
            hint="try other calibration images or a higher --largest-drop",
        )


def _told(found: "Cost") -> str:
    return (
        f"mask AP {found.ap_before:.3f} before, {found.ap_after:.3f} after ({found.change:+.3f}); "
        f"AP50 {found.ap50_before:.3f}, {found.ap50_after:.3f}"
    )


def _pixels(text: str | None) -> Any:
    from maskwright.inference.adapters.family import PixelFormat

    if text is not None and text not in get_args(PixelFormat):
        raise MaskwrightError(f"pixels is one of {', '.join(get_args(PixelFormat))}, got {text}")
    return text


def checked_precision(text: str) -> Any:
    """The precision of stored weights. Raises MaskwrightError if it is unknown."""
    if text not in ("f16", "f32"):
        raise MaskwrightError(f"precision is f16 or f32, got {text}")
    return text


def _size_wh(text: str) -> tuple[int, int]:
    width, separator, height = text.partition("x")
    if not separator or not width.isdecimal() or not height.isdecimal() or not 0 < int(width) * int(height) <= 10**8:
        raise typer.BadParameter(f"expected WIDTHxHEIGHT such as 640x480, got {text}")
    return int(width), int(height)
