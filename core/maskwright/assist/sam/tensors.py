"""What the tensors of an exported SAM are for, by their names.

The names are those of the exporters: segment-anything `scripts/export_onnx_model.py`, samexporter, EfficientSAM
`export_to_onnx.py`, EfficientViT `deployment/onnx`, sam-hq, sam-cpp-macos `export_onnx.py` (osam's files of SAM 2) and
the layout of transformers (`onnx-community`)."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

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
