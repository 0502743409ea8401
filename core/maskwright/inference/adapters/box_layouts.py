"""Output layouts of box detectors, told apart by the names and shapes of their outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from maskwright.inference.adapters.family import PixelFormat, Roles, agree, named_roles
from maskwright.inference.interface import TensorSpec

_STRIDES = (8, 16, 32)
_ROW, _SSD_ROW = 6, 7
_QUERY_NAMES = (("pred_boxes", "pred_logits"), ("pred_boxes", "logits"), ("dets", "labels"), ("boxes", "logits"))
_DETR_COLUMNS = 92
"""COCO's 91 ids and "no object", as DETR was published."""


class BoxLayout(Enum):
    """Sizes in pixels of the input unless stated otherwise."""

    ANCHORS = auto()
    """(1, 4 + C, N): centre x, centre y, width, height, probabilities. Ultralytics v8, 11."""
    GRID = auto()
    """(1, N, 5 + C): centre x, centre y, width, height, objectness, probabilities. YOLOv5 and 7."""
    YOLOX = auto()
    """The same in grid cells with logarithmic sizes; the input is BGR, unscaled, padded right and below."""
    ROWS = auto()
    """(1, N, 6): x1, y1, x2, y2, score, class from 0; NMS is part of the graph."""
    SSD = auto()
    """(1, 1, N, 7): image, class from 1, score, x1, y1, x2, y2 as fractions of the input; image -1 ends the list."""
    LISTED = auto()
    """boxes (N, 5): x1, y1, x2, y2, score; labels (N,) from 0; or both with a leading batch of one."""
    QUERIES_SOFTMAX = auto()
    """boxes (1, Q, 4): centre x, centre y, width, height as fractions; logits (1, Q, C + 1), the last for "no object".
    """
    QUERIES = auto()
    """The same with an independent logit per class."""

    @property
    def score(self) -> float:
        """The family's default score threshold."""
        return 0.25 if self in (BoxLayout.ANCHORS, BoxLayout.GRID, BoxLayout.YOLOX, BoxLayout.ROWS) else 0.5

    @property
    def nms_iou(self) -> float:
        """The default; 1 if there is nothing left to suppress."""
        if self in (BoxLayout.ANCHORS, BoxLayout.GRID, BoxLayout.YOLOX):
            return 0.65
        return 0.8 if self is BoxLayout.QUERIES else 1.0

    def class_count(self, specs: Mapping[str, TensorSpec]) -> int | None:
        """Number of class columns; None if rows name their class."""
        match self:
            case BoxLayout.ANCHORS:
                return (specs["detections"].dim(1) or 4) - 4
            case BoxLayout.GRID | BoxLayout.YOLOX:
                return (specs["detections"].dim(2) or 5) - 5
            case BoxLayout.QUERIES_SOFTMAX:
                return (specs["logits"].dim(2) or 1) - 1
            case BoxLayout.QUERIES:
                return specs["logits"].dim(2)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class UsualInput:
    """The input that a kind expects unless its metadata says otherwise."""

    pixels: PixelFormat
    resize: str


def columns_of(outputs: Sequence[TensorSpec]) -> Roles | None:
    """Positions of the outputs; None if they have no known layout."""
    if len(outputs) == 1 and (_is_table(outputs[0]) or _is_ssd(outputs[0])):
        return {"detections": 0}
    for boxes, logits in _QUERY_NAMES:
        roles = named_roles(outputs, (boxes, logits))
        if roles is not None and _are_queries(outputs[roles[boxes]], outputs[roles[logits]]):
            return {"boxes": roles[boxes], "logits": roles[logits]}
    for boxes in ("boxes", "dets"):
        roles = named_roles(outputs, (boxes, "labels"))
        ranks = tuple(outputs[roles[name]].rank for name in (boxes, "labels")) if roles is not None else ()
        if roles is not None and ranks in ((2, 1), (3, 2)) and outputs[roles[boxes]].dim(ranks[0] - 1) == 5:
            return {"boxes": roles[boxes], "labels": roles["labels"]}
    return None


def layout_of(specs: Mapping[str, TensorSpec], input_wh: tuple[int, int]) -> BoxLayout | None:
    """`specs`: the outputs by role. None if two layouts have this shape and nothing tells them apart."""
    if "labels" in specs:
        return BoxLayout.LISTED
    if "logits" in specs:
        is_detr = specs["boxes"].is_called("pred_boxes") and specs["logits"].dim(2) == _DETR_COLUMNS
        return BoxLayout.QUERIES_SOFTMAX if is_detr else BoxLayout.QUERIES
    spec = specs["detections"]
    if _is_ssd(spec):
        return BoxLayout.SSD
    rows, columns = spec.dim(1), spec.dim(2)
    cells = cells_of(input_wh)
    if columns is not None and columns > 5 and rows in (cells, 3 * cells):
        return BoxLayout.YOLOX if rows == cells else BoxLayout.GRID
    if columns == _ROW:
        return BoxLayout.ROWS
    is_of_grids = columns is None or columns in (cells, *(cells + cells_of(input_wh, (stride,)) for stride in (4, 64)))
    return BoxLayout.ANCHORS if rows is not None and rows > 4 and is_of_grids else None


def usual_input(specs: Mapping[str, TensorSpec]) -> UsualInput:
    """The usual input for these outputs."""
    if "logits" in specs:  # RT-DETR and D-FINE take 0 to 1, the others ImageNet's normalisation
        is_plain = specs["boxes"].is_called("pred_boxes") and specs["logits"].dim(2) not in (91, _DETR_COLUMNS)
        return UsualInput("rgb-unit" if is_plain else "rgb-normalised", "standard")
    if "labels" in specs:
        return UsualInput("bgr", "standard")
    return UsualInput("bgr", "standard") if _is_ssd(specs["detections"]) else UsualInput("rgb-unit", _LETTERBOX)


_LETTERBOX = "fit_to_window_letterbox"


def cells_of(input_wh: tuple[int, int], strides: Sequence[int] = _STRIDES) -> int:
    """Total number of cells in all grids."""
    return sum((input_wh[0] // stride) * (input_wh[1] // stride) for stride in strides)


def grid_to_boxes(columns: NDArray[np.floating], input_wh: tuple[int, int]) -> NDArray[np.float32]:
    """(N, 4) centres and sizes in pixels from YOLOX's raw output (`yolox/utils/demo_utils.py`, demo_postprocess)."""
    corners, pitches = [], []
    for stride in _STRIDES:
        width, height = input_wh[0] // stride, input_wh[1] // stride
        y, x = np.mgrid[:height, :width]
        corners.append(np.stack([x.ravel(), y.ravel()], 1))
        pitches.append(np.full((width * height, 1), stride))
    corner, pitch = np.concatenate(corners), np.concatenate(pitches)
    sizes = np.exp(np.clip(columns[:, 2:4].astype(np.float32), -20, 20))
    return np.concatenate([(columns[:, :2] + corner) * pitch, sizes * pitch], 1).astype(np.float32)


def _is_ssd(spec: TensorSpec) -> bool:
    return spec.rank == 4 and agree(spec.dim(0), 1) and agree(spec.dim(1), 1) and spec.dim(3) == _SSD_ROW


def _is_table(spec: TensorSpec) -> bool:
    return spec.rank == 3 and agree(spec.dim(0), 1) and max(spec.dim(1) or 0, spec.dim(2) or 0) > 4


def _are_queries(boxes: TensorSpec, logits: TensorSpec) -> bool:
    is_one = agree(boxes.dim(1), logits.dim(1)) and agree(boxes.dim(0), 1)
    return boxes.rank == 3 and logits.rank == 3 and boxes.dim(2) == 4 and is_one and (logits.dim(2) or 0) >= 1
