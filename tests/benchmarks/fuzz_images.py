"""Damages small images of every kind and reads them in every way, each slice in a process of its own under a limit.

python tests/benchmarks/fuzz_images.py [--mutants 10000] [--seed 0] [--memory-gb 3] [--warnings-are-errors]

Counts what was read, refused (ImageError), leaked another exception, hung (over 10 s of CPU), ended the process, or was
read wrongly: of another size than its header says, otherwise after a change that is none (padding, a comment).
"""

import argparse
import logging
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from image_fuzzing import mutated, neutral_changes, seeds, suffix_of
from maskwright.errors import ImageError
from maskwright.images import decode, probe_pages, read_image, read_preview, read_thumbnail

SLICE = 500
HANG_CPU_S = 10.0
NEUTRAL_SHARE = 0.1
KINDS = ("read", "refused", "leaked", "hung", "crashed", "wrong")


class HungError(BaseException):
    """Raised by the timer."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory-gb", type=float, default=3.0)
    parser.add_argument("--warnings-are-errors", action="store_true")
    arguments = parser.parse_args()
    counted: Counter[str] = Counter()
    for start in range(0, arguments.mutants, SLICE):
        count = min(SLICE, arguments.mutants - start)
        done = _in_child(arguments, f"{arguments.seed}:{start}", count)
        done["crashed"] += count - done.total()
        counted += done
        print(f"{counted.total():7} mutants: " + ", ".join(f"{counted[kind]} {kind}" for kind in KINDS), flush=True)
    return 1 if any(counted[kind] for kind in KINDS[2:]) else 0


def _in_child(arguments: argparse.Namespace, seed: str, count: int) -> Counter[str]:
    """What each mutant came to; those after one that ends the process are missing."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        limit = int(arguments.memory_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        if arguments.warnings_are_errors:
            warnings.simplefilter("error")
        _run(random.Random(seed), count, theirs)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        letters = stream.read().decode()
    _, status = os.waitpid(child, 0)
    if status:
        print(f"slice {seed} ended with status {status} at mutant {len(letters)}")
    return Counter(KINDS[int(letter)] for letter in letters)


def _run(chance: random.Random, count: int, report: int) -> None:
    signal.signal(signal.SIGVTALRM, _on_timer)
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    files = seeds()
    names = sorted(files)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            name = chance.choice(names)
            path = Path(folder) / f"x{suffix_of(name)}"
            is_neutral = chance.random() < NEUTRAL_SHARE
            change = chance.choice(neutral_changes(name)) if is_neutral else mutated
            path.write_bytes(files[name])
            decode.LARGE_PIXELS = chance.choice([1, 40_000_000])  # also piece by piece, as large files are read
            whole = read_image(path).bgr_u8 if is_neutral else None
            data = change(files[name], chance)
            path.write_bytes(data)
            signal.setitimer(signal.ITIMER_VIRTUAL, HANG_CPU_S)
            try:
                outcome = _look(path, whole)
            except HungError:
                outcome = "hung"
            except Exception:  # noqa: BLE001  (the border of this program: whatever it is, it is a finding)
                outcome = "leaked"
                traceback.print_exc(limit=-4)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            if outcome in KINDS[2:]:
                print(f"{outcome}: {name}{', neutral' if is_neutral else ''}: {data[:200].hex()} ({len(data)} bytes)")
            os.write(report, str(KINDS.index(outcome)).encode())


def _look(path: Path, whole: np.ndarray | None) -> str:
    try:
        header = next(iter(probe_pages(path)))[1]
        list(probe_pages(path))
        seen = read_image(path).bgr_u8
        read_thumbnail(path, max_side_px=24)
        read_preview(path, max_side_px=24)
    except ImageError:
        return "refused" if whole is None else "wrong"
    if isinstance(header, ImageError) or seen.shape[:2] != (header.height, header.width):
        return "wrong"
    return "read" if whole is None or np.array_equal(whole, seen) else "wrong"


def _on_timer(*_: object) -> None:
    raise HungError


if __name__ == "__main__":
    sys.exit(main())
