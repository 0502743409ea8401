"""Micrographs and photographs are told apart by plain ground and hues."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskwright.images.kind import SAMPLED, ImageKind, kind_of_files, micrograph_odds
from maskwright_resources import resource_path
from shared_data import shared_path


def spots(ground: tuple[int, int, int], spot: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Round things of one colour on plain ground, with a little noise."""
    generator = np.random.default_rng(0)
    image = np.full((300, 400, 3), ground, np.uint8)
    for x, y in generator.integers(10, 290, (25, 2)).tolist():
        cv2.circle(image, (x, y), 9, spot, -1)
    return cv2.add(image, generator.integers(0, 6, image.shape, np.uint8))


def scene() -> NDArray[np.uint8]:
    """Many hues and all brightnesses, in patches as large as things in a photograph."""
    patches = np.random.default_rng(0).integers(0, 256, (8, 10, 3), np.uint8)
    return cv2.resize(patches, (400, 300), interpolation=cv2.INTER_CUBIC)


def write(folder: Path, *images: NDArray[np.uint8]) -> list[Path]:
    paths = [folder / f"{index}.png" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        cv2.imwrite(str(path), image)
    return paths


@pytest.mark.parametrize(
    ("image", "is_micrograph"),
    [
        (spots((8, 8, 8), (90, 90, 90)), True),
        (spots((200, 190, 220), (150, 60, 120)), True),
        (scene(), False),
        (np.zeros((1, 1, 3), np.uint8), True),
    ],
    ids=["fluorescence", "stained", "scene", "one pixel"],
)
def test_an_image_is_told_by_its_ground_and_hues(image: NDArray[np.uint8], is_micrograph: bool) -> None:
    assert (micrograph_odds(image) > 0) == is_micrograph


def test_the_sample_images_are_micrographs() -> None:
    folder = resource_path("samples")
    assert kind_of_files(sorted(folder.glob("*.jpg"))) is ImageKind.MICROGRAPH


def test_most_files_decide_and_damaged_ones_do_not_count(tmp_path: Path) -> None:
    paths = write(tmp_path, scene(), scene(), spots((8, 8, 8), (90, 90, 90)))
    (tmp_path / "broken.png").write_bytes(b"no image")
    assert kind_of_files([*paths, tmp_path / "broken.png"]) is ImageKind.PHOTOGRAPH


def test_without_a_readable_file_nothing_is_said(tmp_path: Path) -> None:
    assert kind_of_files([tmp_path / "missing.png"]) is None
    assert kind_of_files([]) is None


def test_only_some_files_of_a_large_folder_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr("maskwright.images.read_thumbnail", lambda path, **_: read.append(path) or scene())
    kind_of_files([tmp_path / f"{index}.png" for index in range(10_000)])
    assert len(read) == SAMPLED
    assert read[-1].name == "9166.png"


@pytest.mark.parametrize(("folder", "kind"), [("nuclei/val", "micrograph"), ("coco/val", "photograph")])
def test_real_folders_are_told_right(folder: str, kind: str) -> None:
    paths = [path for path in sorted(shared_path(folder).iterdir()) if path.suffix in (".jpg", ".png")]
    assert kind_of_files(paths) == kind
