"""End-to-end images per second of a batch over the bare asynchronous throughput of the same compiled model.

    python tests/benchmarks/bench_pipeline.py MODEL.xml FOLDER [--images 60] [--rounds 5] [--score 0.3]

Both sides run in turns within one process, so that a busy machine slows both; the ratio of each round and their median
are printed, of wall time and of CPU time (to go by where the machine has other work). The batch decodes, infers,
selects, traces and stores; the bare side infers one prepared image again and again and throws the result away.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does

import numpy as np
import openvino
from rich.console import Console
from rich.table import Table

from maskwright.images import read_image
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.prelabel import run_batch
from maskwright.project import Project, scan_folder


def bare_images_per_s(model: Model, image_path: Path, count: int) -> tuple[float, float]:
    """(images per second of wall time, CPU milliseconds per image) with nothing but inference."""
    compiled = model._choice.compiled("throughput")
    feeds = model.feeds(read_image(image_path).bgr_u8)
    waiting = openvino.AsyncInferQueue(compiled._compiled, compiled.best_request_count + 1)
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        waiting.start_async(feeds)
    waiting.wait_all()
    return count / (time.perf_counter() - started), (time.process_time() - cpu) / count * 1e3


def batch_images_per_s(model: Model, folder: Path, count: int, settings: Thresholds) -> tuple[float, float, float]:
    """As above for a whole batch into a new project; third: instances per image."""
    with tempfile.TemporaryDirectory() as place:
        project = Project.create(Path(place) / "bench.maskwright", image_root=folder)
        usable = [image for image in scan_folder(folder) if image.failure is None]
        project.images.add(usable[:count])
        started, cpu = time.perf_counter(), time.process_time()
        report = run_batch(project, model, settings)
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        found = sum(record.instance_count for record in project.images.all())
        project.close()
    return report.done / wall, cpu / report.done * 1e3, found / report.done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--score", type=float, default=None)
    parser.add_argument("--max-instances", type=int, default=None)
    parser.add_argument("--precision", default="f32")
    chosen = parser.parse_args()
    model = load_model(chosen.model, precision=chosen.precision)
    first = next(image for image in scan_folder(chosen.folder) if image.failure is None)
    image_path = chosen.folder / first.file_name
    bare_images_per_s(model, image_path, 8)  # compiles and warms up
    settings = Thresholds(score=chosen.score, max_instances=chosen.max_instances)
    table = Table("round", "bare img/s", "CPU ms", "batch img/s", "CPU ms", "instances", "ratio", "CPU ratio")
    ratios: list[tuple[float, float]] = []
    for index in range(chosen.rounds):
        before = bare_images_per_s(model, image_path, chosen.images // 2)
        batch = batch_images_per_s(model, chosen.folder, chosen.images, settings)
        after = bare_images_per_s(model, image_path, chosen.images // 2)
        bare = 2 / (1 / before[0] + 1 / after[0])
        cpu_ms = float(np.mean([before[1], after[1]]))
        ratios.append((batch[0] / bare, cpu_ms / batch[1]))
        row = (f"{bare:.1f}", f"{cpu_ms:.1f}", f"{batch[0]:.1f}", f"{batch[1]:.1f}", f"{batch[2]:.1f}")
        table.add_row(str(index + 1), *row, *(f"{ratio:.2f}" for ratio in ratios[-1]))
    wall, cpu = (statistics.median(side) for side in zip(*ratios, strict=True))
    Console().print(table, f"{model.name}: median ratio {wall:.2f} of wall time, {cpu:.2f} of CPU time")


if __name__ == "__main__":
    main()
