"""Mask R-CNN as torchvision builds it, exported to ONNX or IR."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

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
from maskwright.inference.adapters.resizing import NativeSize, Stretch, resizing
from maskwright.inference.adapters.rows import row_candidates
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import categories_named, coco_category
from maskwright.inference.masks import HeatMaps, InputMaps
from maskwright.inference.thresholds import Defaults

_OUTPUTS = ("boxes", "labels", "scores", "masks")


@dataclass(frozen=True)
class TorchvisionAdapter(BoundNetwork):
    """See `Adapter`. Roles: boxes (N, 4) in pixels of the input; labels (N,) from 1, 0 is background; scores (N,);
    masks (N, 1, h, w) probabilities, over the box or, where the export pastes them, over the whole input.

    The network resizes by itself, so a free input is fed the image at its own size.
    """

    family: ClassVar[str] = "torchvision_mask_rcnn"

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "TorchvisionAdapter | None":
        if cls.output_roles(interface.outputs) is None or len(interface.inputs) != 1:
            return None
        if interface.inputs[0].rank not in (3, 4):
            return None
        expected = image_input(interface, index=0, default="rgb-unit", override=pixels)
        placed = resizing(interface, 0, expected.layout)
        names, ids = noted_labels(interface)
        return cls(
            card_notes(interface, cls.family, Defaults()),
            categories_named(names, ids) if names else tuple(coco_category(label) for label in range(1, 91)),
            expected,
            placed if isinstance(placed, Stretch) else NativeSize(multiple=1),
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        roles = named_roles(outputs, _OUTPUTS)
        if roles is None:
            return None
        boxes, labels, scores, masks = (outputs[roles[name]] for name in _OUTPUTS)
        fits = (boxes.rank, labels.rank, scores.rank, masks.rank) == (2, 1, 1, 4)
        return roles if fits and agree(boxes.dim(1), 4) and agree(masks.dim(1), 1) else None

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        pixels = self.resizing.apply(image)
        return {0: pixels if self.image_input.layout == "CHW" else pixels[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        input_wh = self.resizing.input_wh if isinstance(self.resizing, Stretch) else frame.size_wh
        masks = outputs["masks"][:, 0]
        covers_input = masks.shape[1:] == input_wh[::-1]
        return row_candidates(
            frame,
            self.categories,
            frame.boxes_to_pixels(outputs["boxes"] / np.array(input_wh * 2, np.float32)),
            outputs["labels"].astype(np.float32) - 1,
            outputs["scores"],
            masks,
            self.defaults,
            masks_of=InputMaps if covers_input else HeatMaps,
        )
