"""A project knows the model that it is worked on with."""

from pathlib import Path

from maskwright.inference.installed import model_path
from maskwright.project import Project
from maskwright.project.model_choice import known_model, remember_model


def test_nothing_is_known_before_the_first_model(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path) as project:
        assert known_model(project) is None


def test_the_model_is_known_after_reopening(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path) as project:
        remember_model(project, tmp_path / "mine.xml")
    with Project.open(tmp_path / "p.maskwright") as project:
        assert known_model(project) == str(tmp_path / "mine.xml")


def test_a_bundled_model_goes_by_its_name_wherever_it_is_installed(tmp_path: Path) -> None:
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path) as project:
        remember_model(project, model_path("nuclei"))
        assert known_model(project) == "nuclei"
