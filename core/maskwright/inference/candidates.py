"""A model's compact output for one image: everything that thresholds can later select from, but no pixels."""

import io
import json
import zipfile
from collections.abc import Collection
from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import FormatError
from maskwright.inference.frame import Frame
from maskwright.inference.labels import ModelCategory
from maskwright.inference.masks import MaskSource
from maskwright.inference.prediction import Prediction
from maskwright.inference.select import Remembered, selected
from maskwright.inference.storing import compacted, restored_masks
from maskwright.inference.thresholds import Defaults, Thresholds
from maskwright.plain_words import in_plain_words

FORMAT_VERSION = 6
PREPROCESSING_VERSION = 2
"""Raise it when the same image and model would give other candidates than before, so that caches drop theirs."""
SCORE_FLOOR = 0.05
"""Nothing at or below is kept; the accuracy checker's threshold for both Open Model Zoo models."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Scored boxes with masks; one row of `boxes_xyxy` may have several classes.

    boxes_xyxy: (N, 4) float32, image pixels, not clipped to the image. rows: (P,) int32 into boxes and masks; classes:
    (P,) int32 into `categories`; scores: (P,) float32, best first.
    """

    frame: Frame
    categories: tuple[ModelCategory, ...]
    boxes_xyxy: NDArray[np.float32]
    rows: NDArray[np.int32]
    classes: NDArray[np.int32]
    scores: NDArray[np.float32]
    masks: MaskSource
    defaults: Defaults = field(default_factory=Defaults)
    remembered: Remembered = field(default_factory=Remembered, init=False, repr=False)

    def __repr__(self) -> str:
        best = f", best {self.scores[0]:.2f}" if len(self) else ""
        width, height = self.frame.size_wh
        return f"<Candidates: {len(self)} of {len(self.categories)} classes on {width} x {height} pixels{best}>"

    def __len__(self) -> int:
        return len(self.scores)

    def select(
        self,
        score: float | None = None,
        nms_iou: float | None = None,
        max_instances: int | None = None,
        *,
        class_agnostic: bool = False,
        mask_threshold: float = 0.5,
        categories: Collection[int] | None = None,
        min_iou: float | None = 0.98,
        clip_to_box: bool = False,
        multi_label: bool | None = None,
    ) -> tuple[Prediction, ...]:
        """Instances with a score above `score`, best first, after NMS of boxes that overlap by more than `nms_iou`.

        None for the first three means the model's own operating point (0.5, 0.5 and 100 unless its file says
        otherwise). class_agnostic: boxes of different classes suppress each other, too, as they always do if the model
        says so. mask_threshold: probability above which a pixel belongs to the instance. categories: ids to keep, None
        for all. min_iou: least IoU of the polygons with the masks (None: exact). clip_to_box: cut masks at their box.
        YOLACT's reference lets them extend about one prototype cell beyond it, which the default reproduces; clipping
        scores better (mask AP 0.145 against 0.136 with a YOLACT stand-in on COCO, 0.611 against 0.610 on nuclei), so
        the program itself clips. multi_label: one box may be several objects of different classes; None: as in the
        family's reference. Instances without a mask pixel are left out, and so are all at or below `SCORE_FLOOR`
        (0.05), which were never kept. Raises InputError for numbers outside 0 to 1 and for fewer than one instance.
        """
        wanted = Thresholds(
            score,
            nms_iou,
            max_instances,
            is_class_agnostic=class_agnostic,
            mask_threshold=mask_threshold,
            min_iou=1.0 if min_iou is None else min_iou,
            categories=None if categories is None else tuple(sorted(categories)),
            clips_to_box=clip_to_box,
            is_multi_label=multi_label,
        )
        return selected(self, wanted)

    def selected(self, thresholds: Thresholds, *, notes_looseness: bool = False) -> tuple[Prediction, ...]:
        """Like `select`, with the arguments as one value.

        notes_looseness: saves time if `review.uncertainty` is asked for next.
        """
        return selected(self, thresholds, notes_looseness=notes_looseness)

    def to_coco(self, image_id: int, **thresholds: Any) -> list[dict[str, Any]]:
        """The instances of `select(**thresholds)` as COCO results, ready for JSON and `COCO.loadRes`."""
        return [prediction.to_coco(image_id) for prediction in self.select(**thresholds)]

    def to_arrays(self, **thresholds: Any) -> dict[str, NDArray[Any]]:
        """The instances of `select(**thresholds)` as arrays of N rows, under supervision's names.

        xyxy: (N, 4) float32; mask: (N, H, W) bool; confidence: (N,) float32; class_id: (N,) int64, as
        `Prediction.category_id`; class_name: (N,) of str.
        """
        found = self.select(**thresholds)
        width, height = self.frame.size_wh
        return {
            "xyxy": np.array([each.bbox_xyxy for each in found], np.float32).reshape(-1, 4),
            "mask": np.stack([each.mask for each in found]) if found else np.zeros((0, height, width), np.bool_),
            "confidence": np.array([each.score for each in found], np.float32),
            "class_id": np.array([each.category_id for each in found], np.int64),
            "class_name": np.array([each.category_name for each in found], np.str_),
        }

    def to_bytes(self) -> bytes:
        """An .npz file for a cache: masks in half precision, large ones reduced further (see `storing.compacted`)."""
        stored = compacted(self)
        header = {
            "version": FORMAT_VERSION,
            "size_wh": self.frame.size_wh,
            "extent_wh": self.frame.extent_wh,
            "start_xy": self.frame.start_xy,
            "categories": [(category.id, category.name) for category in self.categories],
            "defaults": astuple(self.defaults),
        }
        arrays: dict[str, NDArray[Any]] = {
            "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
            "boxes_xyxy": stored.boxes_xyxy,
            "rows": stored.rows,
            "classes": stored.classes,
            "scores": stored.scores,
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, array in (arrays | stored.masks.arrays()).items():
                with archive.open(f"{name}.npy", "w") as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Candidates":
        """The inverse of `to_bytes`. Raises FormatError for damaged content or another version."""
        try:
            _require_not_packed(stored)
            with np.load(io.BytesIO(stored), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            header = json.loads(arrays.pop("header").tobytes())
            if header["version"] != FORMAT_VERSION:
                raise FormatError(f"stored candidates have version {header['version']}, expected {FORMAT_VERSION}")
            return cls(
                Frame(*(tuple(header[key]) for key in ("size_wh", "extent_wh", "start_xy"))),
                tuple(ModelCategory(*pair) for pair in header["categories"]),
                arrays["boxes_xyxy"],
                arrays["rows"],
                arrays["classes"],
                arrays["scores"],
                restored_masks(arrays),
                Defaults(*header["defaults"]),
            )
        except (ValueError, KeyError, TypeError, EOFError, OSError, MemoryError, zipfile.BadZipFile) as error:
            raise FormatError(f"stored candidates are damaged: {in_plain_words(error)}") from error


def _require_not_packed(stored: bytes) -> None:
    """Raises ValueError if entries are compressed, which could unpack to any size; `to_bytes` never compresses."""
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("they are compressed")
