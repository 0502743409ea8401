"""What it would cost to decode images in a process of their own, under limits of memory and of time.

python tests/benchmarks/bench_decode_worker.py [--count 40]

Three ways: here (as the program does), in a process that stays and hands pixels over in shared memory, and in a process
made for each image. Prints milliseconds of CPU time an image, of both processes together, and the time to start one.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.images import read_image

SIZES = {"0.3 MP": (640, 480), "2 MP": (1920, 1080), "12 MP": (4000, 3000), "48 MP": (8000, 6000)}
MOST_BYTES = 4 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    count = parser.parse_args().count
    started = _cpu_s()
    process, ours = _start()
    ours.send(None)
    process.join()
    print(f"a process: {1000 * (_cpu_s() - started):.0f} ms of CPU to start and end")
    with tempfile.TemporaryDirectory() as folder:
        for name, size_wh in SIZES.items():
            path = Path(folder) / "x.jpg"
            _picture(size_wh).save(path, quality=90)
            few = max(count // (size_wh[0] * size_wh[1] // 2_000_000 + 1), 3)
            here = _spent(few, lambda path=path: read_image(path).bgr_u8)
            process, ours = _start()
            ours.send(path)
            _received(ours)
            before = _child_cpu_s(process.pid)
            there = _spent(few, lambda path=path, ours=ours: _asked(ours, path))
            there += 1000 * (_child_cpu_s(process.pid) - before) / few
            ours.send(None)
            process.join()
            alone = _spent(3, lambda path=path: _alone(path))
            print(f"{name:7} here {here:7.1f} ms, a process that stays {there:7.1f} ms, one for each {alone:7.1f} ms")


def _picture(size_wh: tuple[int, int]) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (size_wh[1] // 8, size_wh[0] // 8, 3), np.uint8)
    return Image.fromarray(noise).resize(size_wh, Image.Resampling.BICUBIC)


def _start() -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,))
    process.start()
    return process, ours


def _serve(ask: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    while (path := ask.recv()) is not None:
        pixels = read_image(path).bgr_u8
        shared = SharedMemory(create=True, size=pixels.nbytes)
        np.ndarray(pixels.shape, np.uint8, shared.buf)[:] = pixels
        ask.send((shared.name, pixels.shape))
        ask.recv()
        shared.close()


def _asked(ours: Connection, path: Path) -> np.ndarray:
    ours.send(path)
    return _received(ours)


def _received(ours: Connection) -> np.ndarray:
    name, shape = ours.recv()
    shared = SharedMemory(name)
    pixels = np.ndarray(shape, np.uint8, shared.buf).copy()
    shared.close()
    shared.unlink()
    ours.send(True)
    return pixels


def _alone(path: Path) -> np.ndarray:
    process, ours = _start()
    pixels = _asked(ours, path)
    ours.send(None)
    process.join()
    return pixels


def _spent(count: int, work: Callable[[], object]) -> float:
    """Milliseconds of CPU time of one, children that have ended included."""
    start = _cpu_s()
    for _ in range(count):
        work()
    return 1000 * (_cpu_s() - start) / count


def _cpu_s() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _child_cpu_s(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
