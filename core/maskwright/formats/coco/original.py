"""What an imported record looked like, so that an untouched object is written back unchanged.

Unknown keys are kept in `extra` under their own names; the rest under one reserved name: segmentation, box and area as
in the file, the order of the keys, and a fingerprint of the geometry derived from them."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from maskwright.formats.json_stream import require_shallow
from maskwright.geometry.polygon import Polygon

KEY = "maskwright.coco"
GEOMETRY_KEYS = ("segmentation", "area", "bbox", "iscrowd")
ANNOTATION_KEYS = ("id", "image_id", "category_id", *GEOMETRY_KEYS)
IMAGE_KEYS = ("id", "file_name", "width", "height")
CATEGORY_KEYS = ("id", "name", "supercategory")


def fingerprint(polygons: Sequence[Polygon]) -> str:
    """A digest that changes whenever a vertex does."""
    digest = hashlib.blake2b(digest_size=8)
    for polygon in polygons:
        digest.update(b"part")
        for ring in polygon.rings:
            digest.update(len(ring).to_bytes(4, "little"))
            digest.update(ring.tobytes())
    return digest.hexdigest()


def remember(record: Mapping[str, Any], known: tuple[str, ...], polygons: Sequence[Polygon] = ()) -> dict[str, Any]:
    """The `extra` for the value built from `record`. Raises ValueError if it is nested too deeply to be written."""
    if not polygons and tuple(record) == known:  # nothing to keep, as for nearly every image of a large file
        return {}
    extra = {key: value for key, value in record.items() if key not in known and key != KEY}
    require_shallow(extra)
    original: dict[str, Any] = {}
    if polygons:
        original = {key: record[key] for key in GEOMETRY_KEYS if key in record}
        original["fingerprint"] = fingerprint(polygons)
    order = list(record)
    if order != [*(key for key in known if key in record), *extra]:
        original["keys"] = order
    return {**extra, KEY: original} if original else extra


def untouched_geometry(extra: Mapping[str, Any], polygons: Sequence[Polygon]) -> dict[str, Any] | None:
    """Segmentation, area and so on as in the file; None if there was no file or a vertex has moved."""
    original = extra.get(KEY)
    if not isinstance(original, Mapping) or original.get("fingerprint") != fingerprint(polygons):
        return None
    return {key: original[key] for key in GEOMETRY_KEYS if key in original}


def in_original_order(record: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The record with its keys in the file's order; new keys come last."""
    original = extra.get(KEY)
    order = original.get("keys") if isinstance(original, Mapping) else None
    if not isinstance(order, list):
        return record
    return {key: record[key] for key in order if key in record} | record
