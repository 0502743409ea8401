"""Damages files of every format and reads them: counts what was refused and what was read; anything else stops it.

python tests/benchmarks/fuzz_formats.py [--mutations 10000] [--seed 0]
"""

import argparse
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from format_fuzzing import mutated, survives, written_sets

SLOW_S = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    crashes = 0
    with tempfile.TemporaryDirectory() as name:
        sets = list(written_sets(Path(name)))
        for kind, path in sets:
            files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
            read = 0
            slowest = 0.0
            for _ in range(arguments.mutations // len(sets)):
                file = chance.choice(files)
                whole = file.read_bytes()
                damaged = mutated(whole, chance)
                file.write_bytes(damaged)
                start = time.perf_counter()
                try:
                    read += survives(lambda kind=kind, path=path: kind.read(path), Path(name))
                except Exception:  # noqa: BLE001  (the border of this program: whatever it is, it is a finding)
                    crashes += 1
                    traceback.print_exc()
                    print(f"{kind.name}: {file.name}: {damaged[:300]!r}")
                slowest = max(slowest, time.perf_counter() - start)
                file.write_bytes(whole)
            total = arguments.mutations // len(sets)
            print(f"{kind.name:10}{total:6} damaged, {read:6} read, {total - read:6} refused, slowest {slowest:.2f} s")
    print(f"crashes: {crashes}")
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
