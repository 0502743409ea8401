"""Lets the folder of a project hang under the real window, in every situation; says what the window did.

    python tests/benchmarks/stalled_share.py [--seconds 5] [--only edits close ...]

A small library (stalling_files.c, made with the C compiler `cc`; without one this is skipped) makes the system's calls
on the folder wait. Each situation is a program of its own: the window on twelve images, hands that draw, and a timer
that tells how long the GUI thread stood still. Ends with 1 when a situation did not go as it should.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from maskwright.project import Project
from maskwright.project.rescue import find_rescues

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(__file__).with_name("stalling_files.c")
SITUATIONS = ("edits", "images", "open", "backup", "batch", "export", "full", "error", "stale", "close", "kill")
NOTICED_S = 2.0
STANDSTILL_MS = 700
"""The GUI thread waits once, for half a second, before it gives up on a folder."""


def library(folder: Path) -> Path | None:
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    made = folder / "stalling_files.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(LIBRARY), "-ldl"], check=True)
    return made


def run_one(situation: str, seconds: float, made: Path, folder: Path) -> dict[str, object]:
    """What the driver says of one situation, with what the project holds afterwards."""
    share, home, flag = folder / "share", folder / "home", folder / "hangs"
    share.mkdir(parents=True)
    home.mkdir()
    for index in range(12):
        Image.fromarray(np.full((200, 300, 3), 20 * index, np.uint8)).save(share / f"{index:02d}.png")
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("core", "gui", "resources", "tests")),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "LD_PRELOAD": str(made),
        "STALL_BELOW": str(share),
        "STALL_WHILE": str(flag),
    }
    driver = Path(__file__).with_name("stalled_share_driver.py")
    command = [sys.executable, str(driver), situation, str(share), str(flag), str(seconds)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120 + 4 * seconds)
    flag.unlink(missing_ok=True)
    lines = [line for line in ended.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return {"wrong": f"ended with {ended.returncode}: {ended.stderr.strip()[-400:]}"}
    said: dict[str, object] = json.loads(lines[-1])
    os.environ["XDG_DATA_HOME"] = str(home)
    with Project.open(share) as project:
        said["stored"] = sum(len(project.instances.document(id_)) for id_ in project.images.ids().tolist())
        said["rescued"] = sum(len(rescue.edits) for rescue in find_rescues(project.path, project.mark))
    return said


def faults(said: dict[str, object]) -> list[str]:
    """What did not go as it should."""
    if "wrong" in said:
        return [str(said["wrong"])]
    found = [f"{what}: {said[what]}" for what in ("problem",) if said.get(what)]
    if (noticed := said.get("noticed_s")) is not None and float(str(noticed)) > NOTICED_S:
        found.append(f"noticed after {noticed} s")
    if float(str(said["standstill_ms"])) > STANDSTILL_MS:
        found.append(f"stood still for {said['standstill_ms']} ms")
    expected = (said["expect_stored"], said["expect_rescued"])
    if expected[0] is not None and (said["stored"], said["rescued"]) != expected:
        found.append(f"stored, rescued: {said['stored']}, {said['rescued']} instead of {expected[0]}, {expected[1]}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the folder hangs")
    parser.add_argument("--only", nargs="+", choices=SITUATIONS, default=SITUATIONS)
    chosen = parser.parse_args()
    table = Table("situation", "told after s", "longest standstill ms", "median ms", "said", "wrong")
    is_wrong = False
    with tempfile.TemporaryDirectory() as place:
        made = library(Path(place))
        if made is None:
            Console().print("skipped: this needs Linux and a C compiler (cc)")
            return
        for situation in chosen.only:
            said = run_one(situation, chosen.seconds, made, Path(place) / situation)
            wrong = faults(said)
            is_wrong |= bool(wrong)
            cells = (said.get(name, "") for name in ("noticed_s", "standstill_ms", "median_ms", "said"))
            table.add_row(situation, *map(str, cells), "; ".join(wrong) or "nothing")
    Console(width=160).print(table)
    sys.exit(is_wrong)


if __name__ == "__main__":
    main()
