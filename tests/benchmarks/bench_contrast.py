"""How well outlines are seen on photographs: contrast along every outline of a COCO file, for four kinds of eyes.

    python tests/benchmarks/bench_contrast.py val.json IMAGES [CLASS_COLOUR]

At points along each outline, three pixels to both sides of it are looked at: the largest contrast ratio between two of
those seven (WCAG 2.2, relative luminance) is how clearly a line is there. Printed: the share of points with 3:1 and
more, and the tenth percentile. Baseline: the same outlines as a plain line of the class colour, as others draw them.
CLASS_COLOUR, such as #000060, is given to all classes: what a user may choose.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from colour_vision import EYES
from maskwright.document.palette import Rgb, parse_colour, stable_colour
from maskwright.document.values import Category, Instance
from maskwright.formats.coco.reader import read_coco
from maskwright.images import read_image
from maskwright_gui.canvas.raster import LayerView, rasterise
from maskwright_gui.canvas.scene import Scene
from maskwright_gui.canvas.style import CanvasStyle

SPACING_PX, REACH_PX = 6.0, 3
LEAST_RATIO = 3.0
Image = NDArray[np.uint8]


def main(arguments: list[str]) -> None:
    data = read_coco(Path(arguments[0]))
    own = parse_colour(arguments[2]) if len(arguments) > 2 else None
    colours = {each.id: own or stable_colour(each.id) for each in data.categories()}
    categories = [Category(id_, str(id_), colour="#{:02x}{:02x}{:02x}".format(*rgb)) for id_, rgb in colours.items()]
    style = CanvasStyle().with_categories(categories)
    found: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
    for record in data.images():
        photo = read_image(Path(arguments[1]) / record.file_name).bgr_u8
        objects = [each for each in data.instances(record.id) if each.polygons and not each.is_crowd]
        places = [place for each in objects for place in outline_places(each)]
        if not places:
            continue
        for name, picture in (("ours", drawn(photo, objects, style)), ("plain line", plain(photo, objects, colours))):
            for eye in EYES:
                found.setdefault((name, eye), []).append(clearest(luminance(picture, eye), places))
    for (name, eye), ratios in sorted(found.items()):
        every = np.concatenate(ratios)
        print(
            f"{name:10s} {eye:13s} {(every >= LEAST_RATIO).mean():6.1%} of {len(every)} points at {LEAST_RATIO:.0f}:1 "
            f"and more, tenth percentile {np.percentile(every, 10):.1f}:1"
        )


def drawn(photo: Image, objects: list[Instance], style: CanvasStyle) -> Image:
    """The photograph with the outlines as the canvas shows them at 100 %."""
    height, width = photo.shape[:2]
    layer = np.zeros((height, width, 4), np.uint8)
    rasterise(Scene.of(objects, style), LayerView(1.0, 0.0, 0.0, width, height), layer)
    return np.clip(photo * (1 - layer[..., 3:] / 255.0) + layer[..., :3], 0, 255).astype(np.uint8)


def plain(photo: Image, objects: list[Instance], colours: dict[int, Rgb]) -> Image:
    picture = photo.copy()
    for each in objects:
        rings = [np.rint((ring - 0.5) * 16).astype(np.int32) for part in each.polygons for ring in part.rings]
        cv2.polylines(picture, rings, True, colours[each.category_id][::-1], 1, cv2.LINE_AA, 4)
    return picture


def outline_places(instance: Instance) -> list[tuple[float, float, float, float]]:
    """(x, y, normal x, normal y) every few pixels along the rings."""
    places = []
    for part in instance.polygons:
        for ring in part.rings:
            for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                length = float(np.hypot(x2 - x1, y2 - y1))
                for along in np.arange(SPACING_PX / 2, length, SPACING_PX):
                    share = along / length
                    x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
                    places.append((x, y, -(y2 - y1) / length, (x2 - x1) / length))
    return places


def luminance(picture: Image, eye: str) -> NDArray[np.float64]:
    """(H, W) relative luminance of sRGB as the eye sees it."""
    table = np.arange(256) / 255
    linear = np.where(table <= 0.04045, table / 12.92, ((table + 0.055) / 1.055) ** 2.4)[picture[..., ::-1]]
    return np.clip(linear @ EYES[eye].T, 0, 1) @ np.array([0.2126, 0.7152, 0.0722])


def clearest(light: NDArray[np.float64], places: list[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    """(N,) largest contrast ratio between two pixels across the outline at each place."""
    x, y, normal_x, normal_y = np.array(places).T
    steps = np.arange(-REACH_PX, REACH_PX + 1)[:, None]
    columns = np.clip(np.floor(x + steps * normal_x), 0, light.shape[1] - 1).astype(int)
    rows = np.clip(np.floor(y + steps * normal_y), 0, light.shape[0] - 1).astype(int)
    seen = light[rows, columns]
    ratios: NDArray[np.float64] = (seen.max(axis=0) + 0.05) / (seen.min(axis=0) + 0.05)
    return ratios


if __name__ == "__main__":
    main(sys.argv[1:])
