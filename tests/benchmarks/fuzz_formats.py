"""Damages files of every format, as we and as others write them, and reads them, each slice in its own process
under a limit of memory.

python tests/benchmarks/fuzz_formats.py [--mutants 10000] [--seed 0] [--results FILE] [--neutral-share 0.1]

Counts what was read (and could be written again as COCO), refused (FormatError), leaked another exception, hung (over
10 s of CPU), ended the process, or was read wrongly: otherwise after a change that is none, such as blanks in JSON.
"""

import json
import random
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fuzz_slices

from foreign_sets import foreign_sets
from format_fuzzing import mutated, neutral_change, survives, written_sets
from maskwright.formats.registry import AnnotationFormat


def main() -> int:
    parser = fuzz_slices.parser(__doc__)
    parser.add_argument("--neutral-share", type=float, default=fuzz_slices.NEUTRAL_SHARE)
    arguments = parser.parse_args()
    return fuzz_slices.run(arguments, partial(_cases, share=arguments.neutral_share))


def _cases(chance: random.Random, share: float) -> Iterator[fuzz_slices.Case]:
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        sets = [*written_sets(scratch), *foreign_sets(scratch)]
        found = {path: _read(kind, path, scratch) for kind, path in sets}
        assert all(found.values())
        while True:
            kind, path = chance.choice(sets)
            files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
            file = chance.choice(files)
            whole = file.read_bytes()
            neutral = neutral_change(file.suffix, whole, chance) if chance.random() < share else None
            data = mutated(whole, chance) if neutral is None else neutral
            file.write_bytes(data)
            what = f"{kind.name}: {file.name}{', neutral' if neutral else ''}: {data[:300]!r}"
            yield what, partial(_look, kind, path, scratch, found[path] if neutral is not None else None)
            file.write_bytes(whole)


def _look(kind: AnnotationFormat, path: Path, scratch: Path, expected: Any) -> str:
    found = _read(kind, path, scratch)
    if expected is not None and found != expected:
        return "wrong"
    return "refused" if found is None else "read"


def _read(kind: AnnotationFormat, path: Path, scratch: Path) -> Any:
    """What is read, as COCO; None where the reader refuses it."""
    if not survives(lambda: kind.read(path), scratch):
        return None
    return json.loads((scratch / "again.json").read_bytes())


if __name__ == "__main__":
    sys.exit(main())
