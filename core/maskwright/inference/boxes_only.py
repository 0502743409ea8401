"""Networks that find boxes and no masks: told by their outputs, so that the refusal says what they are."""

from collections.abc import Sequence

from maskwright.inference.interface import TensorSpec

_BOXES = ("boxes", "pred_boxes", "bboxes", "detection_boxes", "dets", "detection_out")
_ROWS = (4, 5, 6, 7)
"""Numbers per box: with a score, with score and class, with the image's number besides."""
_LEAST_ANCHORS = 20


def finds_boxes_only(outputs: Sequence[TensorSpec]) -> bool:
    """Whether the outputs are those of YOLO, YOLOX, SSD or a DETR without masks."""
    if any("mask" in name.lower() or "proto" in name.lower() for spec in outputs for name in spec.names):
        return False
    named = any(spec.is_called(name) for spec in outputs for name in _BOXES)
    if any(spec.rank == 4 and not _is_ssd(spec) for spec in outputs):
        return len(outputs) > 1 and all(_is_yolo_grid(spec) for spec in outputs)
    return named or any(map(_is_ssd, outputs)) or (len(outputs) == 1 and _is_table(outputs[0]))


def _is_ssd(spec: TensorSpec) -> bool:
    """[1, 1, N, 7], as DetectionOutput gives them."""
    return spec.rank == 4 and spec.dim(1) == 1 and spec.dim(3) == 7


def _is_table(spec: TensorSpec) -> bool:
    """[1, N, 5 + C], [1, 4 + C, N] or [1, N, 6]."""
    if spec.rank != 3:
        return False
    sides = [side for side in (spec.dim(1), spec.dim(2)) if side is not None]
    return not sides or min(sides) in _ROWS or (min(sides) > 4 and max(sides) >= _LEAST_ANCHORS)


def _is_yolo_grid(spec: TensorSpec) -> bool:
    """[1, 3 * (5 + C), h, w] or [1, 3, h, w, 5 + C] of YOLO v3 to v7."""
    channels = spec.dim(1)
    return (spec.rank == 4 and channels is not None and channels % 3 == 0 and channels >= 18) or spec.rank == 5
