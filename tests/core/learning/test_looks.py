"""What there is to look at after a round: hits, misses and false ones of each held-out image."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskwright.geometry.raster import mask_to_rle
from maskwright.learning.judge import f1_by_class
from maskwright.learning.looks import HeldOutComparison, HeldOutImage, MatchedObject, look_at

IMAGE = {"id": 1, "file_name": "a.png", "width": 60, "height": 40}


def square(x: int, category: int = 1, score: float | None = None, image: int = 1) -> dict[str, Any]:
    mask = np.zeros((40, 60), np.bool_)
    mask[5:15, x : x + 10] = True
    entry: dict[str, Any] = {"image_id": image, "category_id": category, "segmentation": mask_to_rle(mask)}
    return entry | ({"score": score} if score is not None else {})


def test_each_object_is_a_hit_missed_or_false() -> None:
    look = look_at(IMAGE, [square(0, score=0.9), square(40, score=0.8)], [square(0), square(20)])

    assert [(item.kind, item.score) for item in look.objects] == [("hit", 0.9), ("false", 0.8), ("missed", None)]
    assert look.objects[0].rings[0][0] in {(0.0, 5.0), (10.0, 5.0), (10.0, 15.0), (0.0, 15.0)}


def test_wrong_class_is_false_and_the_object_missed() -> None:
    look = look_at(IMAGE, [square(0, category=2, score=0.9)], [square(0)])

    assert sorted((item.kind, item.category_id) for item in look.objects) == [("false", 2), ("missed", 1)]


def test_other_images_and_crowds_are_left_out() -> None:
    crowd = square(20) | {"iscrowd": 1}

    assert look_at(IMAGE, [square(0, score=0.9, image=2)], [square(0, image=2), crowd]).objects == ()


def test_looks_survive_being_written(tmp_path: Path) -> None:
    ring = ((0.0, 0.0), (4.0, 0.5), (4.0, 4.0))
    looks = HeldOutComparison(
        (HeldOutImage("a.png", 60, 40, (MatchedObject("hit", 1, (ring,), 0.5), MatchedObject("missed", 2, (ring,)))),)
    )
    looks.write(tmp_path / "looks.json")

    assert HeldOutComparison.read(tmp_path / "looks.json") == looks


@pytest.mark.parametrize("text", ["", "[]", '{"new": [{}], "old": []}'])
def test_damaged_looks_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "looks.json").write_text(text)

    assert HeldOutComparison.read(tmp_path / "looks.json") is None


def test_f1_is_told_by_class_at_the_threshold() -> None:
    results = [square(0, score=0.9), square(20, score=0.8), square(40, category=2, score=0.3)]
    truths = [square(0), square(20), square(40, category=2)]

    assert f1_by_class(results, truths, 0.5) == ((1, 1.0), (2, 0.0))
