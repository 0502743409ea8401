"""Mask R-CNN in two forms.

As written by the model converter: `mask_rcnn_resnet50_atrous_coco` of Open Model Zoo, NCHW or NHWC. As frozen by
TensorFlow's Object Detection API: five outputs, with the class of each mask already chosen; the graph resizes by
itself, so it gets the image at its own size, as RGB bytes."""

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
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import LetterboxFit, NativeSize
from maskwright.inference.adapters.rows import row_candidates
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import ModelCategory, categories_for, coco_category
from maskwright.inference.thresholds import Defaults

DEFAULTS = Defaults(nms_iou=0.6)
"""The graph has already applied NMS at an IoU of 0.6 within each class."""


@dataclass(frozen=True)
class MaskRcnnAdapter(BoundNetwork):
    """See `Adapter`. Roles: reshape_do_2d (N, 7) rows of image id, label, score, x1, y1, x2, y2 normalised to the
    padded input; masks (N, C, h, w) probabilities, channel = label - 1."""

    family: ClassVar[str] = "mask_rcnn"
    input_wh: tuple[int, int]
    info_index: int | None
    """Position of the input that takes the image size; None if there is none."""

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "MaskRcnnAdapter | None":
        roles = cls.output_roles(interface.outputs)
        images = [k for k, spec in enumerate(interface.inputs) if spec.rank == 4]
        infos = [k for k, spec in enumerate(interface.inputs) if spec.rank == 2]
        if roles is None or len(images) != 1 or len(images) + len(infos) != len(interface.inputs) or len(infos) > 1:
            return None
        classes = interface.outputs[roles["masks"]].dim(1)
        if classes is None:
            raise ModelError("the number of classes is dynamic in output masks")
        expected = image_input(interface, index=images[0], default="bgr", override=pixels)
        input_wh = _input_wh(interface.inputs[images[0]], expected.layout)
        return cls(
            card_notes(interface, cls.family, DEFAULTS),
            label_categories(interface, classes),
            expected,
            LetterboxFit(input_wh, rounds_down=True),
            input_wh,
            infos[0] if infos else None,
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        roles = named_roles(outputs, ("reshape_do_2d", "masks")) or _roles_by_shape(outputs)
        if roles is None:
            return None
        rows, masks = outputs[roles["reshape_do_2d"]], outputs[roles["masks"]]
        return roles if rows.rank == 2 and rows.dim(1) == 7 and masks.rank == 4 else None

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        found: dict[int, NDArray[Any]] = {self.image_input.index: self.resizing.apply(image)[None]}
        if self.info_index is not None:
            width, height = self.input_wh
            found[self.info_index] = np.array([[height, width, 1]], np.float32)
        return found

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        rows = _used_rows(outputs["reshape_do_2d"])
        boxes_xyxy = frame.boxes_to_pixels(rows[:, 3:7])
        return row_candidates(
            frame, self.categories, boxes_xyxy, rows[:, 1] - 1, rows[:, 2], outputs["masks"], self.defaults
        )


def _roles_by_shape(outputs: Sequence[TensorSpec]) -> Roles | None:
    """Roles of two outputs with other names: seven columns, and rank 4."""
    rows = [k for k, spec in enumerate(outputs) if spec.rank == 2 and spec.dim(1) == 7]
    masks = [k for k, spec in enumerate(outputs) if spec.rank == 4]
    if len(outputs) != 2 or len(rows) != 1 or len(masks) != 1:
        return None
    return {"reshape_do_2d": rows[0], "masks": masks[0]}


def categories_by_label(count: int) -> tuple[ModelCategory, ...]:
    """Networks trained on COCO use its official ids, including unused ones: label = id, 1..90."""
    return tuple(coco_category(label) for label in range(1, count + 1)) if count == 90 else ()


def label_categories(interface: NetworkInterface, count: int) -> tuple[ModelCategory, ...]:
    """Categories of labels 1..count. Raises ValueError if the model's metadata does not fit."""
    names, ids = noted_labels(interface)
    if not names and not ids and count == 90:
        return categories_by_label(count)
    return categories_for(count, names, ids)


def _input_wh(spec: TensorSpec, layout: str) -> tuple[int, int]:
    """The fixed input size; networks without one run at the size of the published conversion, 1365 x 800."""
    height, width = (spec.dim(1), spec.dim(2)) if layout == "NHWC" else (spec.dim(2), spec.dim(3))
    return width or 1365, height or 800


def _used_rows(detections: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows before the end marker.

    DetectionOutput writes image id -1 into the first unused row only and leaves zeros below it, so the first such row
    ends the list; without a marker, the first row with score 0 does.
    """
    ends = np.flatnonzero((detections[:, 0] < 0) | (detections[:, 2] <= 0))
    return detections[: ends[0] if len(ends) else None].astype(np.float32)


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
        """By name only, over all names of a tensor: OpenVINO also gives each its alias in TensorFlow's graph, in no
        fixed order, and sorts the outputs alphabetically.
        """
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
        count = _stated_rows(float(outputs["num_detections"].reshape(-1)[0]), outputs["detection_scores"][0])
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


def _stated_rows(stated: float, scores: NDArray[np.floating]) -> int:
    """Number of rows with a detection: as stated, but none from the first zero score on (padding says class 1)."""
    unused = np.flatnonzero(scores <= 0)
    limit = int(unused[0]) if len(unused) else len(scores)
    return min(limit, int(stated)) if np.isfinite(stated) and stated >= 0 else limit
