"""Training data from COCO files."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskwright.errors import MaskwrightError
from maskwright.training.dataset import read_dataset

SQUARE_POLYGON = [[2, 3, 8, 3, 8, 9, 2, 9]]
SQUARE_RLE = {"size": [12, 10], "counts": [2 * 12 + 3, *[6, 6] * 5, 6, 12 - 9 + 12 * 2]}


def coco(folder: Path, *segmentations: Any, width: int = 10) -> Path:
    """A COCO file of one 10 x 12 image whose instances have the category id 7."""
    cv2.imwrite(str(folder / "a.png"), np.zeros((12, 10, 3), np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": width, "height": 12}],
        "categories": [{"id": 7, "name": "cell"}, {"id": 3, "name": "dirt"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 7, "segmentation": segmentation, "iscrowd": 0}
            for number, segmentation in enumerate(segmentations, start=1)
        ],
    }
    path = folder / "annotations.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("segmentation", [SQUARE_POLYGON, SQUARE_RLE], ids=["polygon", "rle"])
def test_polygons_and_rle_give_the_same_labels(tmp_path: Path, segmentation: Any) -> None:
    dataset = read_dataset(coco(tmp_path, segmentation), tmp_path)

    expected = np.zeros((12, 10), np.int16)
    expected[3:9, 2:8] = 1
    assert np.array_equal(dataset.samples[0].labels, expected)
    assert dataset.samples[0].categories.tolist() == [1]
    assert dataset.category_ids == [3, 7]


def test_small_instance_inside_a_large_one_survives(tmp_path: Path) -> None:
    inner = [[4, 4, 6, 4, 6, 6, 4, 6]]

    labels = read_dataset(coco(tmp_path, inner, SQUARE_POLYGON), tmp_path).samples[0].labels

    assert (labels == 1).sum() == 4


def test_image_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaskwrightError, match="its COCO file says"):
        read_dataset(coco(tmp_path, SQUARE_POLYGON, width=11), tmp_path)


def test_file_without_annotations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaskwrightError, match="no annotated image"):
        read_dataset(coco(tmp_path), tmp_path)
