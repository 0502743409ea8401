"""What the usual consumers of COCO files need, one entry each, and what is lost on the way to them.

Sources: pycocotools `coco.py`; Detectron2 `data/datasets/coco.py`; MMDetection `datasets/coco.py`; the COCO pages of
the CVAT and FiftyOne documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from maskwright.errors import FormatError
from maskwright.formats.coco.options import CocoExportOptions


@dataclass(frozen=True, slots=True)
class Profile:
    """`changes` are applied to the options; `losses` and `notes` are for the person who exports."""

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    losses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format_name: str = "coco"
    """Ultralytics reads another format."""

    def applied(self, options: CocoExportOptions) -> CocoExportOptions:
        return replace(options, **self.changes)


PROFILES: tuple[Profile, ...] = (
    Profile("generic", "pycocotools and most others"),
    Profile(
        "detectron2",
        "Detectron2",
        MappingProxyType({"masks": "polygons", "holes": "keyhole"}),
        losses=("run lengths become polygons; pixels stay the same",),
        notes=("crowd regions are used for evaluation only",),
    ),
    Profile(
        "mmdetection",
        "MMDetection",
        MappingProxyType({"masks": "polygons", "holes": "keyhole"}),
        losses=("run lengths become polygons; pixels stay the same",),
        notes=(
            "class names must be those of `metainfo.classes`, letter by letter",
            "images with a side under 32 px are dropped by its default `min_size`",
        ),
    ),
    Profile(
        "ultralytics",
        "Ultralytics (YOLO segmentation)",
        MappingProxyType({"crowds": False, "category_ids": "contiguous"}),
        losses=("class and object ids", "scores", "crowd regions", "holes and parts become bridges"),
        notes=("put the images into `images/`, beside `labels/`",),
        format_name="yolo",
    ),
    Profile(
        "cvat",
        "CVAT",
        MappingProxyType({"masks": "polygons", "holes": "keyhole", "plain_attributes": True}),
        losses=("attributes that are lists or objects", "crowd regions become polygons"),
    ),
    Profile("fiftyone", "FiftyOne", MappingProxyType({"holes": "rle"})),
)


def profile_named(name: str) -> Profile:
    """Raises FormatError, with the names there are, for another one."""
    found = next((profile for profile in PROFILES if profile.name == name), None)
    if found is None:
        raise FormatError(f"there is no profile {name!r}", hint="known: " + ", ".join(p.name for p in PROFILES))
    return found
