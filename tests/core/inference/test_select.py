from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskwright.errors import FormatError
from maskwright.geometry.convert import mask_to_polygons
from maskwright.inference.candidates import Candidates
from maskwright.inference.frame import Frame
from maskwright.inference.labels import COCO_CATEGORIES
from maskwright.inference.masks import HeatMaps, InputMaps, PrototypeMasks
from maskwright.inference.select import nms_indices
from maskwright.inference.thresholds import Defaults, Thresholds


def boxes_at(*lefts: float) -> np.ndarray:
    return np.array([(left, 0, left + 10, 10) for left in lefts], np.float32)


def candidates(boxes: np.ndarray, classes: list[int], scores: list[float]) -> Candidates:
    count = len(boxes)
    maps = np.ones((count, 4, 4), np.float32)
    numbers = np.arange(count, dtype=np.int32)
    parts = (boxes, numbers, np.array(classes, np.int32), np.array(scores, np.float32))
    return Candidates(Frame.stretched((64, 64)), COCO_CATEGORIES, *parts, HeatMaps(maps))


def test_overlapping_boxes_of_one_class_leave_the_best() -> None:
    found = candidates(boxes_at(0, 1, 30), [0, 0, 0], [0.9, 0.8, 0.7]).select()
    assert [instance.score for instance in found] == pytest.approx([0.9, 0.7])


def test_classes_compete_only_when_asked_to() -> None:
    pair = candidates(boxes_at(0, 1), [0, 1], [0.9, 0.8])
    assert len(pair.select()) == 2
    assert len(pair.select(class_agnostic=True)) == 1
    assert len(replace(pair, defaults=Defaults(is_class_agnostic=True)).select()) == 1


def test_categories_are_filtered_before_suppression() -> None:
    pair = candidates(boxes_at(0, 1), [0, 1], [0.9, 0.8])
    found = pair.select(class_agnostic=True, categories={COCO_CATEGORIES[1].id})
    assert [instance.category_name for instance in found] == ["bicycle"]


def test_scores_must_exceed_the_threshold() -> None:
    assert len(candidates(boxes_at(0, 30), [0, 0], [0.75, 0.5]).select(0.5)) == 1


def test_no_more_than_asked_for() -> None:
    assert len(candidates(boxes_at(0, 20, 40), [0, 0, 0], [0.9, 0.8, 0.7]).select(max_instances=2)) == 2


def test_the_models_own_operating_point_is_the_default() -> None:
    pair = replace(candidates(boxes_at(0, 1), [0, 0], [0.9, 0.3]), defaults=Defaults(0.2, 0.95, 500))
    assert len(pair.select()) == 2


def test_another_threshold_does_not_trace_masks_again() -> None:
    one = candidates(boxes_at(0, 20, 40), [0, 0, 0], [0.9, 0.8, 0.7])
    before, after = one.select(0.5), one.select(0.75)
    assert [a is b for a, b in zip(before, after, strict=False)] == [True, True]
    assert one.select(0.5, min_iou=None)[0] is not before[0]


def test_polygons_of_a_selection_are_made_together_and_equal_those_made_alone() -> None:
    boxes = np.array([(20 * i, 5, 20 * i + 9 + 3 * i, 30 + i) for i in range(3)], np.float32)
    many = candidates(boxes, [0, 0, 0], [0.9, 0.8, 0.7])
    first = many.select()
    assert first[1].polygons
    assert all(instance.outline.made is not None for instance in first)
    assert [i.polygons for i in first] == [mask_to_polygons(i.crop_mask, offset_xy=i.crop_xy) for i in first]


def test_another_fidelity_starts_from_the_same_dense_outline() -> None:
    one = candidates(boxes_at(0, 20), [0, 0], [0.9, 0.8])
    (before, _), (after, _) = (one.select(min_iou=min_iou) for min_iou in (0.9, None))
    assert before.polygons != ()
    assert after.outline.exact is before.outline.exact
    assert after.polygons == mask_to_polygons(after.crop_mask, min_iou=None, offset_xy=after.crop_xy)


def test_mask_threshold_shrinks_a_soft_mask() -> None:
    soft = HeatMaps(np.tile(np.linspace(0, 1, 8, dtype=np.float32), (1, 8, 1)))
    one = replace(candidates(np.array([[0, 0, 32, 32]], np.float32), [0], [0.9]), masks=soft)
    assert one.select(mask_threshold=0.7)[0].mask.sum() < one.select(mask_threshold=0.3)[0].mask.sum()


def test_masks_are_cut_at_the_rounded_box_when_asked_to() -> None:
    wide = PrototypeMasks(np.full((8, 8, 1), 9, np.float32), np.ones((1, 1), np.float32))
    one = replace(candidates(np.array([[10.4, 20.6, 30.4, 40.6]], np.float32), [0], [0.9]), masks=wide)
    cut = one.select(clip_to_box=True)[0]
    assert one.select()[0].crop_mask.sum() > cut.crop_mask.sum()
    assert (cut.crop_xy, cut.crop_mask.shape) == ((10, 21), (20, 20))
    assert cut.crop_mask.all()


def test_things_in_one_piece_keep_their_largest_part() -> None:
    split = np.zeros((1, 16, 16), np.float32)
    split[0, 2:14, 2:8] = split[0, 2:14, 11:14] = 1
    one = replace(candidates(np.array([[0, 0, 32, 32]], np.float32), [0], [0.9]), masks=HeatMaps(split))
    whole = one.select()[0].mask
    largest = replace(one, defaults=Defaults(keeps_largest_part=True)).select()[0].mask
    assert whole[:, 18:].any()
    np.testing.assert_array_equal(largest, whole & (np.arange(64) < 18))


def test_polygons_lie_where_the_mask_is() -> None:
    (found,) = candidates(np.array([[10, 20, 30, 50]], np.float32), [0], [0.9]).select(min_iou=None)
    rows, columns = np.nonzero(found.mask)
    bounds = found.polygons[0].bounds_xyxy
    assert bounds == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
@settings(max_examples=8, deadline=None)
def test_blockwise_suppression_equals_the_plain_loop(seed: int, max_iou: float) -> None:
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(0, 60, (700, 2)), rng.uniform(1, 30, (700, 2))
    boxes = np.hstack([corner, corner + side]).astype(np.float32)
    classes = rng.integers(0, 3, 700)
    kept: list[int] = []
    for k in range(700):
        rivals = [j for j in kept if classes[j] == classes[k] and _iou(boxes[j], boxes[k]) > max_iou]
        if not rivals:
            kept.append(k)
    assert nms_indices(boxes, classes, max_iou=max_iou, limit=10_000).tolist() == kept
    assert nms_indices(boxes, classes, max_iou=max_iou, limit=5).tolist() == kept[:5]


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    width = max(min(a[2], b[2]) - max(a[0], b[0]), np.float32(0))
    height = max(min(a[3], b[3]) - max(a[1], b[1]), np.float32(0))
    shared = width * height
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))


def test_no_boxes_give_no_indices() -> None:
    assert nms_indices(np.zeros((0, 4), np.float32), None, max_iou=0.5, limit=5).tolist() == []


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_crops_equal_resizing_the_whole_frame(seed: int) -> None:
    """The reference: crop in prototype space, resize everything to the image, threshold."""
    rng = np.random.default_rng(seed)
    width, height = (int(n) for n in rng.integers(5, 90, 2))
    rows, columns = (int(n) for n in rng.integers(2, 20, 2))
    prototypes = rng.normal(0, 2, (rows, columns, 3)).astype(np.float32)
    coefficients = rng.normal(0, 2, (1, 3)).astype(np.float32)
    x1, y1, x2, y2 = rng.uniform(-0.3, 1.3, 4)
    x1, x2, y1, y2 = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    full = 1 / (1 + np.exp(-(prototypes @ coefficients[0])))
    j, i = np.arange(columns), np.arange(rows)[:, None]
    full[
        ~((max(x1 * columns - 1, 0) <= j) & (j < x2 * columns + 1) & (max(y1 * rows - 1, 0) <= i) & (i < y2 * rows + 1))
    ] = 0
    soft = cv2.resize(full, (width, height), interpolation=cv2.INTER_LINEAR)
    box = np.array([x1 * width, y1 * height, x2 * width, y2 * height], np.float32)
    frame = Frame.stretched((width, height))
    mask, (x, y) = PrototypeMasks(prototypes, coefficients).crop(0, box, frame, 0.5)
    found = np.zeros((height, width), bool)
    found[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    unclear = np.abs(soft - 0.5) < 1e-4
    np.testing.assert_array_equal(found | unclear, (soft > 0.5) | unclear)


@given(
    st.integers(0, 999), st.integers(2, 40), st.integers(2, 40), st.integers(4, 60), st.integers(4, 60),
    st.sampled_from([0.0, 0.2, 0.5, 0.8]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_logits_resized_first_equal_the_full_frame(
    seed: int, columns: int, rows: int, width: int, height: int, threshold: float
) -> None:
    """Whether the grid is coarser than the image or finer: enlarge all logits, compare, cut at the box."""
    rng = np.random.default_rng(seed)
    prototypes = rng.normal(0, 2, (rows, columns, 3)).astype(np.float32)
    coefficients = rng.normal(0, 2, (1, 3)).astype(np.float32)
    low, high = np.sort(rng.uniform(-0.3, 1.3, (2, 2)), axis=0)
    box = np.array([*low, *high], np.float32) * np.float32([width, height] * 2)
    j, i = ((np.arange(n) + 0.5) * m / n - 0.5 for n, m in ((width, columns), (height, rows)))
    logits = _bilinear(prototypes @ coefficients[0], i, j)
    x1, y1, x2, y2 = np.ceil(box.round(3)).astype(int)
    x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
    inside = np.zeros((height, width), bool)
    inside[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = True
    masks = PrototypeMasks(prototypes, coefficients, resizes_first=True)
    mask, (x, y) = masks.crop(0, box, Frame.stretched((width, height)), threshold)
    found = np.zeros((height, width), bool)
    found[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    soft = 1 / (1 + np.exp(-logits))
    unclear = np.abs(soft - threshold) < 1e-4
    np.testing.assert_array_equal(found | unclear, (soft > threshold) & inside | unclear)


def _bilinear(cells: NDArray[np.float32], i: NDArray[np.float64], j: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at rows `i` and columns `j` of the grid, the outermost cells repeated beyond it."""
    i, j = i.clip(0, len(cells) - 1), j.clip(0, cells.shape[1] - 1)
    across = np.stack([np.interp(j, np.arange(cells.shape[1]), row) for row in cells])
    return np.stack([np.interp(i, np.arange(len(cells)), column) for column in across.T], 1)


@pytest.mark.parametrize("kind", ["prototypes", "logits", "maps"])
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_soft_mask_clipped_later_is_the_one_clipped_at_once(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size_wh = (int(rng.integers(5, 90)), int(rng.integers(5, 90)))
    low, high = np.sort(rng.uniform(-0.3, 1.3, (2, 2)), axis=0)
    box = np.array([*low, *high], np.float32) * np.float32([*size_wh, *size_wh])
    prototypes, coefficients = rng.normal(0, 2, (9, 11, 3)).astype(np.float32), np.ones((1, 3), np.float32)
    masks = (
        HeatMaps(rng.random((1, 9, 11)).astype(np.float32))
        if kind == "maps"
        else PrototypeMasks(prototypes, coefficients, resizes_first=kind == "logits")
    )
    frame = Frame.stretched(size_wh)
    later, at_once = masks.soft(0, box, frame).clipped(box), masks.soft(0, box, frame, clips=True)
    assert later.values.shape == at_once.values.shape
    assert later.corner_xy == at_once.corner_xy or not later.values.size
    np.testing.assert_allclose(later.values, at_once.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clips", [False, True])
def test_noting_the_looseness_changes_neither_it_nor_the_masks(clips: bool) -> None:
    masks = HeatMaps(np.random.default_rng(5).random((3, 4, 4)).astype(np.float32))
    plain, noted = (replace(candidates(boxes_at(0, 20, 40), [0, 1, 2], [0.9, 0.8, 0.7]), masks=masks) for _ in "ab")
    wanted = Thresholds(0.5, clips_to_box=clips)
    for a, b in zip(plain.selected(wanted), noted.selected(wanted, notes_looseness=True), strict=True):
        np.testing.assert_array_equal(a.mask, b.mask)
    loose = [plain.remembered.looseness(plain, row) for row in range(3)]
    assert loose == [noted.remembered.looseness(noted, row) for row in range(3)]
    assert all(0 < each < 1 for each in loose)


@pytest.mark.parametrize("kind", ["prototypes", "maps"])
def test_stored_candidates_select_alike(kind: str) -> None:
    before = candidates(boxes_at(0, 20, 40), [0, 1, 2], [0.9, 0.8, 0.7])
    if kind == "prototypes":
        masks = PrototypeMasks(np.ones((8, 8, 2), np.float32), np.ones((3, 2), np.float32))
        before = replace(before, masks=masks)
    after = Candidates.from_bytes(before.to_bytes())
    assert after.categories == before.categories
    assert after.frame == before.frame
    for a, b in zip(before.select(), after.select(), strict=True):
        assert (a.category_id, a.score, a.bbox_xyxy, a.crop_xy) == (b.category_id, b.score, b.bbox_xyxy, b.crop_xy)
        np.testing.assert_array_equal(a.crop_mask, b.crop_mask)


def test_a_fidelity_that_was_there_before_finds_its_polygons() -> None:
    one = candidates(boxes_at(0, 20), [0, 0], [0.9, 0.8])
    first = one.select(min_iou=0.9)
    one.select(min_iou=0.95)
    again = one.select(min_iou=0.9)
    assert [a is b for a, b in zip(first, again, strict=True)] == [True, True]


def test_a_mask_threshold_that_was_there_before_finds_its_masks() -> None:
    one = candidates(boxes_at(0, 20), [0, 0], [0.9, 0.8])
    first = one.select(mask_threshold=0.4)
    one.select(mask_threshold=0.6)
    assert [a is b for a, b in zip(first, one.select(mask_threshold=0.4), strict=True)] == [True, True]
    for threshold in np.linspace(0.65, 0.95, 7):
        one.select(mask_threshold=threshold)
    assert one.select(mask_threshold=0.4)[0] is not first[0]  # not all are kept


def test_fidelities_in_any_order_give_what_each_gives_alone() -> None:
    y, x = np.mgrid[:28, :28] - 13.5
    blob = (1 / (1 + np.exp(np.hypot(x, y) - 9 + 2 * np.sin(5 * np.arctan2(y, x))))).astype(np.float32)
    boxes = np.array([(0, 0, 50, 40), (10, 20, 60, 64), (30, 5, 63, 30)], np.float32)
    moved = replace(candidates(boxes, [0, 1, 0], [0.9, 0.8, 0.7]), masks=HeatMaps(np.stack([blob, blob.T, blob])))
    for score, min_iou in ((0.75, 0.9), (0.5, 0.98), (0.5, 0.9), (0.5, None), (0.75, 0.98), (0.5, 0.85)):
        found, fresh = moved.select(score, min_iou=min_iou), replace(moved).select(score, min_iou=min_iou)
        assert [one.polygons for one in found] == [one.polygons for one in fresh]


@pytest.mark.parametrize("kind", ["prototypes", "logits", "maps", "input maps"])
def test_what_a_threshold_gives_does_not_depend_on_those_before(kind: str) -> None:
    rng = np.random.default_rng(0)
    grid, weights = rng.normal(0, 3, (32, 32, 4)).astype(np.float32), rng.normal(0, 2, (3, 4)).astype(np.float32)
    soft = 1 / (1 + np.exp(-np.moveaxis(grid[..., :3], -1, 0)))
    masks = {
        "prototypes": PrototypeMasks(grid, weights),
        "logits": PrototypeMasks(grid, weights, resizes_first=True),
        "maps": HeatMaps(soft),
        "input maps": InputMaps(soft),
    }[kind]
    boxes = np.array([[0, 0, 20, 20], [30, 30, 60, 50], [-9, 40, 12, 80]], np.float32)
    moved = replace(candidates(boxes, [0, 1, 0], [0.9, 0.7, 0.6]), masks=masks)
    for threshold, clips in ((0.5, True), (0.3, True), (0.7, True), (0.3, False), (0.5, True), (0.0, True)):
        fresh = replace(moved)
        for a, b in zip(
            *(one.select(mask_threshold=threshold, clip_to_box=clips) for one in (moved, fresh)), strict=True
        ):
            np.testing.assert_array_equal(a.mask, b.mask)


@pytest.mark.parametrize("resizes_first", [False, True])
def test_large_prototypes_are_stored_as_the_windows_of_boxes(
    monkeypatch: pytest.MonkeyPatch, resizes_first: bool
) -> None:
    monkeypatch.setattr("maskwright.inference.storing.LARGE_PROTOTYPES", 0)
    rng = np.random.default_rng(0)
    masks = PrototypeMasks(
        rng.normal(0, 3, (32, 32, 4)).astype(np.float32), rng.normal(0, 2, (4, 4)).astype(np.float32), resizes_first
    )
    boxes = np.array([[0, 0, 20, 20], [0, 0, 20, 20.5], [30, 30, 60, 50], [-9, 40, 12, 80]], np.float32)
    before = replace(candidates(boxes, [0, 0, 1, 0], [0.9, 0.8, 0.7, 0.6]), masks=masks)
    after = Candidates.from_bytes(before.to_bytes())
    assert len(after) == 3  # the near double is gone
    for a, b in zip(before.select(), after.select(), strict=True):
        assert (a.score, a.bbox_xyxy) == (b.score, b.bbox_xyxy)
        assert (a.mask & b.mask).sum() / (a.mask | b.mask).sum() > 0.98


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"nonsense"])
def test_damaged_stored_candidates_are_refused(damage: bytes) -> None:
    with pytest.raises(FormatError, match="damaged"):
        Candidates.from_bytes(damage)


def test_truncated_stored_candidates_are_refused() -> None:
    whole = candidates(boxes_at(0), [0], [0.9]).to_bytes()
    with pytest.raises(FormatError, match="damaged"):
        Candidates.from_bytes(whole[: len(whole) // 2])
