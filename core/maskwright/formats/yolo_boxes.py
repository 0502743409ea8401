"""YOLO for detectors: a box or a turned box per object, in the same folders as YOLO segmentation.

Boxes are `number x y w h` (centre and size), turned ones `number x1 y1 x2 y2 x3 y3 x4 y4`, as Ultralytics' pages on
detection and OBB data sets describe them; all are shares of the image's size and lie within it.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.document.values import ImageRecord, Instance
from maskwright.formats.coco.options import CocoExportOptions, CocoSource
from maskwright.formats.selection import WriteReport
from maskwright.formats.yolo import write_labels
from maskwright.geometry.polygon import Polygon
from maskwright.geometry.raster import polygons_bbox_xywh

_LOST = ("outlines (only boxes are written)", "class and object ids", "scores", "attributes", "crowd flags")


def write_yolo_boxes(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """`labels/` and `data.yaml` below the folder `path`. Raises FormatError where they cannot be written."""
    return write_labels(source, path, options, _box_line, _LOST)


def write_yolo_obb(source: CocoSource, path: Path, options: CocoExportOptions) -> WriteReport:
    """The same with turned boxes, the smallest around each object."""
    return write_labels(source, path, options, _turned_line, _LOST)


def upright_box(instance: Instance, image: ImageRecord) -> tuple[Polygon, ...]:
    """What a box file holds of an object: the rectangle around its pixels."""
    x, y, w, h = polygons_bbox_xywh(instance.polygons, (image.width, image.height))
    return (Polygon.of([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]),)


def turned_box(instance: Instance, image: ImageRecord) -> tuple[Polygon, ...]:
    """What an OBB file holds of an object: the smallest turned rectangle around its corners, kept inside the image."""
    points = np.concatenate([polygon.exterior for polygon in instance.polygons]).astype(np.float32)
    corners: NDArray[np.float64] = cv2.boxPoints(cv2.minAreaRect(points)).astype(np.float64)
    return (Polygon.of(np.clip(corners, 0, [image.width, image.height])),)


def _box_line(instance: Instance, image: ImageRecord) -> list[float]:
    x1, y1, x2, y2 = upright_box(instance, image)[0].bounds_xyxy
    centre_size = np.array([[(x1 + x2) / 2, (y1 + y2) / 2], [x2 - x1, y2 - y1]])
    return _shares(centre_size, image)


def _turned_line(instance: Instance, image: ImageRecord) -> list[float]:
    return _shares(turned_box(instance, image)[0].exterior, image)


def _shares(points: NDArray[np.float64], image: ImageRecord) -> list[float]:
    found: list[float] = (points / (image.width, image.height)).ravel().tolist()
    return found
