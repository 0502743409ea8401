"""Kills a program with SIGKILL while it edits and runs a batch on one project, again and again; counts what was lost.

    python tests/benchmarks/kill_program.py [--rounds 50] [--model MODEL.xml] [--seed 0] [--folder DIR] [--pause 1.0]
    python tests/benchmarks/kill_program.py --each 40     # also while it creates, restores, imports, merges, ...

Each round starts the program on the same project, lets it acknowledge edits for a random time, kills it, and opens the
project: every acknowledged edit must be there with its undo step, the batch must not have done an image twice. With
`--each`, then, so many kills at random moments of each operation of `project_work.py`, each on a project of its own.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from watching import checked, in_child, place_for, prepared, working_folder

from maskwright.project import Project, scan_folder
from maskwright.project.backup import is_sound
from maskwright.project.database import settle_journal_mode, share_type

ROOT = Path(__file__).resolve().parents[2]
DRIVER = """
import sys, threading
from pathlib import Path
from maskwright.document.change import Change
from maskwright.document.values import Instance
from maskwright.geometry.polygon import Polygon
from maskwright.inference.model import load_model
from maskwright.inference.thresholds import Thresholds
from maskwright.prelabel import run_batch
from maskwright.project import Project

project = Project.open(Path(sys.argv[1]))
model = load_model(sys.argv[2], num_threads=1)
going = threading.Event()


def work():
    run_batch(project, model, Thresholds(), on_progress=tell, resume=True)
    going.set()


def tell(progress):
    say("done", progress.image_id)
    going.set()


def say(what, image_id, instance_id=0):
    sys.stdout.write(f"{what} {image_id} {instance_id}\\n")
    sys.stdout.flush()


threading.Thread(target=work, daemon=True).start()
going.wait()
images = project.images.ids().tolist()
step = 0
while True:
    step += 1
    image_id = images[step % len(images)]
    id_ = project.instances.reserve_ids(1)[0]
    outline = (Polygon.of([(0, 0), (9 + step % 7, 0), (9, 9.5)]),)
    project.instances.apply(image_id, Change.create([Instance(id_, 1, outline)]), label="Draw")
    say("drawn", image_id, id_)
"""


@dataclass
class Said:
    """What the program said was done, over all rounds."""

    drawn: list[tuple[int, int]] = field(default_factory=list)
    """(image id, instance id)."""
    done: Counter[int] = field(default_factory=Counter)
    """Image ids of the batch."""


def one_round(path: Path, model: str, pause_s: float, said: Said) -> None:
    """Run the driver and kill it `pause_s` after its first word."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "core"), str(ROOT / "resources")])}
    command = [sys.executable, "-c", DRIVER, str(path), model]
    program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    lines = [program.stdout.readline()]
    time.sleep(pause_s)
    program.kill()
    lines += program.communicate()[0].splitlines(keepends=True)
    for what, image_id, instance_id in (line.split() for line in lines if line.endswith("\n")):
        if what == "drawn":
            said.drawn.append((int(image_id), int(instance_id)))
        else:
            said.done[int(image_id)] += 1


def check(path: Path, said: Said) -> tuple[int, int, int]:
    """(edits lost, undo steps lost, images done twice or lost)."""
    with Project.open(path) as project:
        ids = project.images.ids().tolist()
        kept = {id_: set(project.instances.document(id_).instances) for id_ in ids}
        lost = sum(instance_id not in kept[image_id] for image_id, instance_id in said.drawn)
        steps = {id_: sum(entry.kind == "edit" for entry in project.history.of(id_, limit=100_000)) for id_ in ids}
        drawn = Counter(image_id for image_id, _ in said.drawn)
        run = project.runs.last()
        pending = set(project.runs.pending_images(run.id).tolist()) if run is not None else set()
        wrong = sum(times > 1 or id_ in pending for id_, times in said.done.items())
        return lost, sum(max(0, drawn[id_] - steps[id_]) for id_ in ids), wrong


def kill_each(rounds: int, chance: random.Random) -> list[str]:
    """What was wrong, over all operations."""
    table, wrong = Table("operation", "kills", "came first", "lost", "unusable"), list[str]()
    with working_folder() as folder:
        from project_checks import OPERATIONS

        for name, operation in OPERATIONS.items():
            template, place = prepared(name, folder), place_for(name, folder)
            found, ended, longest_s = list[str](), 0, 0.0
            for count in range(rounds + 1):  # the first is not killed: how long does it take?
                shutil.copytree(template, place)
                started, after_s = time.monotonic(), chance.uniform(0, longest_s) if count else None
                code, said = in_child(lambda say: operation.work(place, say), killed_after_s=after_s)  # noqa: B023
                longest_s = longest_s or time.monotonic() - started
                ended += bool(count) and code != -signal.SIGKILL
                found += checked(name, place, said)
            lost = sum(text.startswith("lost") for text in found)
            table.add_row(name, str(rounds - ended), str(ended), str(lost), str(len(found) - lost))
            wrong += [f"{name}: {text}" for text in found]
    Console().print(table)
    for text in wrong[:20]:
        Console().print(text, markup=False)
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--model", default=None, help="default: a tiny one that is made for this")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds of work before a kill, at most")
    parser.add_argument("--folder", default=None, help="where the project is made, for instance on a network share")
    parser.add_argument("--each", type=int, default=0, help="kills of each other operation")
    chosen = parser.parse_args()
    wrong = kill_each(chosen.each, random.Random(chosen.seed)) if chosen.each else []
    with tempfile.TemporaryDirectory(dir=chosen.folder) as place:
        folder = Path(place)
        (folder / "images").mkdir()
        for index in range(chosen.images):
            Image.fromarray(np.full((200, 300, 3), index % 256, np.uint8)).save(folder / "images" / f"{index:04d}.png")
        project = Project.create(folder / "set.maskwright", image_root=folder / "images")
        project.images.add(scan_folder(folder / "images"))
        project.ensure_categories([(1, "object")])
        project.close()
        model = chosen.model or _tiny_model(folder)
        chance = random.Random(chosen.seed)
        said, unopened = Said(), 0
        for _ in range(chosen.rounds):
            one_round(project.path, model, chance.uniform(0, chosen.pause), said)
            settle_journal_mode(project.path / "project.db")  # as opening does, before anybody only reads
            unopened += not is_sound(project.path / "project.db")
        lost, steps, twice = check(project.path, said)
        kind = share_type(project.path)
        where = f" on {kind}" if kind else ""
    Console().print(
        f"{chosen.rounds} kills{where}, {len(said.drawn)} edits acknowledged, {len(said.done)} images pre-labelled: "
        f"{lost} edits lost, {steps} undo steps lost, {twice} images done twice or lost, {unopened} projects damaged"
    )
    sys.exit(bool(lost or steps or twice or unopened or wrong))


def _tiny_model(folder: Path) -> str:
    sys.path.insert(0, str(ROOT / "tests"))
    import tiny_models

    return str(tiny_models.yolact(folder / "tiny.xml"))


if __name__ == "__main__":
    main()
