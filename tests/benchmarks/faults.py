"""Makes each call that changes a project's files fail, or end the program, in turn; counts what was lost by it.

    python tests/benchmarks/faults.py [--only edit,restore] [--every 1] [--modes io-error,kill] [--verbose]

For each operation (create, open, edit, import, ...): the work again and again, with the first, second, ... call hit
that makes, writes, cuts, flushes, renames, links or removes a file below its folder. Afterwards the project is opened
as the next program would: what was said to be done must be there, nothing half done, and it must be possible to go on.
Linux with a C compiler.
"""

import argparse
import shutil
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from watching import Watcher, checked, in_child, place_for, prepared, start_again, working_folder

MODES = {"io-error": 1, "io-errors": 2, "full-disk": 3, "kill": 4, "kill-halfway": 5}
"""Once; from there on; no room from there on (the first write half done); before the call; in the middle of it."""


@dataclass
class Outcome:
    """Of all hits on one system call in one operation."""

    injected: int = 0
    lost: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    """Errors that came out as something else than a sentence for the user."""


def one_round(name: str, template: Path, mode: str, at: int, watcher: Watcher, found: dict[str, Outcome]) -> bool:
    """Whether the call was reached."""
    from project_checks import OPERATIONS

    place = place_for(name, template.parent)
    shutil.copytree(template, place)
    watcher.start(place, MODES[mode], at)
    code, said = in_child(lambda say: OPERATIONS[name].work(place, say))
    watcher.stop()
    if not watcher.is_hit:
        shutil.rmtree(place)
        return False
    outcome, where = found[watcher.name_hit], f"{mode} at call {at}"
    outcome.injected += 1
    if code == 70:
        outcome.untold.append(f"{where}: {said.pop()}")
    wrong = checked(name, place, said)
    outcome.lost += [f"{where}: {text}" for text in wrong if text.startswith("lost")]
    outcome.unusable += [f"{where}: {text}" for text in wrong if not text.startswith("lost")]
    return True


def all_rounds(name: str, folder: Path, modes: list[str], every: int, watcher: Watcher) -> dict[str, Outcome]:
    """{system call: what came of hitting it}"""
    template = prepared(name, folder)
    found: dict[str, Outcome] = defaultdict(Outcome)
    for mode in modes:
        at = 1
        while one_round(name, template, mode, at, watcher, found):
            at += every
    shutil.rmtree(template)
    return found


def show(results: dict[str, dict[str, Outcome]], *, is_verbose: bool) -> bool:
    """Whether nothing was lost."""
    names = sorted({name for found in results.values() for name in found})
    table = Table("operation", *names, "all", title="injected / lost / unusable")
    for operation, found in results.items():
        cells = [_counts([found[name]]) if name in found else "" for name in names]
        table.add_row(operation, *cells, _counts(list(found.values())))
    console = Console(width=200)
    console.print(table)
    outcomes = [(operation, name, each) for operation, found in results.items() for name, each in found.items()]
    sums = {kind: sum(len(getattr(each, kind)) for _, _, each in outcomes) for kind in ("lost", "unusable", "untold")}
    injected = sum(each.injected for _, _, each in outcomes)
    console.print(f"{injected} faults injected: {', '.join(f'{count} {kind}' for kind, count in sums.items())}")
    for operation, name, each in outcomes:
        texts = [text if is_verbose else text.partition(": ")[2] for text in (*each.lost, *each.unusable, *each.untold)]
        for text, times in Counter(texts).most_common(None if is_verbose else 5):
            console.print(f"{operation}, {name} ({times}): {text}", markup=False, highlight=False)
    return not any(sums.values())


def _counts(outcomes: list[Outcome]) -> str:
    lost, unusable = (sum(len(getattr(each, kind)) for each in outcomes) for kind in ("lost", "unusable"))
    return f"{sum(each.injected for each in outcomes)} / {lost} / {unusable}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=None, help="operations, with commas between them")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--every", type=int, default=1, help="hit each so-many-th call")
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    start_again()
    results = {}
    with working_folder() as folder:
        from project_checks import OPERATIONS

        watcher = Watcher()
        for name in chosen.only.split(",") if chosen.only else OPERATIONS:
            results[name] = all_rounds(name, folder, chosen.modes.split(","), chosen.every, watcher)
            print(name, _counts(list(results[name].values())), flush=True, file=sys.stderr)
    sys.exit(not show(results, is_verbose=chosen.verbose))


if __name__ == "__main__":
    main()
