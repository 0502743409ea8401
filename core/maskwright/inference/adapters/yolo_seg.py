"""YOLO networks with a mask head (v8, 11, 26), as Ultralytics exports them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.adapters.bound import BoundNetwork
from maskwright.inference.adapters.family import PixelFormat, Roles, agree, card_notes, noted_labels
from maskwright.inference.adapters.pairs import pair_candidates, scored_pairs
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import resizing
from maskwright.inference.candidates import Candidates, Defaults
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import categories_for, categories_named
from maskwright.inference.masks import PrototypeMasks


@dataclass(frozen=True)
class YoloSegAdapter(BoundNetwork):
    """See `Adapter`. Roles: detections (1, 4 + C + M, N) centre x, centre y, width, height in pixels of the input,
    class probabilities, mask coefficients; prototypes (1, M, h, w). Masks are cut at their box."""

    family: ClassVar[str] = "yolo_seg"
    input_wh: tuple[int, int]

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "YoloSegAdapter | None":
        roles = cls.output_roles(interface.outputs)
        if roles is None or len(interface.inputs) != 1 or interface.inputs[0].rank != 4:
            return None
        height, width = interface.inputs[0].dim(2), interface.inputs[0].dim(3)
        rows, masks = interface.outputs[roles["detections"]].dim(1), interface.outputs[roles["prototypes"]].dim(1)
        if height is None or width is None or rows is None or masks is None:
            raise ModelError("a YOLO network with a free input size", hint="export it with a fixed one")
        names, ids = noted_labels(interface)
        count = rows - 4 - masks
        if names and len(names) != count:
            raise ModelError(f"{len(names)} labels for {count} classes")
        expected = image_input(interface, index=0, default="rgb-unit", override=pixels)
        return cls(
            card_notes(interface, cls.family, Defaults(score=0.25, nms_iou=0.7, max_instances=300)),
            categories_named(names, ids) if names else categories_for(count, []),
            expected,
            resizing(interface, 0, expected.layout, default="fit_to_window_letterbox"),
            (width, height),
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        """By shape: one of rank 3, one of rank 4, and room for classes beside boxes and coefficients."""
        flat = [k for k, spec in enumerate(outputs) if spec.rank == 3]
        proto = [k for k, spec in enumerate(outputs) if spec.rank == 4]
        if len(outputs) != 2 or len(flat) != 1 or len(proto) != 1:
            return None
        rows, anchors, masks = outputs[flat[0]].dim(1), outputs[flat[0]].dim(2), outputs[proto[0]].dim(1)
        if rows is None or masks is None or not rows - 4 - masks > 0 or (anchors or rows + 1) < rows:
            return None
        return {"detections": flat[0], "prototypes": proto[0]} if agree(outputs[proto[0]].dim(0), 1) else None

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        detections, prototypes = outputs["detections"][0], outputs["prototypes"][0]
        first_mask = 4 + len(self.categories)
        pairs = scored_pairs(detections[4:first_mask].T, self.defaults)
        kept = detections[:, pairs.used].T.astype(np.float32)
        half = kept[:, 2:4] / 2
        corners = np.concatenate([kept[:, :2] - half, kept[:, :2] + half], 1)
        boxes_xyxy = frame.boxes_to_pixels(corners / np.array(self.input_wh * 2, np.float32))
        masks = PrototypeMasks(
            np.ascontiguousarray(np.moveaxis(prototypes, 0, -1), np.float32), kept[:, first_mask:], True
        )
        sound = np.isfinite(kept).all(axis=1)
        return pair_candidates(frame, self.categories, boxes_xyxy, sound, pairs, masks, self.defaults)
