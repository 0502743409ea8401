"""Correcting by pointing touches an outline only where it is pointed at."""

import numpy as np
import pytest

from maskwright import Polygon, mask_to_polygons, polygons_to_mask
from maskwright.assist.correct import corrected
from maskwright.assist.prompt import MaskCrop, mask_crop
from maskwright.geometry.raster import mask_iou

SIZE = (200, 150)


def box(x1: float, y1: float, x2: float, y2: float) -> Polygon:
    return Polygon.of([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])


def filled(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(SIZE[::-1], bool)
    for x1, y1, x2, y2 in boxes:
        mask[y1:y2, x1:x2] = True
    return mask


def correct(polygons: tuple[Polygon, ...], after: np.ndarray, *points: tuple[float, float, int]) -> tuple[Polygon, ...]:
    before = mask_crop(polygons, SIZE)
    xy, labels = np.array([point[:2] for point in points], float), np.array([point[2] for point in points])
    try:
        crop = mask_crop(after, SIZE)
    except Exception:  # noqa: BLE001
        crop = MaskCrop(np.zeros((0, 0), bool), (0, 0))
    return corrected(polygons, before, crop, xy, labels)


def vertices(polygons: tuple[Polygon, ...]) -> set[tuple[float, ...]]:
    return {tuple(vertex) for polygon in polygons for ring in polygon.rings for vertex in ring.tolist()}


def test_a_point_inside_adds_the_piece_it_lies_in() -> None:
    after = filled((20, 20, 60, 60), (60, 30, 90, 50))
    result = correct((box(20, 20, 60, 60),), after, (80, 40, 1))
    assert mask_iou(polygons_to_mask(result, SIZE), after) > 0.98


def test_a_point_outside_takes_the_piece_it_lies_in_away() -> None:
    after = filled((20, 20, 60, 60))
    result = correct((box(20, 20, 100, 60),), after, (90, 40, 0))
    assert mask_iou(polygons_to_mask(result, SIZE), after) > 0.98
    assert {(20.0, 20.0), (20.0, 60.0)} <= vertices(result)


def test_vertices_away_from_the_change_keep_their_very_coordinates() -> None:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack((100 + 50 * np.cos(angles), 75 + 50 * np.sin(angles)), axis=1)  # many decimals
    outline = (Polygon.of(ring),)
    after = polygons_to_mask((Polygon.of((ring - (100, 75)) * 1.04 + (100, 75)),), SIZE)
    after[65:85, 140:175] = True
    result = correct(outline, after, (168, 75, 1))
    far = {tuple(vertex) for vertex in ring.tolist() if vertex[0] < 130}
    assert far <= vertices(result)
    assert polygons_to_mask(result, SIZE)[75, 165]
    assert len(far) > 30


def test_a_ring_of_disagreement_around_the_object_is_no_piece() -> None:
    result = correct((box(40, 40, 120, 120),), filled((38, 38, 122, 122), (122, 60, 160, 100)), (140, 80, 1))
    mask = polygons_to_mask(result, SIZE)
    assert not mask[:, :39].any()
    assert not mask[:39].any()


def test_other_parts_of_the_object_stay_the_very_same() -> None:
    parts = box(10, 10, 40, 40), box(100, 100, 130, 130)
    result = correct(parts, filled((10, 10, 60, 40)), (55, 25, 1))
    assert any(polygon is parts[1] for polygon in result)
    assert len(result) == 2


def test_a_hole_is_filled_by_a_point_inside_and_kept_otherwise() -> None:
    holed = (
        Polygon.of(box(20, 20, 120, 120).exterior, [box(30, 30, 50, 50).exterior, box(80, 80, 110, 110).exterior]),
    )
    after = filled((20, 20, 120, 120))
    result = correct(holed, after, (40, 40, 1))
    assert [len(polygon.holes) for polygon in result] == [1]
    assert {(80.0, 80.0), (110.0, 110.0)} <= vertices(result)


def test_a_point_outside_makes_a_hole() -> None:
    after = filled((20, 20, 120, 120))
    after[60:80, 60:80] = False
    result = correct((box(20, 20, 120, 120),), after, (70, 70, 0))
    assert [len(polygon.holes) for polygon in result] == [1]
    assert mask_iou(polygons_to_mask(result, SIZE), after) > 0.98


def test_a_separate_part_is_added() -> None:
    result = correct((box(10, 10, 40, 40),), filled((10, 10, 40, 40), (80, 80, 110, 110)), (95, 95, 1))
    assert len(result) == 2


def test_everything_can_be_taken_away() -> None:
    assert correct((box(10, 10, 40, 40),), filled(), (25, 25, 0)) == ()


def test_where_the_answer_agrees_nothing_changes() -> None:
    outline = (box(10, 10, 40, 40),)
    assert correct(outline, filled((10, 10, 40, 40)), (25, 25, 1)) == outline


def test_the_tip_of_a_spike_goes_with_the_spike() -> None:
    spike = Polygon.of(
        [(20, 20), (100, 20), (100, 60), (130, 62), (131, 60), (180, 90), (100, 80), (100, 100), (20, 100)]
    )
    after = filled((20, 20, 100, 100))
    after[66:71, 140:143] = True  # where the answer agrees the spike is cut in two
    result = correct((spike,), after, (115, 68, 0))
    assert len(result) == 1
    assert mask_iou(polygons_to_mask(result, SIZE), filled((20, 20, 100, 100))) > 0.97


def test_no_slit_is_left_between_an_object_and_what_is_added_to_it() -> None:
    after = filled((20, 20, 140, 100))
    holed = (Polygon.of(box(20, 20, 80, 100).exterior), box(82, 40, 84, 60))
    result = correct(holed, after, (120, 60, 1))
    assert sum(len(polygon.holes) for polygon in result) == 0
    assert len(result) == 1


@pytest.mark.parametrize("seed", range(20))
def test_any_two_outlines_merge_into_valid_ones_that_agree_near_the_point(seed: int) -> None:
    random = np.random.default_rng(seed)
    blobs = [random.normal(size=SIZE[::-1]).cumsum(0).cumsum(1) for _ in range(2)]
    before, after = (blob > np.median(blob) for blob in blobs)
    wanted = np.argwhere(after & ~before)
    polygons = mask_to_polygons(before, min_iou=0.97)
    if not len(wanted) or not polygons:
        pytest.skip("the two agree")
    row, column = wanted[len(wanted) // 2].tolist()
    result = correct(polygons, after, (column + 0.5, row + 0.5, 1))
    gained = polygons_to_mask(result, SIZE) & ~polygons_to_mask(polygons, SIZE)
    assert all(ring.shape[0] >= 3 for polygon in result for ring in polygon.rings)
    assert gained.any() or not (after & ~polygons_to_mask(polygons, SIZE))[row, column]
    assert np.count_nonzero(gained & ~after) <= 0.05 * np.count_nonzero(gained) + 20
