"""What images look like, and which models of the catalogue may know them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright.images.kind import ImageKind
from maskwright.models import catalog
from maskwright.models.catalog import Availability
from maskwright.operations.beginning import card_of, look_at, models_for, source_of, words_of
from maskwright.project import Project, ScannedImage


@pytest.fixture(autouse=True)
def no_models_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalog.FOLDER_VARIABLE, str(tmp_path / "models"))


def project_of(folder: Path, pixels: np.ndarray) -> Project:
    (folder / "images").mkdir(parents=True)
    names = [f"{index}.png" for index in range(3)]
    for name in names:
        Image.fromarray(pixels).save(folder / "images" / name)
    project = Project.create(folder / "set.maskwright", image_root=folder / "images")
    project.images.add(ScannedImage(name, pixels.shape[1], pixels.shape[0]) for name in names)
    return project


def test_plain_grey_images_are_for_the_bundled_model(tmp_path: Path) -> None:
    pixels = np.full((96, 128, 3), 12, np.uint8)
    pixels[20:40, 20:40] = 180

    with project_of(tmp_path, pixels) as project:
        beginning = look_at(project)

    assert beginning.kind is ImageKind.MICROGRAPH
    assert [(each.name, each.availability) for each in beginning.models] == [("nuclei", Availability.BUNDLED)]
    assert source_of(beginning.models[0]) == "nuclei"


def test_colourful_images_are_for_none_that_comes_with_the_program(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1)

    with project_of(tmp_path, pixels) as project:
        beginning = look_at(project)

    assert beginning.kind is ImageKind.PHOTOGRAPH
    assert "nuclei" not in {each.name for each in beginning.models}
    assert {each.availability for each in beginning.models} == {Availability.ABSENT}


def test_a_project_without_readable_images_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with Project.create(tmp_path / "set.maskwright", image_root=tmp_path / "images") as project:
        assert look_at(project).kind is None
        project.images.add([ScannedImage("gone.png", 5, 5)])
        assert look_at(project).kind is None


def test_a_model_is_known_by_its_name_and_by_its_file() -> None:
    known = card_of("nuclei")

    assert known is not None and known.suits(ImageKind.MICROGRAPH) and not known.suits(ImageKind.PHOTOGRAPH)
    assert card_of("/elsewhere/nuclei.xml") is None
    assert models_for(None) == ()
    assert words_of(["photograph", "micrograph"]) == "micrographs or photographs"
