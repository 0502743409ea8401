from pathlib import Path

import numpy as np
import orjson
import pytest
from pycocotools.coco import COCO

from maskwright.samples.scenes import SCENES, SampleScene, make_scene, write_samples
from maskwright_resources import resource_path


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_each_nucleus_is_one_piece_with_a_label_of_its_own(scene: SampleScene) -> None:
    picture, labels = make_scene(scene)
    assert picture.shape == (scene.size_wh[1], scene.size_wh[0], 3)
    assert (np.bincount(labels.ravel())[1:] >= 12).all()
    assert labels.max() >= 0.6 * scene.shapes.count


def test_a_scene_is_the_same_on_every_call() -> None:
    first, again = make_scene(SCENES[1]), make_scene(SCENES[1])
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def test_ground_truth_is_the_label_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    coco = COCO(str(write_samples(tmp_path, SCENES[5:6])))
    labels = make_scene(SCENES[5])[1]
    masks = [coco.annToMask(annotation) for annotation in coco.dataset["annotations"]]
    assert np.array_equal(sum(masks), labels > 0)
    assert len(masks) == labels.max()


def test_bundled_samples_are_complete_and_small() -> None:
    folder = resource_path("samples")
    document = orjson.loads((folder / "ground_truth.json").read_bytes())
    assert [image["file_name"] for image in document["images"]] == [f"{scene.name}.jpg" for scene in SCENES]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_500_000
