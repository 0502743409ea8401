"""Published COCO files: read without loss, written back as they were."""

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from maskwright.formats.coco import export_coco, read_coco
from maskwright.geometry.raster import polygons_to_rle, rle_to_mask
from shared_data import shared_path

FILES = ["coco/val.json", "coco/train.json", "nuclei/val.json"]


def canonical(path: Path) -> Any:
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", FILES)
def test_everything_is_read_with_identical_masks(name: str) -> None:
    path = shared_path(name)
    file = read_coco(path)
    with redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    assert file.problems == ()
    for image in file.images():
        for instance in file.instances(image.id):
            expected = coco.annToMask(coco.anns[instance.id]) != 0
            ours = rle_to_mask(polygons_to_rle(instance.polygons, (image.width, image.height)))
            assert np.array_equal(ours, expected), instance.id


@pytest.mark.parametrize("name", FILES)
def test_an_untouched_file_is_written_back_with_the_same_content(name: str, tmp_path: Path) -> None:
    path = shared_path(name)
    export_coco(read_coco(path), tmp_path / "out.json")
    assert json.dumps(canonical(tmp_path / "out.json")) == json.dumps(canonical(path))
