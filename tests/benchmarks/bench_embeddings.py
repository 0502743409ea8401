"""Memory and disk that embeddings of many images take, and how soon one is there again.

    python tests/benchmarks/bench_embeddings.py [--images 100]

Embeddings of SAM's and SAM 2's shapes with random numbers go through the cache and the store as an encoder's do; the
encoder itself, which takes what it takes, does not run. Then a new process' cache reads them back.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from maskwright.assist.embeddings import EmbeddingStore
from maskwright.assist.features import FeatureCache, FeatureKey
from maskwright.assist.protocol import WindowFeatures
from maskwright.assist.window import Window

SHAPES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "SAM": {"embedding": (1, 256, 64, 64)},
    "SAM 2": {"embedding": (1, 256, 64, 64), "fine": (1, 32, 256, 256), "middle": (1, 64, 128, 128)},
}
WINDOW = Window(0, 0, 640, 480)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100)
    count = parser.parse_args().images
    for name, shapes in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder:
            _measure(name, shapes, count, Path(folder))


def _measure(name: str, shapes: Mapping[str, tuple[int, ...]], count: int, folder: Path) -> None:
    random, before = np.random.default_rng(0), _resident_mb()
    store = EmbeddingStore.of_project(folder)
    cache = FeatureCache(store=store)
    keys = [FeatureKey("0" * 64, f"image {number}", WINDOW) for number in range(count)]
    for key in keys:
        arrays = {role: random.standard_normal(shape, np.float32) for role, shape in shapes.items()}
        cache.put(key, WindowFeatures(WINDOW, arrays), keeps=True)
    held, grown = cache.used_bytes / 2**20, _resident_mb() - before
    again = FeatureCache(store=EmbeddingStore.of_project(folder))
    started = time.process_time()
    found = sum(again.get(key) is not None for key in keys)
    read_ms = 1000 * (time.process_time() - started) / max(1, count)
    print(f"{name}: {count} images, {held:.0f} MB held, the process grew by {grown:.0f} MB")
    print(
        f"  on disk {store.used_bytes / 2**20:.0f} MB, {found} of them found again, {read_ms:.1f} CPU ms each",
        flush=True,
    )


def _resident_mb() -> float:
    """Now, where the system says it; else the most there ever was."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
