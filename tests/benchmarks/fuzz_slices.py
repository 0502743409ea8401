"""Runs damaged files in slices, each in a process of its own under a limit of memory, and counts what each came to.

A slice depends on the seed and its number alone. With `--results FILE` the counts of finished slices are kept there and
not run again, so that a run that is stopped goes on, and parts that ran apart add up.
"""

import argparse
import os
import random
import resource
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

KINDS = ("read", "refused", "leaked", "hung", "crashed", "wrong")
SLICE = 500
HANG_CPU_S = 10.0
NEUTRAL_SHARE = 0.1

Case = tuple[str, Callable[[], str]]
"""What is tried, for the report of a finding, and the trial, which gives one of KINDS."""
Cases = Callable[[random.Random], Iterator[Case]]


class HungError(BaseException):
    """Raised by the timer."""


def parser(description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--mutants", type=int, default=10_000)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--memory-gb", type=float, default=3.0)
    made.add_argument("--results", type=Path, help="counts of finished slices, which are not run again")
    return made


def run(arguments: argparse.Namespace, cases: Cases) -> int:
    """The exit status: 1 where anything leaked, hung, crashed or was read wrongly."""
    counted: Counter[str] = Counter()
    kept = _kept(arguments.results)
    for start in range(0, arguments.mutants, SLICE):
        count = min(SLICE, arguments.mutants - start)
        name = f"{arguments.seed}:{start}:{count}"
        if name not in kept:
            kept[name] = _in_child(arguments.memory_gb, name, count, cases)
            _keep(arguments.results, name, kept[name])
        counted += kept[name]
        print(f"{counted.total():7} mutants: " + ", ".join(f"{counted[kind]} {kind}" for kind in KINDS), flush=True)
    return 1 if any(counted[kind] for kind in KINDS[2:]) else 0


def _kept(results: Path | None) -> dict[str, Counter[str]]:
    lines = results.read_text().splitlines() if results and results.exists() else []
    rows = [line.split() for line in lines]
    return {name: Counter(dict(zip(KINDS, map(int, counts), strict=True))) for name, *counts in rows}


def _keep(results: Path | None, name: str, counts: Counter[str]) -> None:
    if results is not None:
        with results.open("a") as file:
            print(name, *(counts[kind] for kind in KINDS), file=file)


def _in_child(memory_gb: float, name: str, count: int, cases: Cases) -> Counter[str]:
    """What each mutant of a slice came to; one that ends the process counts as a crash, and those after it are run."""
    outcomes: Counter[str] = Counter()
    while outcomes.total() < count:
        letters, status = _try_from(outcomes.total(), memory_gb, name, count, cases)
        outcomes.update(KINDS[int(letter)] for letter in letters)
        if outcomes.total() < count:
            print(f"slice {name} ended with status {status} at mutant {outcomes.total()}")
            outcomes["crashed"] += 1
    return outcomes


def _try_from(first: int, memory_gb: float, name: str, count: int, cases: Cases) -> tuple[str, int]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        limit = int(memory_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        signal.signal(signal.SIGVTALRM, _on_timer)
        made = cases(random.Random(name))
        for index in range(count):
            what, trial = next(made)
            if index >= first:
                os.write(theirs, str(KINDS.index(_outcome(what, trial))).encode())
        made.close() if hasattr(made, "close") else None
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        letters = stream.read().decode()
    return letters, os.waitpid(child, 0)[1]


def _outcome(what: str, trial: Callable[[], str]) -> str:
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_CPU_S)
    try:
        outcome = trial()
    except HungError:
        outcome = "hung"
        traceback.print_exc(limit=-6)
    except Exception:  # noqa: BLE001  (the border of this program: whatever it is, it is a finding)
        outcome = "leaked"
        traceback.print_exc(limit=-6)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    if outcome in KINDS[2:]:
        print(f"{outcome}: {what}", flush=True)
    return outcome


def _on_timer(*_: Any) -> None:
    raise HungError
