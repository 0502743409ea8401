"""The sample project on a user's disk: the bundled images, unpacked beside their project."""

import shutil
from collections.abc import Callable
from pathlib import Path

from maskwright.document.palette import category_colour, stable_colour
from maskwright.document.values import Instance
from maskwright.errors import ProjectError
from maskwright.formats.atomic import atomic_writer
from maskwright.images import read_image
from maskwright.overlay import draw_overlay
from maskwright.project import Project, scan_folder
from maskwright.project.store import has_project
from maskwright_resources import resource_path

PROJECT_NAME = "samples.maskwright"
IMAGES, OVERLAYS, GROUND_TRUTH = "images", "overlays", "ground_truth.json"


def open_sample_project(folder: Path) -> Project:
    """The sample project in `folder`, created if missing: `images/`, their exact ground truth and the project.

    A user's work in it is kept. Raises ProjectError if the folder cannot be written.
    """
    path = folder / PROJECT_NAME
    if has_project(path):
        project = Project.open(path)
        if project.is_read_only or project.images.ids().size:
            return project
    else:
        project = _made(folder, path)
    project.images.add(scan_folder(project.image_root))
    return project


def _made(folder: Path, path: Path) -> Project:
    try:
        _unpack(folder)
    except OSError as error:
        raise ProjectError(f"cannot unpack the samples: {error.strerror or error}", path=folder) from error
    return Project.create(path, image_root=folder / IMAGES, name="Samples")


def write_overlays(project: Project, folder: Path, *, on_image: Callable[[Path], None] = lambda path: None) -> None:
    """Write one PNG per image of `project` to `folder`, with its visible instances drawn over it.

    Raises FormatError if a file cannot be written, ImageError if an image is gone.
    """
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    colours = {category.id: category_colour(category) for category in project.categories.listed()}

    def colour_of(instance: Instance) -> tuple[int, int, int]:
        red, green, blue = colours.get(instance.category_id) or stable_colour(instance.category_id)
        return blue, green, red

    for record in project.images.all():
        image = read_image(project.image_path(record)).bgr_u8
        picture = draw_overlay(image, project.instances.document(record.id), colour_of=colour_of)
        path = folder / f"{Path(record.file_name).stem}.png"
        with atomic_writer(path) as file:
            file.write(cv2.imencode(".png", picture)[1].tobytes())
        on_image(path)


def _unpack(folder: Path) -> None:
    bundled = resource_path("samples")
    images = folder / IMAGES
    images.mkdir(parents=True, exist_ok=True)
    for source in sorted(bundled.glob("*.jpg")):
        shutil.copyfile(source, images / source.name)
    shutil.copyfile(bundled / GROUND_TRUTH, folder / GROUND_TRUTH)
