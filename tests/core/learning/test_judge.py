"""Hits, misses and the threshold at which a model works best."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny_models
from maskwright.evaluation.model_run import detections
from maskwright.geometry.raster import mask_to_rle
from maskwright.inference.model import load_model
from maskwright.learning.judge import best_cut, figures_at, lowered_cut, matched


def rle(x: int, y: int, side: int = 10) -> dict[str, object]:
    mask = np.zeros((64, 64), np.uint8)
    mask[y : y + side, x : x + side] = 1
    return dict(mask_to_rle(mask))


def result(x: int, y: int, score: float, *, category: int = 1, image: int = 1) -> dict[str, object]:
    return {"image_id": image, "category_id": category, "score": score, "segmentation": rle(x, y)}


def truth(x: int, y: int, *, category: int = 1, crowd: int = 0) -> dict[str, object]:
    return {"image_id": 1, "category_id": category, "segmentation": rle(x, y), "iscrowd": crowd}


def test_second_hit_on_the_same_object_is_false() -> None:
    scores, hits = matched([result(5, 5, 0.6), result(5, 6, 0.9)], [truth(5, 5)])

    assert scores.tolist() == [0.9, 0.6]
    assert hits.tolist() == [True, False]


def test_right_place_with_the_wrong_class_is_false() -> None:
    assert matched([result(5, 5, 0.9, category=2)], [truth(5, 5)])[1].tolist() == [False]


def test_what_lies_on_a_crowd_does_not_count() -> None:
    scores, _ = matched([result(5, 5, 0.9)], [truth(5, 5, crowd=1)])

    assert len(scores) == 0


def test_best_cut_keeps_hits_and_drops_false_ones() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.3, 0.2])
    hits = np.array([True, True, True, False, False])

    score, f1, precision, recall = best_cut(scores, hits, 3)

    assert 0.3 < score < 0.7
    assert (f1, precision, recall) == (1.0, 1.0, 1.0)


def test_cut_never_lies_among_equal_scores() -> None:
    scores, hits = np.full(4, 0.5), np.array([True, True, False, False])

    _, f1, precision, recall = best_cut(scores, hits, 2)

    assert (precision, recall) == (0.5, 1.0)
    assert f1 == pytest.approx(2 / 3)


def test_threshold_for_new_images_is_lower_than_the_best_on_training_images() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.1, 0.1])
    hits = np.array([True, True, True, False, False])
    best = best_cut(scores, hits, 3)[0]

    assert lowered_cut(scores, hits, 3) == pytest.approx(max(0.8 * best, 0.1))


def test_threshold_of_a_model_that_hardly_knows_anything_is_not_lowered_far() -> None:
    scores = np.array([0.50, 0.49, 0.48, *np.linspace(0.47, 0.40, 30)])
    hits = np.array([True, True, True, *[False] * 30])

    assert 0.45 < lowered_cut(scores, hits, 3) <= best_cut(scores, hits, 3)[0]


def test_figures_at_a_threshold_count_what_scores_at_least_that() -> None:
    scores, hits = np.array([0.9, 0.5, 0.5, 0.2]), np.array([True, True, False, True])

    f1, precision, recall = figures_at(0.5, scores, hits, 4)

    assert (precision, recall) == (pytest.approx(2 / 3), 0.5)
    assert f1 == pytest.approx(4 / 7)
    assert figures_at(0.95, scores, hits, 4) == (0.0, 0.0, 0.0)


def test_model_without_a_hit_has_no_merit() -> None:
    assert best_cut(np.array([0.9]), np.array([False]), 4)[1:] == (0.0, 0.0, 0.0)


def test_renamed_class_is_judged_by_its_id(tmp_path: Path) -> None:
    model = load_model(tiny_models.yolact(tmp_path / "tiny.xml"))
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    own = [(label.id, label.name) for label in model.labels][:2]
    swapped = [{"id": own[0][0], "name": own[1][1]}, {"id": own[1][0], "name": own[0][1]}]
    dataset = {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64}],
        "annotations": [],
        "categories": swapped,
    }

    by_name = detections(model, dataset, tmp_path).category_ids
    by_id = detections(model, dataset, tmp_path, classes={label.id: label.id for label in model.labels}).category_ids

    assert [by_id[id_] for id_, _ in own] == [own[0][0], own[1][0]]
    assert [by_name[id_] for id_, _ in own] == [own[1][0], own[0][0]]
