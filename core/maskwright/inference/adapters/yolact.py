"""YOLACT: class probabilities, boxes and mask coefficients per anchor over shared prototypes.

Serves the converted `yolact-resnet50-fpn-pytorch` of Open Model Zoo (BGR 0..255), its raw ONNX export (normalised RGB)
and networks with the same outputs and any number of classes, anchors and prototypes.
"""

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
from maskwright.inference.adapters.pairs import finite, pair_candidates, scored_pairs, sound_rows
from maskwright.inference.adapters.pixels import image_input
from maskwright.inference.adapters.resizing import resizing
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import categories_for
from maskwright.inference.masks import PrototypeMasks
from maskwright.inference.thresholds import Defaults


@dataclass(frozen=True)
class YolactAdapter(BoundNetwork):
    """See `Adapter`. Roles: conf (1, A, 1 + C) after softmax, class 0 is background; boxes (1, A, 4) x1 y1 x2 y2
    normalised to the input, unclipped; mask (1, A, K) coefficients, used as they are; proto (1, h, w, K)."""

    family: ClassVar[str] = "yolact"

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "YolactAdapter | None":
        roles = cls.output_roles(interface.outputs)
        if roles is None or len(interface.inputs) != 1 or interface.inputs[0].rank != 4:
            return None
        classes = interface.outputs[roles["conf"]].dim(2)
        if classes is None:
            raise ModelError("the number of classes is dynamic in output conf")
        names, ids = noted_labels(interface)
        categories = categories_for(classes - 1, names, ids)
        is_converted = interface.inputs[0].is_called("input.1")
        expected = image_input(interface, index=0, default="bgr" if is_converted else "rgb", override=pixels)
        return cls(
            card_notes(interface, cls.family, Defaults()), categories, expected, resizing(interface, 0, expected.layout)
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        roles = named_roles(outputs, ("conf", "boxes", "mask", "proto")) or _roles_by_shape(outputs)
        return roles if roles is not None and _is_consistent(outputs, roles) else None

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        pairs = scored_pairs(outputs["conf"][0], self.defaults, skips_first=True)
        boxes_xyxy = frame.boxes_to_pixels(outputs["boxes"][0][pairs.used])
        coefficients = outputs["mask"][0][pairs.used].astype(np.float32)
        masks = PrototypeMasks(finite(outputs["proto"][0]), coefficients)
        sound = sound_rows(coefficients)
        return pair_candidates(frame, self.categories, boxes_xyxy, sound, pairs, masks, self.defaults)


def _roles_by_shape(outputs: Sequence[TensorSpec]) -> Roles | None:
    """Roles of four unnamed outputs: prototypes of rank 4, boxes of 4 columns, coefficients as wide as
    the prototypes.
    """
    proto = [k for k, spec in enumerate(outputs) if spec.rank == 4]
    flat = [k for k, spec in enumerate(outputs) if spec.rank == 3]
    if len(outputs) != 4 or len(proto) != 1 or len(flat) != 3:
        return None
    boxes = [k for k in flat if outputs[k].dim(2) == 4]
    mask = [k for k in flat if outputs[k].dim(2) == outputs[proto[0]].dim(3) and k not in boxes]
    if len(boxes) != 1 or len(mask) != 1:
        return None
    conf = next(k for k in flat if k not in (*boxes, *mask))
    return {"conf": conf, "boxes": boxes[0], "mask": mask[0], "proto": proto[0]}


def _is_consistent(outputs: Sequence[TensorSpec], roles: Roles) -> bool:
    """Whether ranks and the numbers of anchors and prototypes match."""
    conf, boxes, mask, proto = (outputs[roles[role]] for role in ("conf", "boxes", "mask", "proto"))
    if (conf.rank, boxes.rank, mask.rank, proto.rank) != (3, 3, 3, 4):
        return False
    fits = agree(conf.dim(1), boxes.dim(1), mask.dim(1)) and agree(mask.dim(2), proto.dim(3))
    return fits and agree(boxes.dim(2), 4) and (conf.dim(2) or 2) >= 2
