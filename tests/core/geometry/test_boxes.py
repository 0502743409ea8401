"""Boxes: conversions are inverse, IoU agrees with pycocotools."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from maskwright.geometry.boxes import box_ious, clip_xyxy, xywh_to_xyxy, xyxy_to_xywh

coordinates = st.integers(0, 50).map(float)
boxes_xywh = st.lists(st.tuples(coordinates, coordinates, coordinates, coordinates), min_size=1, max_size=6)


@given(boxes_xywh)
def test_conversions_are_inverse(boxes: list[tuple[float, ...]]) -> None:
    assert np.array_equal(xyxy_to_xywh(xywh_to_xyxy(boxes)), np.array(boxes))


@given(boxes_xywh, boxes_xywh)
def test_iou_is_that_of_pycocotools(a: list[tuple[float, ...]], b: list[tuple[float, ...]]) -> None:
    areas = [[first[2] * first[3] + second[2] * second[3] for second in b] for first in a]
    expected = coco_mask.iou(np.array(a), np.array(b), [0] * len(b))
    ours = box_ious(xywh_to_xyxy(a), xywh_to_xyxy(b))
    assert np.allclose(ours[np.array(areas) > 0], expected[np.array(areas) > 0])


def test_clipping_keeps_boxes_in_the_image() -> None:
    assert clip_xyxy([-5, 2, 30, 40], (20, 10)).tolist() == [0, 2, 20, 10]
