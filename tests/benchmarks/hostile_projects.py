"""Project folders that were made to harm, and what is done with them."""

import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskwright.document.change import Change
from maskwright.geometry.dense import polygons_to_dense
from maskwright.project import Project, ScannedImage
from project_builders import drawn, square, write_image

Commands = list[list[str]]


@dataclass(frozen=True, slots=True)
class Case:
    """`make` is given the folder of the stranger and the home of the user; it returns commands with their arguments."""

    name: str
    make: Callable[[Path, Path], Commands]


def project(place: Path) -> Path:
    """A sound one with three images, of which two have objects."""
    images = place / "images"
    for index in range(3):
        write_image(images / f"{index}.png", value=60 + 30 * index)
    with Project.create(place / "set.maskwright", image_root=images) as made:
        made.images.add(ScannedImage(f"{index}.png", 64, 48) for index in range(3))
        made.ensure_categories([(1, "cell"), (2, "cat")])
        made.instances.apply(1, Change.create([drawn(1), drawn(2, square(20, 20), category_id=2)]), label="Draw")
        made.instances.apply(2, Change.create([drawn(3)]), label="Draw")
    return place / "set.maskwright"


def looks(folder: Path, place: Path) -> Commands:
    """All that the command line does with a project."""
    given, out = str(folder), place.parent / "out"
    formats = ("coco-folder", "labelme", "yolo", "voc", "png", "cvat")
    exports = [["export", given, "--out", str(out / kind), "--format", kind] for kind in formats]
    return [
        ["check", given], ["export", given, "--out", str(out / "a.json")], *exports, ["queue", given],
        ["classes", given], ["effort", given], ["duplicates", given], ["classes", given, "--rename", "cat", "dog"],
        ["prelabel", str(place / "images"), "--model", "nuclei", "--project", given],
        ["classes", given, "--merge", "cell", "dog"], ["classes", given, "--undo-merge"], ["check", given, "--fix"],
        ["restore", given], ["restore", given, "--salvage"], ["check", given],
    ]  # fmt: skip


def _sql(statement: str, *values: object) -> Callable[[Path, Path], Commands]:
    def make(place: Path, home: Path) -> Commands:
        made = project(place)
        connection = sqlite3.connect(made / "project.db")
        with connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA writable_schema=ON")
            connection.execute(statement, values)
        connection.close()
        return looks(made, place)

    return make


_FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n)"
_BOMB = zlib.compress(b'{"v": 1, "entries": [' + b"0, " * (300 * 2**20 // 3) + b"0]}", 9)


def _dense_bomb() -> bytes:
    dense = polygons_to_dense([square()])
    assert dense is not None
    return dense[:17] + zlib.compress(bytes(300 * 2**20), 9)


def _statements() -> Iterator[tuple[str, str, tuple[object, ...]]]:
    yield "view that never ends", f"CREATE VIEW extra AS {_FOREVER} SELECT i FROM n", ()
    yield "trigger", "CREATE TRIGGER t AFTER INSERT ON history BEGIN DELETE FROM instances; END", ()
    yield "a column is gone", "ALTER TABLE images DROP COLUMN standing", ()
    yield "a table is gone", "DROP TABLE signals", ()
    yield "no version", "DELETE FROM alembic_version", ()
    for column, values in {
        "instances.polygons": [7, "text", b"", b"\1", os.urandom(300), np.array([1, 0, 2**31 - 1, 5], "<i4").tobytes(),
                               np.array([1, 3, 0, 0], "<i4").tobytes() + b"{",
                               np.array([1, 1, 1, 1, 2**31 - 1], "<i4").tobytes(),
                               np.array([1, 1, 1, 1, 0], "<i4").tobytes(),
                               np.array([1, 1, 1, 1, 3, 0], "<i4").tobytes() + b"\0" * 8,
                               np.array([1, 3, 0, 0], "<i4").tobytes() +b'{"segmentation": 5, "area": "x"}',
                               np.array([1, 3, 0, 0], "<i4").tobytes() + b'{"bbox": [1e308, 1e308, 1e308, -1]}',
                               np.array([1, 3, 0, 0], "<i4").tobytes() + b'{"segmentation": {"size": [99999, 99999], '
                               b'"counts": [1, 2]}}'],
        "instances.state": ["perfect", 5, b"x"],
        "instances.score": ["high", 1e400, b"x", -1],
        "instances.category_id": [99, "x"],
        "instances.image_id": [99],
        "instances.z": ["top", 2**62],
        "instances.extra": ["[1]", "{", '{"a": ' + "[" * 5000 + "]" * 5000 + "}", b"\xff"],
        "instances.edited_at": ["yesterday", 5, b"x"],
        "images.width": [2_000_000_000, -4, 0, "x", 2**62],
        "images.file_name": ["../../home/letter.txt", "/etc/passwd", "a\0b", b"x", "", "x" * 5000, 5,
                             "..\\..\\home\\letter.txt", "\u202egnp.exe"],
        "images.state": ["finished", 5],
        "images.extra": ["{", '{"a": 1e999}', "5"],
        "images.instance_count": ["x", 2**40],
        "categories.name": ["", b"x", 5, "../../home/x", "a/b", "\x1b[2J", "x" * 10**6, "<img src='//host/x'>"],
        "categories.colour": ["url(file:///etc/passwd)", 5],
        "categories.supercategory": [b"x", 5],
        "history.change": [_BOMB, b"", b"x", 5, zlib.compress(b"[]"), zlib.compress(b'{"v": 1, "entries": [[1, 2]]}')],
        "history.at": ["never", 5],
        "history.kind": ["other", 5],
        "history.active_s": ["x", -1e300],
        "counters.next": ["x", 2**63 - 1, -5],
        "settings.value": ["{", b"x", 5, '"../../home"', "[]", "null", "1e999"],
        "alembic_version.version_num": ["0001", "9999", "", 5],
    }.items():  # fmt: skip
        table, name = column.split(".")
        for value in values:
            only = " WHERE id = 1" if column == "images.file_name" else ""  # each name is there once
            yield f"{column} = {repr(value)[:24]}", f"UPDATE {table} SET {name} = ?{only}", (value,)


def _link(name: str, to: str) -> Callable[[Path, Path], Commands]:
    def make(place: Path, home: Path) -> Commands:
        made = project(place)
        link = made / name
        if link.is_dir():
            for inside in link.iterdir():
                inside.unlink()
            link.rmdir()
        link.unlink(missing_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(home / to)
        return looks(made, place)

    return make


def _pipe(name: str) -> Callable[[Path, Path], Commands]:
    def make(place: Path, home: Path) -> Commands:
        made = project(place)
        (made / name).unlink(missing_ok=True)
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(made / name)
        return looks(made, place)

    return make


_LINKS = (
    ("lock", "letter.txt"), ("backups", "data"), ("cache", "data"), ("cache/candidates", "data"),
    ("cache/embeddings", "data"), ("cache/candidates/0123456789abcdef", "data/a"), ("project.db", "data/work.db"),
    ("project.db-wal", "letter.txt"), ("project.db-journal", "letter.txt"), ("project.db.restored", "letter.txt"),
    ("project.db.restoring", "letter.txt"), ("project.db.salvaged", "letter.txt"),
)  # fmt: skip
PROJECTS = (
    *(Case(f"project: {name}", _sql(statement, *values)) for name, statement, values in _statements()),
    *(Case(f"project: {name} is a link to {to}", _link(name, to)) for name, to in _LINKS),
    *(Case(f"project: {name} is a pipe", _pipe(name)) for name in ("lock", "project.db", "cache", "backups/x.db")),
)
