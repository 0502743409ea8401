"""Detections as COCO's results list, for `COCO.loadRes`: no images, no ids, but scores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from maskwright.document.values import ImageRecord, Instance
from maskwright.formats.atomic import atomic_writer
from maskwright.formats.coco.numbers import as_in_file
from maskwright.formats.coco.options import CocoSource
from maskwright.formats.coco.records import rle_record
from maskwright.geometry.algebra import clip_to_image
from maskwright.geometry.raster import polygons_to_rle, rle_area, rle_bbox_xywh


def export_results(
    source: CocoSource, path: Path, *, takes: Callable[[Instance], bool] = lambda instance: instance.score is not None
) -> int:
    """Write the instances that `takes` accepts (by default those with a score; none counts as 1); how many they are.

    Raises FormatError where the file cannot be written.
    """
    count = 0
    source = as_in_file(source)
    with atomic_writer(path) as file:
        separator = b"["
        for image in source.images():
            for instance in filter(takes, source.instances(image.id)):
                record = _result(instance, image)
                if record is not None:
                    file.write(separator + b"\n" + orjson.dumps(record))
                    separator = b","
                    count += 1
        file.write(b"[]\n" if not count else b"]\n")
    return count


def _result(instance: Instance, image: ImageRecord) -> dict[str, Any] | None:
    size_wh = (image.width, image.height)
    rle = polygons_to_rle(clip_to_image(instance.polygons, size_wh), size_wh)
    if not rle_area(rle):
        return None
    return {
        "image_id": image.id,
        "category_id": instance.category_id,
        "segmentation": rle_record(rle),
        "bbox": list(rle_bbox_xywh(rle)),
        "score": 1.0 if instance.score is None else round(instance.score, 6),
    }
