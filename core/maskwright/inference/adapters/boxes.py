"""Detectors without masks: YOLO, YOLOX, SSD, DETR kinds and OTX detectors. Their masks are the boxes.

Output layouts: Ultralytics (`nn/modules/head.py`, Detect), the exports of YOLOv5 and YOLOX, OpenVINO's DetectionOutput
operation, the ONNX exports of DETR and RF-DETR, OpenVINO Model API's SSD wrapper (`boxes`, `labels`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.box_layouts import (
    BoxLayout,
    cells_of,
    columns_of,
    grid_to_boxes,
    layout_of,
    usual_input,
)
from maskwright.inference.adapters.family import BoundNetwork, PixelFormat, Roles, card_notes, noted_labels
from maskwright.inference.adapters.pairs import pair_candidates, scored_pairs, sound_rows
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import LetterboxFit, resizing
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import ModelCategory, categories_for, categories_named, coco_category
from maskwright.inference.masks import BoxMasks, sigmoid
from maskwright.inference.thresholds import Defaults

_USUAL_SIDE = 640
_COCO_COLUMNS = 91
_MOST_UNKNOWN = 100
"""Number of classes to assume if neither the outputs nor the metadata tell."""
_GREY = (114, 114, 114)


@dataclass(frozen=True)
class BoxesAdapter(BoundNetwork):
    """See `Adapter`. Roles: "detections", or "boxes" with "labels" or "logits", as determined by `box_layouts`."""

    family: ClassVar[str] = "boxes"
    layout: BoxLayout
    input_wh: tuple[int, int]

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "BoxesAdapter | None":
        roles = cls.output_roles(interface.outputs)
        if roles is None or len(interface.inputs) != 1 or interface.inputs[0].rank != 4:
            return None
        specs = {role: interface.outputs[k] for role, k in roles.items()}
        usual = usual_input(specs)
        override = pixels or (usual.pixels if usual.pixels == "bgr" and not _says_pixels(interface) else None)
        expected = image_input(interface, index=0, default=usual.pixels, override=override)
        high = 1 if expected.layout == "NHWC" else 2
        height, width = interface.inputs[0].dim(high), interface.inputs[0].dim(high + 1)
        input_wh = width or _USUAL_SIDE, height or _USUAL_SIDE
        layout = layout_of(specs, input_wh)
        if layout is None:
            return None
        fit = resizing(interface, 0, expected.layout, default=usual.resize, free_wh=input_wh)
        if layout is BoxLayout.YOLOX:
            told = pixels or (None if _says_pixels(interface) else "bgr")
            expected = image_input(interface, index=0, default="bgr", override=told)
            fit = fit if "resize_type" in interface.metadata else LetterboxFit(input_wh, _GREY)
        defaults = Defaults(score=layout.score, nms_iou=layout.nms_iou, max_instances=300, is_multi_label=False)
        notes = card_notes(interface, cls.family, defaults)
        return cls(notes, _categories(interface, layout, specs), expected, fit, layout, input_wh)

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        if any("mask" in name.lower() or "proto" in name.lower() for spec in outputs for name in spec.names):
            return None
        return columns_of(outputs)

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        """Decode to boxes; each box is its own mask."""
        boxes, scores = self._boxes_and_scores(outputs)
        pairs = scored_pairs(scores, self.defaults)
        used = boxes[pairs.used].astype(np.float32)
        found = frame.boxes_to_pixels(used)
        is_wide = (found[:, 2:] - found[:, :2]).min(axis=1, initial=np.inf) >= _LEAST_SIDE_PX
        return pair_candidates(
            frame, self.categories, found, sound_rows(used) & is_wide, pairs, BoxMasks(), self.defaults
        )

    def _boxes_and_scores(self, outputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Corners (N, 4) normalised to the input, and scores (N, C)."""
        count, size = len(self.categories), np.array(self.input_wh * 2, np.float32)
        match self.layout:
            case BoxLayout.ANCHORS:
                columns = outputs["detections"][0].T
                return _corners(columns[:, :4]) / size, columns[:, 4:]
            case BoxLayout.GRID | BoxLayout.YOLOX:
                columns = outputs["detections"][0]
                centres = columns[:, :4]
                if self.layout is BoxLayout.YOLOX and len(columns) == cells_of(self.input_wh):
                    centres = grid_to_boxes(centres, self.input_wh)
                return _corners(centres) / size, columns[:, 4:5] * columns[:, 5:]
            case BoxLayout.ROWS:
                rows = outputs["detections"][0]
                return rows[:, :4] / size, _one_hot(rows[:, 5], rows[:, 4], count)
            case BoxLayout.SSD:
                rows = outputs["detections"].reshape(-1, 7)
                ends = np.flatnonzero(rows[:, 0] < 0)
                rows = rows[: ends[0]] if len(ends) else rows
                return rows[:, 3:7], _one_hot(rows[:, 1] - 1, rows[:, 2], count)
            case BoxLayout.LISTED:
                boxes, labels = (outputs[role] for role in ("boxes", "labels"))
                boxes, labels = (boxes[0], labels[0]) if boxes.ndim == 3 else (boxes, labels)
                return boxes[:, :4] / size, _one_hot(labels, boxes[:, 4], count)
            case BoxLayout.QUERIES_SOFTMAX:
                return _corners(outputs["boxes"][0]), _softmax(outputs["logits"][0])[:, :-1]
            case BoxLayout.QUERIES:
                return _corners(outputs["boxes"][0]), sigmoid(outputs["logits"][0])[:, -count:]
        raise AssertionError(self.layout)


_LEAST_SIDE_PX = 0.5
_PIXEL_NOTES = ("color_space", "mean_values", "scale_values", "reverse_input_channels")


def _says_pixels(interface: NetworkInterface) -> bool:
    """Whether the metadata gives a pixel format; otherwise these kinds expect BGR from 0 to 255."""
    return any(interface.metadata.get(key) for key in _PIXEL_NOTES) or bool(interface.conversion.get("mean_values"))


def _corners(boxes: NDArray[Any]) -> NDArray[np.float32]:
    """x1, y1, x2, y2 from centres and sizes (N, 4)."""
    half = boxes[:, 2:4] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], 1).astype(np.float32)


def _one_hot(labels: NDArray[Any], scores: NDArray[Any], count: int) -> NDArray[Any]:
    """(N, count): each row's score in its class column; rows with an unknown class are all zero."""
    classes = np.rint(np.nan_to_num(np.asarray(labels, np.float64), nan=-1.0))
    return np.where(classes[:, None] == np.arange(count), np.asarray(scores)[:, None], 0)


def _softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    powers = np.exp(logits.astype(np.float32) - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _categories(
    interface: NetworkInterface, layout: BoxLayout, specs: Mapping[str, TensorSpec]
) -> tuple[ModelCategory, ...]:
    """From the metadata, else COCO's if the count matches, else numbered. Raises ModelError if they disagree."""
    names, ids = noted_labels(interface)
    count = layout.class_count(specs)
    if layout is BoxLayout.LISTED and len(names) > 1:
        names, ids = names[1:], ids[1:]  # a placeholder comes first, see `instances`
    if count is None:
        numbered = tuple(ModelCategory(k, f"category {k}") for k in range(1, _MOST_UNKNOWN + 1))
        return categories_named(names, ids) if names else numbered
    if names and len(names) == count:
        return categories_named(names, ids)
    if layout is BoxLayout.QUERIES and names and len(names) == count - 1:  # column 0 is background, as with RF-DETR
        return categories_named(names, ids)
    if names:
        raise ModelError(f"{len(names)} labels for {count} classes")
    if count == _COCO_COLUMNS:
        first = 1 if layout is BoxLayout.QUERIES else 0  # DETR and RF-DETR use COCO's ids
        return tuple(coco_category(k or _COCO_COLUMNS) for k in range(first, count))
    return categories_for(count, [])
