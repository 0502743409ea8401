"""Networks that return boxes with scores, labels and masks: Open Model Zoo's `instance-segmentation-*`, OTX and Geti
exports of Mask R-CNN, RTMDet-Ins and DETR kinds.

Output contract: OpenVINO Model API, wrappers MaskRCNN and DETRInstSeg."""

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
from maskwright.inference.adapters.resizing import resizing
from maskwright.inference.adapters.rows import row_candidates
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.interface import NetworkInterface, TensorSpec
from maskwright.inference.labels import COCO_CATEGORIES, ModelCategory, categories_named
from maskwright.inference.masks import HeatMaps, InputMaps
from maskwright.inference.thresholds import Defaults

_EXPLANATIONS = ("saliency_map", "feature_vector")


@dataclass(frozen=True)
class InstancesAdapter(BoundNetwork):
    """See `Adapter`. Roles, with or without a leading batch of one: boxes (N, 5) x1 y1 x2 y2 score in pixels of the
    input; labels (N,) from 0; masks (N, h, w) probabilities over the box, or over the input for DETR kinds."""

    family: ClassVar[str] = "instances"
    input_wh: tuple[int, int]
    masks_cover_input: bool

    @classmethod
    def recognised(cls, interface: NetworkInterface, pixels: PixelFormat | None) -> "InstancesAdapter | None":
        image = interface.inputs[0]
        if cls.output_roles(interface.outputs) is None or len(interface.inputs) != 1 or image.rank != 4:
            return None
        height, width = image.dim(2), image.dim(3)
        if height is None or width is None:
            return None
        expected = image_input(interface, index=0, default="bgr", override=pixels)
        # Exports state how to resize; Open Model Zoo's own models have no metadata and keep the aspect ratio.
        return cls(
            card_notes(interface, cls.family, Defaults()),
            _categories(interface),
            expected,
            resizing(interface, 0, expected.layout, default="fit_to_window"),
            (width, height),
            interface.metadata.get("model_type", "").lower() == "detrinstseg",
        )

    @staticmethod
    def output_roles(outputs: Sequence[TensorSpec]) -> Roles | None:
        roles = named_roles(outputs, ("boxes", "labels", "masks")) or _roles_by_rank(outputs)
        if roles is None:
            return None
        boxes, labels, masks = (outputs[roles[name]] for name in ("boxes", "labels", "masks"))
        ranks = (boxes.rank, labels.rank, masks.rank)
        return roles if ranks in ((2, 1, 3), (3, 2, 4)) and agree(boxes.dim(boxes.rank - 1), 5) else None

    def feeds(self, image: NDArray[np.uint8]) -> dict[int, NDArray[Any]]:
        return {0: self.resizing.apply(image)[None]}

    def candidates(self, outputs: Mapping[str, NDArray[Any]], frame: Frame) -> Candidates:
        boxes, labels, masks = (outputs[role] for role in ("boxes", "labels", "masks"))
        if boxes.ndim == 3:
            boxes, labels, masks = boxes[0], labels[0], masks[0]
        return row_candidates(
            frame,
            self.categories,
            frame.boxes_to_pixels(boxes[:, :4] / np.array(self.input_wh * 2, np.float32)),
            labels.astype(np.float32),
            boxes[:, 4],
            masks,
            self.defaults,
            masks_of=InputMaps if self.masks_cover_input else HeatMaps,
        )


def _roles_by_rank(outputs: Sequence[TensorSpec]) -> Roles | None:
    """Roles of three outputs with other names; outputs that explain a decision are ignored."""
    told = [k for k, spec in enumerate(outputs) if not any(spec.is_called(name) for name in _EXPLANATIONS)]
    ranked = sorted(told, key=lambda k: outputs[k].rank)
    if len(told) != 3 or [outputs[k].rank for k in ranked] not in ([1, 2, 3], [2, 3, 4]):
        return None
    return dict(zip(("labels", "boxes", "masks"), ranked, strict=True))


def _categories(interface: NetworkInterface) -> tuple[ModelCategory, ...]:
    """Labels from the metadata, without the placeholder that comes first; COCO's 80 if there is none."""
    names, ids = noted_labels(interface)
    return categories_named(names[1:], ids[1:]) if names else COCO_CATEGORIES
