"""YOLO networks with a mask head (v8, 11, 26), as exported by Ultralytics: all anchors, or only the selected
rows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.family import BoundNetwork, PixelFormat, Roles, agree, card_notes, noted_labels
from maskwright.inference.adapters.pairs import finite, pair_candidates, scored_pairs, sound_rows
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import resizing
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import COCO_CATEGORIES, ModelCategory, categories_for, categories_named
from maskwright.inference.masks import PrototypeMasks
from maskwright.inference.thresholds import Defaults

_USUAL_SIDE = 640
"""Input side in pixels that these networks are trained at, for exports with a dynamic size and no metadata."""
_ROW = 6
"""Columns before the coefficients in the row layout."""


@dataclass(frozen=True)
class YoloSegAdapter(BoundNetwork):
    """See `Adapter`. Roles: prototypes (1, M, h, w), and detections in one of two layouts, all in pixels of the input:

    - anchors (1, 4 + C + M, N): centre x, centre y, width, height, class probabilities, mask coefficients;
    - rows (1, N, 6 + M), of end-to-end networks and exports with suppression inside: x1, y1, x2, y2, score, class from
      0, mask coefficients. Unused rows have no score.

    As in the reference, the logits of masks are enlarged, then compared, and cut at their box. Its `predict` gives an
    anchor its best class, its `val` looks at all of them, which `multi_label` does.
    """

    family: ClassVar[str] = "yolo_seg"
    input_wh: tuple[int, int]
    lists_rows: bool

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "YoloSegAdapter | None":
        roles = cls.output_roles(interface.outputs)
        if roles is None or len(interface.inputs) != 1 or interface.inputs[0].rank != 4:
            return None
        detections, prototypes = (interface.outputs[roles[role]] for role in ("detections", "prototypes"))
        lists_rows = _lists_rows(detections, prototypes)
        # Rows have been through the graph's own NMS, or need none.
        defaults = Defaults(score=0.25, nms_iou=1.0 if lists_rows else 0.7, max_instances=300, is_multi_label=False)
        expected = image_input(interface, index=0, default="rgb-unit", override=pixels)
        input_wh = _input_wh(interface)
        return cls(
            card_notes(interface, cls.family, defaults),
            _categories(interface, None if lists_rows else (detections.dim(1) or 0) - 4 - (prototypes.dim(1) or 0)),
            expected,
            resizing(interface, 0, expected.layout, default="fit_to_window_letterbox", free_wh=input_wh),
            input_wh,
            lists_rows,
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        """By shape: one of rank 3, one of rank 4, and columns left for classes besides boxes and coefficients."""
        flat = [k for k, spec in enumerate(outputs) if spec.rank == 3]
        proto = [k for k, spec in enumerate(outputs) if spec.rank == 4]
        if len(outputs) != 2 or len(flat) != 1 or len(proto) != 1 or not agree(outputs[proto[0]].dim(0), 1):
            return None
        roles = {"detections": flat[0], "prototypes": proto[0]}
        if _lists_rows(outputs[flat[0]], outputs[proto[0]]):
            return roles
        rows, anchors, masks = outputs[flat[0]].dim(1), outputs[flat[0]].dim(2), outputs[proto[0]].dim(1)
        if rows is None or masks is None or not rows - 4 - masks > 0 or (anchors or rows + 1) < rows:
            return None
        return roles

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        detections, prototypes = outputs["detections"][0], outputs["prototypes"][0]
        corners, scores, coefficients = (self._rows if self.lists_rows else self._anchors)(detections)
        if coefficients.shape[1] != len(prototypes):
            raise ModelError(f"{coefficients.shape[1]} coefficients for {len(prototypes)} prototypes")
        pairs = scored_pairs(scores, self.defaults)
        boxes_xyxy = frame.boxes_to_pixels(corners[pairs.used] / np.array(self.input_wh * 2, np.float32))
        kept = coefficients[pairs.used].astype(np.float32)
        masks = PrototypeMasks(np.ascontiguousarray(finite(np.moveaxis(prototypes, 0, -1))), kept, resizes_first=True)
        return pair_candidates(frame, self.categories, boxes_xyxy, sound_rows(kept), pairs, masks, self.defaults)

    def _anchors(self, detections: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Corners (N, 4), scores (N, C) and coefficients (N, M) from (4 + C + M, N)."""
        columns, first_mask = detections.T, 4 + len(self.categories)
        half = columns[:, 2:4] / 2
        corners = np.concatenate([columns[:, :2] - half, columns[:, :2] + half], 1)
        return corners, columns[:, 4:first_mask], columns[:, first_mask:]

    def _rows(self, detections: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The same from (N, 6 + M); an unknown class gets no score."""
        classes = np.rint(np.nan_to_num(detections[:, 5], nan=-1.0))
        scores = np.where(classes[:, None] == np.arange(len(self.categories)), detections[:, 4:5], 0)
        return detections[:, :4], scores, detections[:, _ROW:]


def _lists_rows(detections: TensorSpec, prototypes: TensorSpec) -> bool:
    columns, masks = detections.dim(2), prototypes.dim(1)
    return columns is not None and masks is not None and columns == _ROW + masks


def _input_wh(interface: NetworkInterface) -> tuple[int, int]:
    """The fixed input size, else the one used for the export."""
    height, width = interface.inputs[0].dim(2), interface.inputs[0].dim(3)
    noted = [int(word) for word in re.findall(r"\d+", interface.framework.get("imgsz", ""))]
    sides = noted if len(noted) == 2 and all(32 <= side <= 4096 for side in noted) else [_USUAL_SIDE] * 2
    return width or sides[1], height or sides[0]


def _categories(interface: NetworkInterface, count: int | None) -> tuple[ModelCategory, ...]:
    """From the metadata; without it COCO's, if the number of classes is 80 or unknown."""
    names, ids = noted_labels(interface)
    if names and count is not None and len(names) != count:
        raise ModelError(f"{len(names)} labels for {count} classes")
    if names:
        return categories_named(names, ids)
    return COCO_CATEGORIES if count is None else categories_for(count, [])
