"""Small builders for project tests."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.document.values import Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project, ScannedImage


def square(left: float = 0.0, top: float = 0.0, side: float = 10.0) -> Polygon:
    return Polygon.of([(left, top), (left + side, top), (left + side, top + side), (left, top + side)])


def drawn(id_: int, *polygons: Polygon, category_id: int = 1, state: InstanceState = InstanceState.DRAWN) -> Instance:
    return Instance(id_, category_id, polygons or (square(),), state)


def make_project(folder: Path, *, images: int = 1, categories: tuple[str, ...] = ("cell", "cat")) -> Project:
    """A project beside an (empty) image folder; the image files themselves are not there."""
    (folder / "images").mkdir(parents=True)
    project = Project.create(folder / "set.maskwright", image_root=folder / "images")
    project.images.add(ScannedImage(f"{index:06d}.jpg", 640, 480) for index in range(images))
    project.ensure_categories(enumerate(categories, start=1))
    return project


def write_image(path: Path, *, size_wh: tuple[int, int] = (64, 48), value: int = 120) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size_wh[1], size_wh[0], 3), value, np.uint8)).save(path)
    return path


def to_first_schema(file: Path) -> None:
    """Take a project back to how version 0001 left it."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "ALTER TABLE images DROP COLUMN standing;"
            "ALTER TABLE categories DROP COLUMN standing; DROP TABLE file_ids; DROP TABLE edits_set_aside;"
            "DROP TABLE category_merges;"
            "ALTER TABLE instances DROP COLUMN dense;"
            "DROP INDEX ix_instances_edited; ALTER TABLE instances DROP COLUMN edited_at;"
            "DROP TABLE image_looks; ALTER TABLE history DROP COLUMN clicks;"
            "ALTER TABLE history DROP COLUMN keys; ALTER TABLE history DROP COLUMN active_s;"
            "DROP TABLE signals; DROP INDEX ix_instances_image;"
            "CREATE INDEX ix_instances_image ON instances (image_id);"
            "CREATE INDEX ix_instances_category ON instances (category_id, state);"
            "UPDATE alembic_version SET version_num = '0001';"
        )


def overwrite_steps(file: Path) -> None:
    """Damage a closed project file so that its steps cannot be read; all else can."""
    with closing(sqlite3.connect(file)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'history'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(file.read_bytes())
    content[(root - 1) * size : root * size] = b"d" * size
    file.write_bytes(content)
