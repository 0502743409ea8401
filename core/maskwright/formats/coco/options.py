"""Options of a COCO export, what it reads from, its report, and the profiles of its readers.

Sources of the profiles: pycocotools `coco.py`; Detectron2 `data/datasets/coco.py`; MMDetection `datasets/coco.py`; the
COCO pages of the CVAT and FiftyOne documentation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeGuard, runtime_checkable

from maskwright.document.values import Category, ImageRecord, ImageState, Instance, InstanceState
from maskwright.errors import FormatError


class CocoSource(Protocol):
    """Anything that holds annotated images: a project, a file that was read, a list in a test."""

    def categories(self) -> Sequence[Category]:
        """The class table, shared by all images."""

    def images(self) -> Iterator[ImageRecord]:
        """All images in the order of their ids; may be called repeatedly."""

    def instances(self, image_id: int) -> Sequence[Instance]:
        """The instances of one image, lowest first."""


HEADER_SETTING = "coco.header"
"""{"order": [top-level keys], "values": {key: value}} of the source's file."""

ORDER_SETTING = "coco.order"
"""{"images": [ids], "annotations": [ids]} in the order of that file; absent if sorted by id."""


def is_order(value: Any) -> TypeGuard[dict[str, list[int]]]:
    """Whether `value` is a valid order as in `ORDER_SETTING`; the project may be a stranger's."""
    lists = (value.get("images"), value.get("annotations")) if isinstance(value, dict) else (None,)
    return all(isinstance(each, list) and set(map(type, each)) <= {int} and _are_ids(each) for each in lists)


def _are_ids(numbers: list[int]) -> bool:
    ends = min(numbers, default=0), max(numbers, default=0)
    return len(set(numbers)) == len(numbers) and ends[0] >= 0 and ends[1] < 2**63


@runtime_checkable
class RemembersFile(Protocol):
    """A source that also remembers the rest of its file, under the two names above."""

    def setting(self, key: str) -> Any:
        """None if there is nothing under `key`."""

    def instance_ids(self) -> Sequence[int]:
        """The ids of all instances."""

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids are left out."""


@runtime_checkable
class StreamsRecords(Protocol):
    """A source that can return what it imported as the original JSON."""

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        """(image id, instance id, instance or JSON of an untouched annotation), by image and id or as in `ids`."""


@dataclass(frozen=True, slots=True)
class CocoExportOptions:
    """What is exported; by default the corrected data set: a user's instances on images that a user has worked on."""

    include_proposals: bool = False
    """Also write unreviewed proposals, and with them the images that were only pre-labelled."""
    include_unreviewed: bool = False
    """Also list unreviewed images, which a trainer takes for verified empty ones."""
    min_score: float = 0.0
    """Leaves out proposals below this score; a user's instances are always written."""
    holes: Literal["keyhole", "rle"] = "keyhole"
    """How to write holes: as one ring with a bridge, which every reader understands, or as run lengths."""
    include_provenance: bool | None = None
    """Write state, score, model, thresholds and times of each instance to its `attributes`. None: only if an imported
    file had them; False: never.
    """
    masks: Literal["as-is", "polygons", "rle"] = "as-is"
    """`as-is`: polygons, and run lengths where a file had them, for crowds, and for `holes` if chosen. `polygons`,
    `rle`: all objects the same way, for loaders that reject a mixture. A box stays a box.
    """
    crowds: bool = True
    """False: leave out crowd regions."""
    category_ids: Literal["project", "contiguous"] = "project"
    """`contiguous`: 1..N in the order of the project's ids."""
    plain_attributes: bool = False
    """Write only text, numbers and booleans to `attributes`."""
    classes: Literal["all", "used"] = "all"
    """`used`: list only classes with exported objects; their ids do not change."""

    @property
    def keeps_records(self) -> bool:
        """Whether untouched polygon annotations are written exactly as they were imported."""
        is_renumbered = self.category_ids != "project"
        is_plain = not (self.include_provenance or self.plain_attributes or is_renumbered)
        return self.crowds and is_plain and self.masks != "rle"

    def takes_image(self, image: ImageRecord) -> bool:
        """Whether the image is exported."""
        return self.takes_images_in(image.state)

    def takes_images_in(self, state: ImageState) -> bool:
        """Whether images in this state are exported."""
        match state:
            case ImageState.UNSEEN:
                return self.include_unreviewed
            case ImageState.PRELABELLED:
                return self.include_unreviewed or self.include_proposals
            case _:
                return True

    def takes_instance(self, instance: Instance) -> bool:
        """Whether the instance is exported."""
        if instance.is_crowd and not self.crowds:
            return False
        if instance.state is InstanceState.PROPOSED:
            return self.include_proposals and (instance.score is None or instance.score >= self.min_score)
        return instance.state.is_exported


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An instance that could not be written, and why."""

    image_id: int
    instance_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class CocoExportReport:
    """What was written."""

    path: Path
    image_count: int
    instance_count: int
    unreviewed_count: int
    """Images left out because they are unreviewed."""
    left_out: tuple[LeftOut, ...] = ()
    lost_keypoints: int = 0
    """Objects whose keypoints were left out because the outline changed and they may no longer lie on it."""
    crowd_polygons: int = 0
    """Crowd regions written as polygons because only polygons were wanted."""
    lost_scores: int = 0
    """Objects whose score is not written, because it is part of the provenance."""
    lost_ignores: int = 0
    """Objects that the imported file marked as ignored, and the exported one does not."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The needs of one reader: `changes` are applied to the options; `losses` and `notes` are shown to the user."""

    name: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    losses: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    format_name: str = "coco"
    """Ultralytics reads another format."""

    def applied(self, options: CocoExportOptions) -> CocoExportOptions:
        """The options with the changes of this profile."""
        return replace(options, **self.changes)


PROFILES: tuple[Profile, ...] = (
    Profile("generic", "pycocotools and most other tools"),
    Profile(
        "detectron2",
        "Detectron2",
        MappingProxyType({"masks": "polygons", "holes": "keyhole"}),
        losses=("run lengths become polygons with the same pixels",),
        notes=("crowd regions are used for evaluation only",),
    ),
    Profile(
        "mmdetection",
        "MMDetection",
        MappingProxyType({"masks": "polygons", "holes": "keyhole"}),
        losses=("run lengths become polygons with the same pixels",),
        notes=(
            "class names must match `metainfo.classes` exactly",
            "images with a side under 32 px are dropped by its default `min_size`",
        ),
    ),
    Profile(
        "ultralytics",
        "Ultralytics (YOLO segmentation)",
        MappingProxyType({"crowds": False, "category_ids": "contiguous"}),
        losses=("class and object ids", "scores", "crowd regions", "holes and parts become bridges"),
        notes=("put the images in `images/`, next to `labels/`",),
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
    """The profile of this name. Raises FormatError with the known names if there is none."""
    found = next((profile for profile in PROFILES if profile.name == name), None)
    if found is None:
        raise FormatError(f"unknown profile {name!r}", hint="known: " + ", ".join(p.name for p in PROFILES))
    return found
