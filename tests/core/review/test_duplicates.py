"""The same picture is found under other sizes, compression and brightness, and nothing else is."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maskwright.operations.duplicates import MAX_DISTANCE, alike, find_duplicates, fingerprint
from maskwright.project import Project, scan_folder


def picture(seed: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "images"
    folder.mkdir()
    for seed in range(6):
        cv2.imwrite(str(folder / f"{seed}.png"), picture(seed))
    cv2.imwrite(str(folder / "2-small.jpg"), cv2.resize(picture(2), (200, 150), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(folder / "2-bright.jpg"), cv2.convertScaleAbs(picture(2), alpha=0.8, beta=30))
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:500])
    with Project.create(tmp_path / "set.maskwright", image_root=folder) as project:
        project.images.add(image for image in scan_folder(folder) if image.failure is None)
        yield project


def names(project: Project, groups: list[list[int]]) -> list[list[str]]:
    return [sorted(record.file_name for record in project.images.records(group)) for group in groups]


def test_copies_are_found_and_others_are_not(project: Project) -> None:
    assert names(project, find_duplicates(project)) == [["2-bright.jpg", "2-small.jpg", "2.png"]]


def test_what_was_looked_at_is_not_read_again(project: Project) -> None:
    first = find_duplicates(project)
    for path in project.image_root.iterdir():
        path.unlink()

    assert find_duplicates(project) == first


def test_unlike_pictures_are_far_apart() -> None:
    prints = [fingerprint(picture(seed)) for seed in range(40)]

    assert min((a ^ b).bit_count() for k, a in enumerate(prints) for b in prints[:k]) > 2 * MAX_DISTANCE


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12), st.data())
def test_groups_are_those_of_comparing_all_with_all(prints: list[int], data: st.DataObject) -> None:
    for value in list(prints):
        bits = data.draw(st.lists(st.integers(0, 63), max_size=6, unique=True))
        prints.append(value ^ sum(1 << bit for bit in bits))

    groups = {frozenset(group) for group in alike(prints)}

    assert groups == {frozenset(group) for group in chained(prints) if len(group) > 1}


def chained(prints: list[int]) -> list[set[int]]:
    groups = [{place} for place in range(len(prints))]
    for a in range(len(prints)):
        for b in range(a):
            if (prints[a] ^ prints[b]).bit_count() <= MAX_DISTANCE:
                one, other = (next(group for group in groups if place in group) for place in (a, b))
                if one is not other:
                    groups.remove(other)
                    one |= other
    return groups
