"""A long batch with everything going wrong once: bad files, a device that fails midway, a pause, a restart; memory.

    python tests/benchmarks/bench_long_batch.py [--images 2000] [--model MODEL.xml]

One image in twenty is damaged. After a third the device fails and the batch stops; it is resumed, cancelled after two
thirds, the project closed and opened again, and the rest done. Every good image must be done once, every bad one be
listed.
"""

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from maskwright.errors import ModelError
from maskwright.inference.model import Model, load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.prelabel import CancelToken, Progress, run_batch
from maskwright.project import Project, ScannedImage

ROOT = Path(__file__).resolve().parents[2]
_BAD_EVERY = 20


def make_images(folder: Path, count: int) -> None:
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    for index in range(count):
        path = folder / f"{index:05d}.jpg"
        Image.fromarray(np.roll(noise, index, axis=1)).save(path, quality=60)
        if index % _BAD_EVERY == 7:
            path.write_bytes(path.read_bytes()[:2000])


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--model", default=None, help="default: a tiny one that is made for this")
    chosen = parser.parse_args()
    count, table = chosen.images, Table("images", "memory MB")
    finished: Counter[int] = Counter()

    def note(progress: Progress) -> None:
        finished[progress.image_id] += 1
        if progress.finished % max(count // 10, 1) == 0:
            table.add_row(str(progress.finished), f"{rss_mb():.0f}")

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_images(folder / "images", count)
        model = load_model(chosen.model or _tiny_model(folder))
        project = Project.create(folder / "set.maskwright", image_root=folder / "images")
        project.images.add(ScannedImage(f"{index:05d}.jpg", 640, 480) for index in range(count))

        infer = Model.infer

        def dying(self: Model, *arguments: object) -> object:
            if len(finished) > count // 3:
                raise ModelError("the device is gone")
            return infer(self, *arguments)

        Model.infer = dying  # type: ignore[method-assign]  # the fault that is to be survived
        first = run_batch(project, model, Thresholds(), on_progress=note)
        Model.infer = infer  # type: ignore[method-assign]
        token = CancelToken()

        def note_and_stop(progress: Progress) -> None:
            note(progress)
            if progress.finished == 2 * count // 3:
                token.cancel()

        second = run_batch(project, model, Thresholds(), on_progress=note_and_stop, cancel=token, resume=True)
        project.close()
        project = Project.open(project.path)
        third = run_batch(project, model, Thresholds(), on_progress=note, resume=True)
        failed = len(project.runs.failures(third.run_id))
        project.close()
    bad = len(range(7, count, _BAD_EVERY))
    twice = sum(times > 1 for times in finished.values())
    Console().print(
        table,
        f"stopped: {first.stopped_because}; cancelled with {second.remaining} to go; then {third.done} done, "
        f"{failed} failed (of {bad} bad), {third.remaining} left, {twice} done twice",
    )
    sys.exit(bool(twice or third.remaining or failed != bad or third.done != count - bad))


def _tiny_model(folder: Path) -> str:
    sys.path.insert(0, str(ROOT / "tests"))
    import tiny_models

    return str(tiny_models.yolact(folder / "tiny.xml"))


if __name__ == "__main__":
    main()
