"""Images of 108 megapixels in the whole window: how soon something is seen, and how much memory it takes.

    PYTHONPATH=core:gui:resources:tests python tests/benchmarks/bench_large_images.py [--folder KEEP]

Each file is opened twice, by a process of its own each time, whose peak is that of the program: window, thumbnail and
all. The goals of 0.4 s and 700 MB are for the preview and the peak. The preview of a plain PNG, and of a TIFF in one
compressed strip, fills from the top: its time is that of the first rows. At the second opening there is one of the
whole image, kept in the cache folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QEventLoop, QSettings, QTimer

from maskwright.memory import use_few_arenas
from maskwright_gui.app import Workbench, make_application

WH = (12_000, 9_000)
MOST_S = 60.0


TIFFS: dict[str, dict[str, Any]] = {
    "raw": {},
    "rows": {"compression": "zlib", "rowsperstrip": 1},
    "strips": {"compression": "zlib", "rowsperstrip": 64},
    "differences": {"compression": "zlib", "rowsperstrip": 64, "predictor": True},
    "one-strip": {"compression": "zlib", "rowsperstrip": WH[1]},
    "turned": {"compression": "zlib", "rowsperstrip": 64, "extratags": [(274, 3, 1, 6, True)]},
    "tiles": {"compression": "zlib", "tile": (512, 512)},
    "planes": {"compression": "zlib", "rowsperstrip": 64, "planarconfig": "separate"},
}
DEEP: dict[str, dict[str, Any]] = {"raw": {}, "strips": {"compression": "zlib", "rowsperstrip": 64}}


def make_files(folder: Path) -> Iterator[Path]:
    """One picture as files of many kinds, each alone in a folder."""
    coarse = np.random.default_rng(0).integers(0, 255, (WH[1] // 100, WH[0] // 100, 3), np.uint8)
    bgr = cv2.resize(coarse, WH, interpolation=cv2.INTER_CUBIC)
    rgb, grey = bgr[:, :, ::-1], np.ascontiguousarray(bgr[:, :, 1])
    yield from _by_opencv(folder, bgr, grey)
    yield from _by_pillow(folder, Image.fromarray(np.ascontiguousarray(rgb)))
    for name, options in TIFFS.items():
        stored = np.moveaxis(rgb, -1, 0) if name == "planes" else rgb
        yield _written(folder, f"{name}.tif", partial(tifffile.imwrite, data=stored, photometric="rgb", **options))
    for name, options in DEEP.items():
        for kind, samples in (("16", grey.astype(np.uint16) * 257), ("float", grey / np.float32(255))):
            yield _written(folder, f"{name}{kind}.tif", partial(tifffile.imwrite, data=samples, **options))
        sixteen = partial(tifffile.imwrite, data=rgb.astype(np.uint16) * 257, photometric="rgb", **options)
        yield _written(folder, f"{name}16rgb.tif", sixteen)


def _by_opencv(folder: Path, bgr: NDArray[np.uint8], grey: NDArray[np.uint8]) -> Iterator[Path]:
    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    for name, pixels, options in (
        ("photo.jpg", bgr, []),
        ("picture.png", bgr, fast),
        ("deep.png", grey.astype(np.uint16) * 257, fast),
        ("picture.bmp", bgr, []),
        ("picture.webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, 80]),
    ):
        yield _written(folder, name, lambda path, p=pixels, o=options: cv2.imwrite(str(path), p, o))


def _by_pillow(folder: Path, image: Image.Image) -> Iterator[Path]:
    exif = Image.Exif()
    exif[0x0112] = 6
    yield _written(folder, "turned.jpg", partial(image.save, quality=90, exif=exif))
    for name, compression in (("lzw", "tiff_lzw"), ("packbits", "packbits"), ("jpeg", "jpeg")):
        yield _written(folder, f"{name}.tif", partial(image.save, compression=compression, tiffinfo={278: 64}))


def _written(folder: Path, name: str, write: Callable[[Path], object]) -> Path:
    path = folder / name.replace(".", "-") / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write(path)
    return path


def watch(path: Path) -> None:
    """Open the file's folder as a user would and print what it took."""
    use_few_arenas()  # as the program does
    application = make_application([])
    bench = Workbench(QSettings(str(path.parent.parent / "window.ini"), QSettings.Format.IniFormat))
    bench.window.resize(1600, 1000)
    bench.window.show()
    rest(300)
    begun, seen, peak_before = [], [], peak_mb()
    bench.session.image_changed.connect(lambda image: begun.append(clock()) if image is not None else None)
    bench.images.work_changed.connect(lambda text, *_: seen.append(("told", clock())) if text else None)
    bench.loader.previewed.connect(lambda *_: seen.append(("preview", clock())) if len(seen) < 2 else None)
    bench.loader.loaded.connect(lambda *_: seen.append(("whole", clock())))
    QTimer.singleShot(0, bench.window, lambda: bench.projects.open_path(path.parent))
    end = time.monotonic() + MOST_S
    while "whole" not in dict(seen) and time.monotonic() < end:
        rest(50)
    rest(1500)
    at = {
        name: "".join(f"{now - then:8.2f}" for now, then in zip(moment, begun[0], strict=True)) for name, moment in seen
    }
    times = "".join(f"{at.get(name, '       –       –')}" for name in ("told", "preview", "whole"))
    print(f"{path.parent.name:<15}{times}{peak_before:9.0f}{peak_mb():8.0f}", flush=True)
    bench.stop()
    application.quit()


def rest(ms: int) -> None:
    """As the program's own event loop does; `QTest.qWait` would keep the interpreter lock from the threads."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def clock() -> tuple[float, float]:
    """(wall, CPU of the process), seconds."""
    return time.perf_counter(), time.process_time()


def peak_mb() -> float:
    """Most memory of the process so far, 10^6 bytes; what a child inherits at its start is not in it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to keep the files (6 GB)")
    parser.add_argument("--watch", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch is not None:
        watch(arguments.watch)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name)
        folder.mkdir(exist_ok=True)
        environment = os.environ | {
            "HOME": name,
            "XDG_DATA_HOME": name,
            "XDG_CONFIG_HOME": name,
            "XDG_CACHE_HOME": name,
        }
        print(f"{'s: wall, CPU':<15}{'told':>16}{'preview':>16}{'whole':>16}{'MB before':>9}{'peak':>8}")
        for path in make_files(folder):
            for _ in ("first", "again"):
                subprocess.run([sys.executable, __file__, "--watch", str(path)], env=environment, check=True)
            if arguments.folder is None:
                shutil.rmtree(path.parent)


if __name__ == "__main__":
    main()
