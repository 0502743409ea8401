"""Mask R-CNN as TensorFlow's Object Detection API froze it: five outputs, the class of each mask already chosen.

The graph resizes by itself, so it is fed the image at its own size, as RGB bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.adapters.bound import BoundNetwork
from maskwright.inference.adapters.family import (
    PixelFormat,
    Roles,
    agree,
    card_notes,
    named_roles,
    noted_labels,
)
from maskwright.inference.adapters.mask_rcnn import DEFAULTS, label_categories
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import NativeSize
from maskwright.inference.adapters.rows import row_candidates
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec

_OUTPUTS = ("num_detections", "detection_boxes", "detection_scores", "detection_classes", "detection_masks")
_COCO_LABELS = 90


@dataclass(frozen=True)
class MaskRcnnTfAdapter(BoundNetwork):
    """See `Adapter`. Roles: num_detections (1,); detection_boxes (1, N, 4) y1 x1 y2 x2 normalised to the image;
    detection_scores and detection_classes (1, N), classes from 1; detection_masks (1, N, h, w) probabilities."""

    family: ClassVar[str] = "mask_rcnn_tf"

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "MaskRcnnTfAdapter | None":
        if cls.output_roles(interface.outputs) is None or len(interface.inputs) != 1 or interface.inputs[0].rank != 4:
            return None
        names, _ = noted_labels(interface)
        return cls(
            card_notes(interface, cls.family, DEFAULTS),
            label_categories(interface, len(names) or _COCO_LABELS),
            image_input(interface, index=0, default="rgb", override=pixels),
            NativeSize(multiple=1),
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        """Only by name, over all names of a tensor: OpenVINO gives each its alias in TensorFlow's graph, too, in no
        fixed order, and sorts the outputs alphabetically."""
        roles = named_roles(outputs, _OUTPUTS)
        if roles is None:
            return None
        number, boxes, scores, classes, masks = (outputs[roles[name]] for name in _OUTPUTS)
        ranks = (number.rank, boxes.rank, scores.rank, classes.rank, masks.rank)
        if any(rank not in (-1, expected) for rank, expected in zip(ranks, (1, 3, 2, 2, 4), strict=True)):
            return None
        return roles if boxes.rank == -1 or agree(boxes.dim(2), 4) else None

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        count = _used_rows(float(outputs["num_detections"].reshape(-1)[0]), outputs["detection_scores"][0])
        boxes_xyxy = frame.boxes_to_pixels(outputs["detection_boxes"][0, :count][:, [1, 0, 3, 2]])
        return row_candidates(
            frame,
            self.categories,
            boxes_xyxy,
            outputs["detection_classes"][0, :count] - 1,
            outputs["detection_scores"][0, :count],
            outputs["detection_masks"][0, :count],
            self.defaults,
        )


def _used_rows(stated: float, scores: NDArray[np.floating]) -> int:
    """Rows that hold a detection: as many as stated, and none from the first without a score (padding says class 1)."""
    unused = np.flatnonzero(scores <= 0)
    limit = int(unused[0]) if len(unused) else len(scores)
    return min(limit, int(stated)) if np.isfinite(stated) and stated >= 0 else limit
