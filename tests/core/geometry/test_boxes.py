"""Boxes: IoU agrees with pycocotools."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from maskwright.geometry.polygon import box_ious

coordinates = st.integers(0, 50).map(float)
boxes_xywh = st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates), min_size=1, max_size=6)


@given(boxes_xywh, boxes_xywh)
def test_iou_is_that_of_pycocotools(a: list[tuple[float, ...]], b: list[tuple[float, ...]]) -> None:
    areas = [[first[2] * first[3] + second[2] * second[3] for second in b] for first in a]
    expected = coco_mask.iou(np.array(a), np.array(b), [0] * len(b))
    ours = box_ious(*([(x, y, x + w, y + h) for x, y, w, h in boxes] for boxes in (a, b)))
    assert np.allclose(ours[np.array(areas) > 0], expected[np.array(areas) > 0])
