"""Images of 108 megapixels in the whole window: how soon something is seen, and how much memory it takes.

    PYTHONPATH=core:gui:resources:tests python tests/benchmarks/bench_large_images.py [--folder KEEP]

Each file is opened by a process of its own, whose peak is that of the program: window, thumbnail and all. The goals of
0.4 s and 700 MB are for the preview and the peak. PNG and TIFFs of thick compressed strips have no preview.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the program does
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
import tifffile
from PySide6.QtCore import QEventLoop, QSettings, QTimer

from maskwright_gui.app import Workbench, make_application

WH = (12_000, 9_000)
MOST_S = 60.0


def make_files(folder: Path) -> list[Path]:
    """One picture as JPEG, PNG and TIFF of several layouts, each alone in a folder."""
    coarse = np.random.default_rng(0).integers(0, 255, (WH[1] // 100, WH[0] // 100, 3), np.uint8)
    bgr = cv2.resize(coarse, WH, interpolation=cv2.INTER_CUBIC)
    names = ("photo.jpg", "picture.png", "raw.tif", "rows.tif", "strips.tif", "tiles.tif")
    paths = [folder / name.replace(".", "-") / name for name in names]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(paths[0]), bgr)
    cv2.imwrite(str(paths[1]), bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    rgb, small = bgr[:, :, ::-1], bgr[::8, ::8, ::-1]
    tifffile.imwrite(paths[2], rgb, photometric="rgb")
    tifffile.imwrite(paths[3], rgb, photometric="rgb", compression="zlib", rowsperstrip=1)
    tifffile.imwrite(paths[4], rgb, photometric="rgb", compression="zlib", rowsperstrip=64)
    with tifffile.TiffWriter(paths[5]) as file:
        file.write(rgb, photometric="rgb", compression="zlib", tile=(512, 512))
        file.write(small, photometric="rgb", compression="zlib", tile=(512, 512), subfiletype=1)
    return paths


def watch(path: Path) -> None:
    """Open the file's folder as a person would and print what it took."""
    application = make_application([])
    bench = Workbench(QSettings(str(path.parent.parent / "window.ini"), QSettings.Format.IniFormat))
    bench.window.resize(1600, 1000)
    bench.window.show()
    rest(300)
    begun, seen, peak_before = [], [], peak_mb()
    bench.session.image_changed.connect(lambda image: begun.append(clock()) if image is not None else None)
    bench.images.work_changed.connect(lambda text, *_: seen.append(("told", clock())) if text else None)
    bench.loader.previewed.connect(lambda *_: seen.append(("preview", clock())))
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
    print(f"{path.parent.name:<14}{times}{peak_before:9.0f}{peak_mb():8.0f}", flush=True)
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
    parser.add_argument("--folder", type=Path, help="where to keep the files (1.3 GB)")
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
        print(f"{'s: wall, CPU':<14}{'told':>16}{'preview':>16}{'whole':>16}{'MB before':>9}{'peak':>8}")
        for path in make_files(folder):
            subprocess.run([sys.executable, __file__, "--watch", str(path)], env=environment, check=True)


if __name__ == "__main__":
    main()
