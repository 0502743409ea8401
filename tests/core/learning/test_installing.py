"""A learned model among the installed ones: it is on the disk before anybody is told of it."""

from pathlib import Path

import pytest

import tiny_models
from maskwright.learning import installing
from maskwright.learning.installing import install_learned


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "models"
    monkeypatch.setattr(installing, "models_folder", lambda: home)
    monkeypatch.setattr("maskwright.inference.installed.models_folder", lambda: home)
    return home


def test_all_of_it_is_flushed_before_it_has_its_name_and_the_name_after(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[str, bool]] = []
    sync_file, sync_folder = installing.sync_file, installing.sync_folder

    def note(path: Path, sync: object) -> None:
        flushed.append((path.name, (home / "set-round-1").exists()))
        sync(path)  # type: ignore[operator]  # one of the two

    monkeypatch.setattr(installing, "sync_file", lambda path: note(path, sync_file))
    monkeypatch.setattr(installing, "sync_folder", lambda path: note(path, sync_folder))
    model = tiny_models.yolact(tmp_path / "best.xml")

    install_learned(model, 'title = "x"', name="set-round-1", project="set")

    before = {name for name, is_there in flushed if not is_there}
    assert {"set-round-1.xml", "set-round-1.bin", "card.toml", "set-round-1"} <= before
    assert flushed[-1] == ("models", True)
    assert ("installed.json", True) in flushed


@pytest.mark.parametrize("name", ["set-round-1", "set-round-1b"])
def test_what_an_ended_program_left_of_the_round_goes_and_nothing_else(tmp_path: Path, home: Path, name: str) -> None:
    model = tiny_models.yolact(tmp_path / "best.xml")
    for other in (".set-round-1.abc", ".set-round-10.abc", ".other-round-1.abc", "set-round-7"):
        (home / other).mkdir(parents=True)
    install_learned(model, 'title = "x"', name=name, project="set")
    assert sorted(each.name for each in home.iterdir()) == [
        ".other-round-1.abc", ".set-round-10.abc", name, "set-round-7",
    ]  # fmt: skip
