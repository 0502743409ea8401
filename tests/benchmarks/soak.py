"""Does anything in any order in the window for a long time, with imports, merges and batches; says what piles up.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/soak.py [--minutes 30] [--images 40] [--seed 0]

Memory, descriptors, threads and lines of the log, once a minute and at the end against minute 3. Images that have got
many objects are emptied now and then, as what a user keeps is no leak.
"""

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from rich.console import Console
from rich.table import Table

import tiny_models
from maskwright.document import edits
from maskwright.inference.model import load_model
from maskwright.memory import use_few_arenas
from maskwright_gui.app import Workbench
from random_work import RandomWork
from window_support import image_folder

MOST_OBJECTS = 60
REFERENCE_MIN = 3


class CountingHandler(logging.Handler):
    """Counts lines of the log by where they come from."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        self.lines[f"{record.levelname.lower()} {record.name}: {record.msg}"] += 1 + str(record.exc_text or "").count(
            "\n"
        )


class Soak:
    """One window, worked on at random."""

    def __init__(self, bench: Workbench, folder: Path, seed: int) -> None:
        self._bench, self._folder = bench, folder
        self._random = random.Random(seed)
        self._work = RandomWork(bench, seed)
        self._is_importing = False
        self.done: Counter[str] = Counter()
        bench.exchange.imported.connect(self._on_taken_in)

    def step(self) -> None:
        chance = self._random.random()
        if chance < 0.02:
            self.take_in()
        elif chance < 0.03:
            self.merge()
        elif chance < 0.04:
            self.part()
        elif chance < 0.045:
            self._bench.batch.run()
            self.done["batches"] += 1
        elif chance < 0.06:
            self.empty()
        else:
            self._work.step()
        self.done["steps"] += 1
        QTest.qWait(self._random.choice((0, 1, 5, 20)))

    def take_in(self) -> None:
        """An import, unless one is under way; edits go on meanwhile."""
        if self._is_importing or self._bench.classes.is_working:
            return
        names = self._random.sample(sorted(path.name for path in self._folder.glob("*.png")), 4)
        images = [{"id": id_, "file_name": name, "width": 64, "height": 48} for id_, name in enumerate(names, start=1)]
        annotations = []
        for id_ in range(1, 13):
            x, y = self._random.uniform(0, 50), self._random.uniform(0, 40)
            ring = [x, y, x + 8, y, x + 8, y + 6, x, y + 6]
            annotations.append({
                "id": id_, "image_id": 1 + id_ % 4, "category_id": 1 + id_ % 2, "segmentation": [ring], "area": 48,
                "bbox": [x, y, 8, 6], "iscrowd": 0,
            })  # fmt: skip
        classes = [{"id": id_, "name": f"class {self._random.randrange(12)}/{id_}"} for id_ in (1, 2)]
        file = self._folder.parent / "in.json"
        file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": classes}))
        self._is_importing = True
        self._bench.exchange.import_file(file)

    def merge(self) -> None:
        classes = self._bench.session.classes.listed
        if self._is_importing or self._bench.classes.is_working or len(classes) < 3:
            return
        source, target = self._random.sample(list(classes), 2)
        if (question := self._bench.classes.merge(source.id, target.id)) is not None:
            question.accept()
            self.done["merges"] += 1

    def part(self) -> None:
        project = self._bench.session.project
        if self._is_importing or self._bench.classes.is_working or project is None:
            return
        if merges := project.stored.merges.all():
            self._bench.classes.undo_merge(merges[-1].id)
            self.done["merges undone"] += 1

    def empty(self) -> None:
        session = self._bench.session
        if session.document is not None and len(session.document) > MOST_OBJECTS:
            session.edit(edits.delete(session.document, [each.id for each in session.document]), "Delete")

    def _on_taken_in(self) -> None:
        self._is_importing = False
        self.done["imports"] += 1


def held() -> tuple[float, int, int]:
    """Memory in MB, open descriptors, threads."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    here = Path("/proc/self")
    return (
        pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        len(list((here / "fd").iterdir())),
        len(list((here / "task").iterdir())),
    )


def opened_window(bench: Workbench, folder: Path) -> None:
    bench.window.resize(1280, 800)
    bench.window.show()
    bench.projects.open_path(folder)
    while bench.images.on_screen != 1:
        QTest.qWait(20)
    bench.model.choose("tiny.xml")
    bench.classes.add("cell")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    use_few_arenas()  # as the program does
    app = QApplication.instance() or QApplication([])
    log = CountingHandler()
    logging.getLogger().addHandler(log)
    logging.getLogger("maskwright").setLevel(logging.INFO)
    logging.getLogger("maskwright_gui").setLevel(logging.INFO)
    table = Table("minute", "steps", "memory MB", "descriptors", "threads", "log lines")
    with tempfile.TemporaryDirectory() as place:
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            os.environ[name] = str(Path(place) / "home")
        folder = image_folder(Path(place) / "images", chosen.images)
        model = load_model(tiny_models.yolact(Path(place) / "tiny.xml"))
        settings = QSettings(str(Path(place) / "window.ini"), QSettings.Format.IniFormat)
        bench = Workbench(settings, load=lambda _choice: model)
        opened_window(bench, folder)
        soak, start, minute, rows = Soak(bench, folder, chosen.seed), time.monotonic(), 0, []
        while (passed := (time.monotonic() - start) / 60) < chosen.minutes:
            soak.step()
            if passed >= minute + 1:
                minute += 1
                rows.append((minute, soak.done["steps"], *held(), log.lines.total()))
                table.add_row(*(f"{value:.0f}" for value in rows[-1]))
                print(*(f"{value:.0f}" for value in rows[-1]), flush=True, file=sys.stderr)
        is_saved = bench.session.save()
        bench.stop()
    console = Console(width=160)
    console.print(table)
    console.print(f"{dict(soak.done)}; everything saved: {is_saved}")
    for line, count in log.lines.most_common(10):
        console.print(f"{count} times {line}", markup=False)
    if len(rows) > REFERENCE_MIN:
        then, now = rows[REFERENCE_MIN - 1], rows[-1]
        changes = ", ".join(
            f"{name} {was:.0f} -> {is_:.0f}"
            for name, was, is_ in zip(
                ("memory MB", "descriptors", "threads", "log lines"), then[2:], now[2:], strict=True
            )
        )
        console.print(f"minute {then[0]} -> {now[0]}: {changes}")
    assert app is not None


if __name__ == "__main__":
    main()
