"""Cuts the power at random moments of work on projects and opens what the disk may hold then; counts what was lost.

    python tests/benchmarks/power_loss.py [--points 40] [--only edit,restore] [--seed 0] [--verbose]

Each operation runs once while every call that changes a file is recorded with its data. Then, per point: a moment
between two calls is drawn (every other time one at which names change or something is flushed), and a disk is made up
of what had been flushed by then plus some of what had not. Content of a file is on the disk once the file was flushed;
a name (made, renamed, linked, removed) once its folder was. Of what was not flushed there survives, by turns: nothing;
all; the first so many calls; each call or not, by chance, in any order; the same with each write torn into sectors of
512 bytes and lengths of their own. Shared-memory indexes (-shm) never survive. That is more than any journalling file
system loses, and what POSIX allows. Linux with a C compiler.
"""

import argparse
import os
import random
import shutil
import struct
import sys
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from watching import Watcher, checked, in_child, place_for, prepared, start_again, working_folder

_T = TypeVar("_T")
MANNERS = ("nothing", "all", "first", "any", "torn")
SECTOR = 512
POINTS_PER_RUN = 10
_HEAD = struct.Struct("=QQQIIc7x")


@dataclass(frozen=True, slots=True)
class Call:
    kind: str
    """c made, w written, t cut, s flushed, r renamed, l linked, u removed, m folder made, d folder removed, ! said."""
    name: str
    other: str
    file: int
    at: int
    data: bytes


@dataclass(slots=True)
class Content:
    """Of one file: what is on the disk for certain, and the calls since."""

    flushed: bytearray = field(default_factory=bytearray)
    waiting: list[Call] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Naming:
    """A call that changes names: {name: file, None for none}, `FOLDER` for a folder's."""

    folders: frozenset[str]
    names: tuple[tuple[str, int | None], ...]
    moved: tuple[str, str] | None = None
    """A folder and its new name: whatever is in it goes along."""


FOLDER = -1


class Disk:
    """What of a folder has been flushed, and what not yet."""

    def __init__(self, place: Path) -> None:
        self._names: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        """As programs see it, flushed or not."""
        self._waiting: list[Naming] = []
        self._files: dict[int, Content] = {}
        for path in [place, *place.rglob("*")]:
            file = FOLDER if path.is_dir() else path.stat().st_ino
            self._names[str(path)] = file
            if file != FOLDER:
                self._files[file] = Content(bytearray(path.read_bytes()))
        self._seen = dict(self._names)
        self._folders = {name for name, file in self._names.items() if file == FOLDER}
        """Those that have ever been."""

    def take(self, call: Call) -> None:
        match call.kind:
            case "c":
                self._files[call.file] = Content()
                self._name((call.name, call.file))
            case "w" | "t":
                self._files[call.file].waiting.append(call)
            case "s" if call.file in self._files and self._seen.get(call.name) != FOLDER:
                content = self._files[call.file]
                content.flushed, content.waiting = _with(content.flushed, content.waiting), []
            case "s":
                self._flush_folder(call.name)
            case "r" if self._seen[call.name] == FOLDER:
                self._folders.add(call.other)
                self._name((call.name, None), (call.other, FOLDER), moved=(call.name, call.other))
            case "r":
                self._name((call.name, None), (call.other, self._seen[call.name]))
            case "l":
                self._name((call.other, self._seen[call.name]))
            case "u" | "d":
                self._name((call.name, None))
            case "m":
                self._folders.add(call.name)
                self._name((call.name, FOLDER))

    def after_power_loss(self, manner: str, chance: random.Random) -> dict[str, tuple[int, bytes]]:
        """{name: (file, content)}; folders have no content."""
        names = dict(self._names)
        for naming in _survivors(self._waiting, manner, chance):
            _rename(names, naming)
        contents = {file: self._content(file, manner, chance) for file in sorted({*names.values()} - {FOLDER})}
        return {
            name: (file, contents.get(file, b""))
            for name, file in names.items()
            if not name.endswith("-shm") and self._has_folders(name, names)
        }

    def _content(self, file: int, manner: str, chance: random.Random) -> bytes:
        content = self._files[file]
        left = _survivors(content.waiting, manner, chance)
        if manner == "torn":
            left = [part for call in left for part in _torn(call, chance)]
        kept = _with(content.flushed, left)
        length = max([len(kept), *(call.at + len(call.data) for call in content.waiting if call.kind == "w")])
        return bytes(kept.ljust(length, b"\0") if manner == "torn" and chance.random() < 0.3 else kept)

    def _name(self, *names: tuple[str, int | None], moved: tuple[str, str] | None = None) -> None:
        naming = Naming(frozenset(str(Path(name).parent) for name, _ in names), names, moved)
        self._waiting.append(naming)
        _rename(self._seen, naming)

    def _flush_folder(self, folder: str) -> None:
        for naming in self._waiting:
            if folder in naming.folders:
                _rename(self._names, naming)
        self._waiting = [naming for naming in self._waiting if folder not in naming.folders]

    def _has_folders(self, name: str, names: dict[str, int]) -> bool:
        above = str(Path(name).parent)
        return above not in self._folders or (above in names and self._has_folders(above, names))


def _rename(names: dict[str, int], naming: Naming) -> None:
    if naming.moved is not None:
        old, new = naming.moved
        for name in [name for name in names if name.startswith(f"{old}/")]:
            names[f"{new}{name.removeprefix(old)}"] = names.pop(name)
    for name, file in naming.names:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _survivors(calls: list[_T], manner: str, chance: random.Random) -> list[_T]:
    match manner:
        case "nothing":
            return []
        case "all":
            return calls
        case "first":
            return calls[: chance.randint(0, len(calls))]
        case _:
            return [call for call in calls if chance.random() < 0.5]


def _torn(call: Call, chance: random.Random) -> list[Call]:
    if call.kind != "w":
        return [call]
    starts = range(0, len(call.data), SECTOR)
    parts = [Call("w", "", "", 0, call.at + start, call.data[start : start + SECTOR]) for start in starts]
    return [part for part in parts if chance.random() < 0.5]


def _with(content: bytearray, calls: list[Call]) -> bytearray:
    made = bytearray(content)
    for call in calls:
        end = call.at + len(call.data)
        if call.kind == "t":
            made = made[: call.at].ljust(call.at, b"\0")
        else:
            made = made.ljust(end, b"\0")
            made[call.at : end] = call.data
    return made


def read_calls(log: Path) -> list[Call]:
    content, at, calls = log.read_bytes(), 0, []
    while at < len(content):
        file, where, size, name, other, kind = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        names = content[at : at + name].decode(), content[at + name : at + name + other].decode()
        at += name + other
        length = size if kind == b"w" else 0
        calls.append(Call(kind.decode(), *names, file, where, content[at : at + length]))
        at += length
    return calls


def recorded(name: str, template: Path, watcher: Watcher) -> tuple[Disk, list[Call]]:
    """The disk before an operation, and its calls."""
    from project_checks import OPERATIONS

    place, log = place_for(name, template.parent), template.parent / "calls"
    shutil.copytree(template, place)
    disk = Disk(place)
    with log.open("wb", buffering=0) as file:
        os.set_inheritable(file.fileno(), True)
        watcher.start(place, log=file.fileno())
        code, said = in_child(lambda _: OPERATIONS[name].work(place, watcher.note))
        watcher.stop()
    shutil.rmtree(place)
    if code:
        sys.exit(f"{name} cannot be done: {said[-1]}")
    return disk, read_calls(log)


def one_point(disk: Disk, calls: list[Call], manner: str, chance: random.Random) -> tuple[int, list[str]]:
    """Where the power went, and what had been said; what the disk holds then is made."""
    moments: Sequence[int] = range(len(calls) + 1)
    if chance.random() < 0.5:  # where names change; most calls write, and would be hit nearly always
        moments = [at for at, call in enumerate(calls, start=1) if call.kind not in "w!"] or moments
    moment = chance.choice(moments)
    for call in calls[:moment]:
        disk.take(call)
    made: dict[int, Path] = {}
    for name, (file, content) in sorted(disk.after_power_loss(manner, chance).items()):
        path = Path(name)
        if file == FOLDER:
            path.mkdir()
        elif file in made:
            path.hardlink_to(made[file])
        else:
            path.write_bytes(content)
            made[file] = path
    return moment, [call.name for call in calls[:moment] if call.kind == "!"]


def all_points(name: str, folder: Path, points: int, chance: random.Random) -> tuple[dict[str, list[int]], list[str]]:
    """({manner: [points, bad ones]}, what was wrong)"""
    watcher, template = Watcher(), prepared(name, folder)
    counts = {manner: [0, 0] for manner in MANNERS}
    wrong = []
    for count in range(points):
        manner = MANNERS[count % len(MANNERS)]
        if count % POINTS_PER_RUN == 0:
            disk, calls = recorded(name, template, watcher)
        moment, said = one_point(deepcopy(disk), calls, manner, chance)
        found = checked(name, place_for(name, folder), said, is_after_power_loss=True)
        counts[manner][0] += 1
        counts[manner][1] += bool(found)
        wrong += [f"{name}, {manner} survives, call {moment}: {text}" for text in found]
    return counts, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=40, help="per operation")
    parser.add_argument("--only", default=None, help="operations, with commas between them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    chosen = parser.parse_args()
    start_again()
    console, table = Console(width=160), Table("operation", *MANNERS, title="points / with something lost or unusable")
    total, wrong = 0, list[str]()
    with working_folder() as folder:
        from project_checks import OPERATIONS

        chance = random.Random(chosen.seed)
        for name in chosen.only.split(",") if chosen.only else OPERATIONS:
            counts, found = all_points(name, folder, chosen.points, chance)
            table.add_row(name, *(f"{points} / {bad}" for points, bad in counts.values()))
            total += chosen.points
            wrong += found
            print(name, len(found), flush=True, file=sys.stderr)
    console.print(table)
    kinds = Counter("lost" if ": lost" in text else "unusable" for text in wrong)
    console.print(f"power lost at {total} points: {kinds['lost']} lost, {kinds['unusable']} unusable")
    for text in wrong if chosen.verbose else wrong[:20]:
        console.print(text, markup=False, highlight=False)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
