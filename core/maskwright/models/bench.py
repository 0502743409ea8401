"""Measures a model's speed on this machine: one image at a time, and many at once, per device and precision."""

import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.model import Model, load_model
from maskwright.inference.runtime import Feeds

_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """One model on one device in one precision; if the device cannot run it, a `failure` and no numbers."""

    model: str
    device: str
    precision: str
    """As requested; the device's actual choice is in `runs_in`."""
    runs_in: str = ""
    """The actual inference precision, preceded by "int8 + " if the model is quantised. A processor without bf16
    uses f32 instead.
    """
    latency_ms: float = 0.0
    """Median for one image at a time; mean, minimum and maximum follow."""
    average_ms: float = 0.0
    least_ms: float = 0.0
    most_ms: float = 0.0
    count: int = 0
    """Number of images that the latency was measured on."""
    images_per_s: float = 0.0
    """With the device's preferred number of images in flight."""
    failure: str = ""


def bench(
    path_or_name: str | Path,
    *,
    devices: Iterable[str],
    precisions: Iterable[str | None],
    seconds: float = 3.0,
    size_wh: tuple[int, int] = (640, 480),
) -> Iterator[Timing]:
    """Time inference alone, without reading files or making masks, for `seconds` each way.

    precisions: "f32", "bf16", "f16" or None for the device's default. size_wh: size of the noise images; matters for
    networks with a dynamic input size. Raises ModelError if the model cannot be read.
    """
    image = np.random.default_rng(0).integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)
    wanted = list(precisions)
    for device in devices:
        for precision in wanted:
            model = load_model(path_or_name, device=device, precision=precision)
            yield _timed(model, device, precision or "default", image, seconds)


def _timed(model: Model, device: str, precision: str, image: NDArray[np.uint8], seconds: float) -> Timing:
    if model.device_note is not None:
        return Timing(model.path.stem, device, precision, failure=model.device_note)
    try:
        feeds = model.feeds(image)
        times_ms = _latencies_ms(model, feeds, seconds)
        rate = _images_per_s(model, feeds, seconds)
    except ModelError as error:
        return Timing(model.path.stem, device, precision, failure=error.message)
    return Timing(
        model.path.stem,
        device,
        precision,
        f"int8 + {model.precision}" if model.is_quantised else model.precision,
        statistics.median(times_ms),
        statistics.fmean(times_ms),
        min(times_ms),
        max(times_ms),
        len(times_ms),
        rate,
    )


def _latencies_ms(model: Model, feeds: Feeds, seconds: float) -> list[float]:
    request = model.requests(1, hint="latency")[0]
    for _ in range(_WARM_UP):
        request.run(feeds)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        request.run(feeds)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def _images_per_s(model: Model, feeds: Feeds, seconds: float) -> float:
    requests = model.requests()
    for request in requests:
        request.run(feeds)
    counts = [0] * len(requests)
    failures: list[ModelError] = []
    end = time.perf_counter() + seconds

    def work(index: int) -> None:
        try:
            while counts[index] == 0 or time.perf_counter() < end:
                requests[index].run(feeds)
                counts[index] += 1
        except ModelError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(requests))]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.perf_counter() - start)
