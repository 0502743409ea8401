"""How an exported SAM names its tensors, and how its encoder takes an image.

The names are those of the exporters: segment-anything `scripts/export_onnx_model.py`, samexporter, EfficientSAM
`export_to_onnx.py`, EfficientViT `deployment/onnx`, sam-hq, sam-cpp-macos `export_onnx.py` (osam's files of SAM 2) and
the layout of transformers (`onnx-community`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import AxisResizing, PlacedAxis
from maskwright.inference.interface import TensorSpec


class Role(StrEnum):
    """What a tensor is for; embeddings are outputs of the encoder and inputs of the decoder."""

    EMBEDDING = "embedding"
    FINE = "fine"
    """SAM 2: features at stride 4."""
    MIDDLE = "middle"
    """SAM 2: features at stride 8."""
    EARLY = "early"
    """SAM-HQ: features of the first blocks."""
    POINTS = "points"
    LABELS = "labels"
    BOXES = "boxes"
    MASK = "mask"
    HAS_MASK = "has_mask"
    SIZE = "size"
    LOW_RES = "low_res"
    MASKS = "masks"
    SCORES = "scores"


EMBEDDINGS = (Role.EMBEDDING, Role.FINE, Role.MIDDLE, Role.EARLY)
_NAMES: Mapping[Role, tuple[str, ...]] = {
    Role.EMBEDDING: ("image_embeddings", "image_embed", "image_embeddings.2"),
    Role.FINE: ("high_res_feats_0", "high_res_features1", "image_embeddings.0"),
    Role.MIDDLE: ("high_res_feats_1", "high_res_features2", "image_embeddings.1"),
    Role.EARLY: ("interm_embeddings",),
    Role.POINTS: ("point_coords", "batched_point_coords", "input_points"),
    Role.LABELS: ("point_labels", "batched_point_labels", "input_labels"),
    Role.BOXES: ("input_boxes",),
    Role.MASK: ("mask_input",),
    Role.HAS_MASK: ("has_mask_input",),
    Role.SIZE: ("orig_im_size",),
    Role.LOW_RES: ("low_res_masks",),
    Role.MASKS: ("masks", "output_masks", "pred_masks"),
    Role.SCORES: ("iou_predictions", "scores", "iou_scores", "iou_pred"),
}


def roles_of(specs: Sequence[TensorSpec]) -> dict[Role, int]:
    """Position of each tensor with a known name."""
    found: dict[Role, int] = {}
    for role, names in _NAMES.items():
        index = next((k for k, spec in enumerate(specs) if any(spec.is_called(name) for name in names)), None)
        if index is not None:
            found[role] = index
    return found


_MEAN = np.array((123.675, 116.28, 103.53), np.float32)
_SPREAD = np.array((58.395, 57.12, 57.375), np.float32)
"""ImageNet's, in 0..255: `segment_anything/build_sam.py`."""


@dataclass(frozen=True, slots=True)
class SquareFit:
    """How an image is fitted into a square of `side` pixels: stretched, or padded on the right and below."""

    side: int
    is_stretched: bool

    def content_wh(self, size_wh: tuple[int, int]) -> tuple[int, int]:
        """The part of the square that shows the image (`ResizeLongestSide.get_preprocess_shape`)."""
        if self.is_stretched:
            return self.side, self.side
        scale = self.side / max(size_wh)
        return max(1, int(size_wh[0] * scale + 0.5)), max(1, int(size_wh[1] * scale + 0.5))

    def scale_xy(self, size_wh: tuple[int, int]) -> NDArray[np.float64]:
        """(2,) factors from image pixels to pixels of the square."""
        return np.array(self.content_wh(size_wh)) / size_wh

    def axes(self, cells: int, size_wh: tuple[int, int]) -> tuple[PlacedAxis, PlacedAxis]:
        """From a grid of `cells` over the square to image pixels; SAM resizes twice, by way of the square."""
        steps = [AxisResizing(cells, 0, self.side / cells)]
        contents = self.content_wh(size_wh)
        if self.is_stretched:  # SAM 2 and EfficientSAM resize once
            steps, contents = [], (cells, cells)
        width, height = (
            PlacedAxis((*steps, AxisResizing(content, 0, limit / content)), limit)
            for content, limit in zip(contents, size_wh, strict=True)
        )
        return width, height


@dataclass(frozen=True, slots=True)
class EncoderPicture:
    """The encoder's input. is_planar: [1, 3, side, side], else [h, w, 3], which the graph pads itself."""

    fit: SquareFit
    is_planar: bool = True
    is_unit: bool = False
    """Values 0..1 that the graph normalises (EfficientSAM)."""

    def tensor(self, image_bgr: NDArray[np.uint8]) -> NDArray[np.float32]:
        """RGB float32 from an (H, W, 3) uint8 BGR image; only the small copy is converted."""
        size_wh = self.fit.content_wh((image_bgr.shape[1], image_bgr.shape[0]))
        rgb = _resized(image_bgr, size_wh)[..., ::-1]
        if not self.is_planar:
            return np.ascontiguousarray(rgb)
        pixels = rgb / np.float32(255) if self.is_unit else (rgb - _MEAN) / _SPREAD
        side = self.fit.side
        tensor = np.zeros((1, 3, side, side), np.float32)  # zero after normalisation, as in training
        tensor[0, :, : size_wh[1], : size_wh[0]] = pixels.transpose(2, 0, 1)
        return tensor


def _resized(image: NDArray[np.uint8], size_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Bilinear where it grows, area-averaged where it shrinks, like Pillow with antialiasing.

    Images that grow are small, so they are resized as floats to avoid rounding.
    """
    height, width = image.shape[:2]
    if width > size_wh[0] or height > size_wh[1]:
        return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(cv2.resize(image.astype(np.float32), size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
