"""Which anchors learn which instance."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from maskwright.training.losses import TOP_ANCHORS, assigned_anchors, candidate_anchors, complete_iou, paired_iou

SIZE_HW = (64, 96)
ANCHORS = 16 * 24 + 8 * 12 + 4 * 6


def assign(boxes, *, predicted=None, image=None):
    """Assignment in two images where every anchor scores one half and, by default, predicts the first box."""
    rows = torch.tensor(boxes, dtype=torch.float32)
    if predicted is None:
        predicted = rows[:1].expand(2, ANCHORS, 4)
    image = torch.zeros(len(rows), dtype=torch.long) if image is None else torch.tensor(image)
    scores = torch.full((2, ANCHORS, 1), 0.5)
    category = torch.zeros(len(rows), dtype=torch.long)
    return assigned_anchors(scores, predicted, boxes=rows, image=image, category=category, size_hw=SIZE_HW)


def test_candidates_lie_inside_the_box() -> None:
    anchors, allowed = candidate_anchors(torch.tensor([[40.0, 20.0, 56.0, 36.0]]), SIZE_HW)

    finest = anchors[allowed][anchors[allowed] < 16 * 24]
    x, y = (finest % 24 + 0.5) * 4, (finest // 24 + 0.5) * 4

    assert len(finest) == 16
    assert ((x > 40) & (x < 56) & (y > 20) & (y < 36)).all()


def test_speck_smaller_than_a_cell_has_an_anchor() -> None:
    anchors, allowed = candidate_anchors(torch.tensor([[8.2, 8.2, 9.2, 9.2]]), SIZE_HW)

    assert anchors[allowed].tolist() == [2 * 24 + 2]


def test_perfect_predictions_become_full_targets() -> None:
    positives = assign([[40, 20, 56, 36]])

    assert len(positives.anchor) == TOP_ANCHORS
    assert torch.allclose(positives.target, torch.ones(TOP_ANCHORS), atol=1e-4)


def test_contested_anchor_goes_to_the_larger_overlap() -> None:
    positives = assign([[40, 20, 56, 36], [42, 22, 60, 40]])

    assert len(positives.anchor.unique()) == len(positives.anchor)
    assert (positives.instance == 0).sum() == TOP_ANCHORS


def test_instances_stay_in_their_image() -> None:
    positives = assign([[40, 20, 56, 36], [40, 20, 56, 36]], image=[0, 1])

    assert torch.equal(positives.image, positives.instance)


def test_batch_without_instances_has_no_positives() -> None:
    none = torch.zeros(0, dtype=torch.long)

    positives = assigned_anchors(
        torch.full((1, ANCHORS, 1), 0.5),
        torch.zeros(1, ANCHORS, 4),
        boxes=torch.zeros(0, 4),
        image=none,
        category=none,
        size_hw=SIZE_HW,
    )

    assert len(positives.anchor) == 0


def test_overlap_of_half_covered_boxes() -> None:
    first, second = torch.tensor([[0.0, 0, 10, 10]]), torch.tensor([[0.0, 0, 10, 5]])

    assert paired_iou(first, second).item() == pytest.approx(0.5)
    assert complete_iou(first, first).item() == pytest.approx(1.0)
    assert complete_iou(first, second).item() < 0.5
