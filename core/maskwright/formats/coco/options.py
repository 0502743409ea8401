"""What goes into a COCO file: where it comes from, what is chosen, what came of it, what its consumers need.

Sources of the profiles: pycocotools `coco.py`; Detectron2 `data/datasets/coco.py`; MMDetection `datasets/coco.py`; the
COCO pages of the CVAT and FiftyOne documentation.
"""

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
        """The class table, one for all images."""

    def images(self) -> Iterator[ImageRecord]:
        """All images in the order of their ids; asked for more than once."""

    def instances(self, image_id: int) -> Sequence[Instance]:
        """The instances of one image."""


HEADER_SETTING = "coco.header"
"""{"order": [top-level keys], "values": {key: value}} of the file that the source came from."""

ORDER_SETTING = "coco.order"
"""{"images": [ids], "annotations": [ids]} in the order of that file; absent where it is the order of the ids."""


def is_order(value: Any) -> TypeGuard[dict[str, list[int]]]:
    """Whether it is what `ORDER_SETTING` stands for; a project may be someone else's."""
    lists = (value.get("images"), value.get("annotations")) if isinstance(value, dict) else (None,)
    return all(isinstance(each, list) and set(map(type, each)) <= {int} and _are_ids(each) for each in lists)


def _are_ids(numbers: list[int]) -> bool:
    ends = min(numbers, default=0), max(numbers, default=0)
    return len(set(numbers)) == len(numbers) and ends[0] >= 0 and ends[1] < 2**63


@runtime_checkable
class RemembersFile(Protocol):
    """A source that also remembers the rest of the file it came from, under the two names above."""

    def setting(self, key: str) -> Any:
        """None when there is nothing under `key`."""

    def instance_ids(self) -> Sequence[int]:
        """Of all instances."""

    def find_instances(self, ids: Sequence[int]) -> Mapping[int, tuple[int, Instance]]:
        """{instance id: (image id, instance)}; unknown ids are left out."""


@runtime_checkable
class StreamsRecords(Protocol):
    """A source that can give what it imported back as the JSON that it was."""

    def stored(self, ids: Sequence[int] | None = None) -> Iterator[tuple[int, int, bytes | Instance]]:
        """(image id, instance id, instance or JSON of an untouched annotation), by image and id or as `ids` say."""


@dataclass(frozen=True, slots=True)
class CocoExportOptions:
    """The corrected data set by default: a user's instances on images that a user has worked on."""

    include_proposals: bool = False
    """Also write what the model suggests and nobody has decided on; brings the pre-labelled images in."""
    include_unreviewed: bool = False
    """Also list images that nobody has looked at; a trainer takes them for verified empty ones."""
    min_score: float = 0.0
    """Leaves out proposals under this score; what a user accepted or drew is always written."""
    holes: Literal["keyhole", "rle"] = "keyhole"
    """Instances with holes as one ring with a bridge, which everybody reads, or as run lengths."""
    include_provenance: bool | None = None
    """State, score, model, its thresholds and times of each instance in its `attributes`; None: only where it came so
    with an imported file; False: not even there."""
    masks: Literal["as-is", "polygons", "rle"] = "as-is"
    """`as-is`: polygons, and run lengths where a file had them, for crowds, and for `holes` if so chosen; `polygons`
    and `rle`: all objects alike, as loaders want it that raise at a mixture. A box stays a box."""
    crowds: bool = True
    """Off: regions marked as crowds are left out."""
    category_ids: Literal["project", "contiguous"] = "project"
    """`contiguous`: 1..N in the order of the project's ids."""
    plain_attributes: bool = False
    """Only text, numbers and true or false in `attributes`."""
    classes: Literal["all", "used"] = "all"
    """`used`: the class table has only classes of objects that are written; their ids stay what they are."""

    @property
    def keeps_records(self) -> bool:
        """Whether an untouched annotation of polygons is written as it came."""
        is_renumbered = self.category_ids != "project"
        is_plain = not (self.include_provenance or self.plain_attributes or is_renumbered)
        return self.crowds and is_plain and self.masks != "rle"

    def takes_image(self, image: ImageRecord) -> bool:
        return self.takes_images_in(image.state)

    def takes_images_in(self, state: ImageState) -> bool:
        match state:
            case ImageState.UNSEEN:
                return self.include_unreviewed
            case ImageState.PRELABELLED:
                return self.include_unreviewed or self.include_proposals
            case _:
                return True

    def takes_instance(self, instance: Instance) -> bool:
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
    """Images left out because nobody has looked at them."""
    left_out: tuple[LeftOut, ...] = ()
    lost_keypoints: int = 0
    """Objects whose keypoints were left out: the outline was changed, and they may no longer lie on it."""
    crowd_polygons: int = 0
    """Crowd regions written as polygons because only polygons were wanted."""
    lost_scores: int = 0
    """Objects whose score is not written: it is only with the provenance."""
    lost_ignores: int = 0
    """Objects that a file told its readers to ignore, which no longer says so."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`changes` are applied to the options; `losses` and `notes` are for the user who exports."""

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
    """Raises FormatError, with the names there are, for another one."""
    found = next((profile for profile in PROFILES if profile.name == name), None)
    if found is None:
        raise FormatError(f"unknown profile {name!r}", hint="known: " + ", ".join(p.name for p in PROFILES))
    return found
