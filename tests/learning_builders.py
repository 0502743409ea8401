"""Small projects to learn from: coloured discs and squares on grey."""

from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState, Provenance
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project, ScannedImage

COLOURS = {1: (200, 60, 60), 2: (60, 90, 200)}
PROVENANCE = Provenance("tiny", "0" * 64, 0.3, 0.5, "2026-01-01T00:00:00+00:00")


def box(x: float, y: float, side: float) -> Polygon:
    return Polygon.of([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])


def octagon(x: float, y: float, side: float) -> Polygon:
    angles = np.linspace(0, 2 * np.pi, 9)[:-1] + np.pi / 8
    return Polygon.of(np.stack([x + side / 2 * (1 + np.cos(angles)), y + side / 2 * (1 + np.sin(angles))], 1))


def learning_project(
    folder: Path,
    *,
    images: int = 12,
    objects: int = 3,
    side: int = 128,
    state: ImageState = ImageState.DONE,
    seed: int = 0,
) -> Project:
    """A project of `images` done images with `objects` drawn octagons each, of two classes by turns."""
    root = folder / "images"
    root.mkdir(parents=True)
    project = Project.create(folder / "set.maskwright", image_root=root)
    project.images.add(ScannedImage(f"{index:03d}.png", side, side) for index in range(images))
    project.ensure_categories([(1, "disc"), (2, "square")])
    random = np.random.default_rng(0)
    for image_id in project.images.ids().tolist():
        add_objects(project, image_id, random, objects=objects)
        project.images.set_state(image_id, state)
    return project


def add_objects(project: Project, image_id: int, random: np.random.Generator, *, objects: int) -> None:
    """Draw objects and the image that shows them."""
    record = project.images.record(image_id)
    pixels = np.full((record.height, record.width, 3), 120, np.uint8)
    instances = []
    size = record.width // 5
    for number in range(objects):
        x = int(random.integers(0, record.width - size))
        y = number * record.height // max(objects, 1)
        category = 1 + (image_id + number) % 2
        pixels[y : y + size, x : x + size] = COLOURS[category]
        instances.append((octagon(x, y, size), category))
    Image.fromarray(pixels).save(project.image_path(record))
    put(project, image_id, *instances)


def put(
    project: Project,
    image_id: int,
    *outlines: tuple[Polygon, int],
    state: InstanceState = InstanceState.DRAWN,
) -> list[int]:
    """Add instances as one step; their ids."""
    ids = project.instances.reserve_ids(len(outlines)) if outlines else range(0)
    provenance = None if state is InstanceState.DRAWN else PROVENANCE
    change = Change(
        {
            id_: (None, Instance(id_, category, (polygon,), state, provenance=provenance))
            for id_, (polygon, category) in zip(ids, outlines, strict=True)
        }
    )
    if outlines:
        project.instances.apply(image_id, change, label="Draw")
    return list(ids)
