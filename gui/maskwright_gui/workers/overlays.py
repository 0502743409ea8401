"""Thumbnails with the objects drawn in, for the grid of the data set."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from maskwright.document.palette import category_colour, stable_colour
from maskwright.document.values import Category, Instance, InstanceState
from maskwright.errors import ImageError, ProjectError
from maskwright.geometry.polygon import Polygon
from maskwright_gui.canvas.pyramid import bgr_to_qimage
from maskwright_gui.workers.thumbnails import read_small

if TYPE_CHECKING:
    from maskwright.project.store import Project


class OverlayReader:
    """Reads one image small and draws what the project has on it; a null image where it cannot be read.

    None where it has to be on the canvas once before, as `read_small` says.
    """

    def __init__(self, project: "Project", categories: tuple[Category, ...]) -> None:
        self._project = project
        self._colours = {category.id: category_colour(category) for category in categories}

    def __call__(
        self, image_id: int, path: Path, max_side_px: int, is_wanted: Callable[[], bool] = lambda: True
    ) -> QImage | None:
        from maskwright.overlay import draw_overlay

        try:
            if (picture := read_small(path, max_side_px, is_wanted)) is None:
                return None
            document = self._project.instances.document(image_id)
        except (ImageError, ProjectError):
            return QImage()
        scale = picture.shape[1] / document.size_wh[0]
        shown = [scaled(i, scale) for i in document if i.is_visible and i.state is not InstanceState.REJECTED]
        return bgr_to_qimage(draw_overlay(picture, shown, colour_of=self._bgr))

    def _bgr(self, instance: Instance) -> tuple[int, int, int]:
        red, green, blue = self._colours.get(instance.category_id) or stable_colour(instance.category_id)
        return blue, green, red


def scaled(instance: Instance, factor: float) -> Instance:
    """The instance for a picture of another size."""
    polygons = (
        Polygon.of(polygon.exterior * factor, [hole * factor for hole in polygon.holes])
        for polygon in instance.polygons
    )
    return replace(instance, polygons=tuple(polygons))
