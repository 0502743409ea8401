"""RF-DETR with its segmentation head, as its authors export it to ONNX."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.family import (
    BoundNetwork,
    PixelFormat,
    Roles,
    agree,
    card_notes,
    named_roles,
    noted_labels,
)
from maskwright.inference.adapters.pairs import pair_candidates, scored_pairs, sound_rows
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import resizing
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import ModelCategory, categories_named, coco_category
from maskwright.inference.masks import InputMaps, sigmoid
from maskwright.inference.thresholds import Defaults

_COCO_COLUMNS = 91


@dataclass(frozen=True)
class RfDetrAdapter(BoundNetwork):
    """See `Adapter`. Roles: dets (1, Q, 4) centre x, centre y, width, height normalised; labels (1, Q, C) logits,
    column 0 unused and column k category k; masks (1, Q, h, w) logits over the whole input, which is stretched."""

    family: ClassVar[str] = "rf_detr"

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "RfDetrAdapter | None":
        roles = cls.output_roles(interface.outputs)
        if roles is None or len(interface.inputs) != 1 or interface.inputs[0].rank != 4:
            return None
        columns = interface.outputs[roles["labels"]].dim(2)
        if columns is None:
            raise ModelError("the number of classes is dynamic in output labels")
        expected = image_input(interface, index=0, default="rgb-normalised", override=pixels)
        return cls(
            card_notes(interface, cls.family, Defaults(nms_iou=0.8)),
            _categories(interface, columns),
            expected,
            resizing(interface, 0, expected.layout),
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        """By name; early exports have no name for the masks, so the only output of rank 4 is used."""
        roles = named_roles(outputs, ("dets", "labels"))
        masks = [k for k, spec in enumerate(outputs) if spec.rank == 4]
        if roles is None or len(masks) != 1 or len(outputs) != 3:
            return None
        dets, labels = outputs[roles["dets"]], outputs[roles["labels"]]
        queries = (dets.dim(1), labels.dim(1), outputs[masks[0]].dim(1))
        if (dets.rank, labels.rank) != (3, 3) or not agree(dets.dim(2), 4) or not agree(*queries):
            return None
        return {**roles, "masks": masks[0]}

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        pairs = scored_pairs(sigmoid(outputs["labels"][0]), self.defaults, skips_first=True)
        rows = outputs["dets"][0][pairs.used].astype(np.float32)
        half = rows[:, 2:] / 2
        boxes_xyxy = frame.boxes_to_pixels(np.concatenate([rows[:, :2] - half, rows[:, :2] + half], 1))
        masks = InputMaps(_no_nan(outputs["masks"][0][pairs.used]), are_logits=True)
        return pair_candidates(frame, self.categories, boxes_xyxy, sound_rows(rows), pairs, masks, self.defaults)


def _no_nan(logits: NDArray[np.floating]) -> NDArray[np.float32]:
    """Replaces NaN by a logit of low probability."""
    return np.nan_to_num(logits.astype(np.float32), nan=-80, posinf=80, neginf=-80)


def _categories(interface: NetworkInterface, columns: int) -> tuple[ModelCategory, ...]:
    names, ids = noted_labels(interface)
    if names and len(names) == columns - 1:
        return categories_named(names, ids)
    if columns == _COCO_COLUMNS:
        return tuple(coco_category(label) for label in range(1, columns))
    return tuple(ModelCategory(label, f"category {label}") for label in range(1, columns))
