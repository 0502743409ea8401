import json
from pathlib import Path

import pytest
from pycocotools.coco import COCO
from typer.testing import CliRunner

from maskwright.cli import window
from maskwright.cli.app import app
from maskwright.project import Project
from maskwright_resources import resource_path

pytest.importorskip("openvino")
try:
    resource_path("models", "nuclei", "nuclei.xml")
except FileNotFoundError:
    pytest.skip("the bundled model is not here", allow_module_level=True)


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maskwright.cli.demo.has_display", lambda: False)


@pytest.mark.usefixtures("no_display")
def test_demo_without_a_display_leaves_annotations_and_pictures(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--folder", str(tmp_path / "demo")])
    assert result.exit_code == 0, result.output
    coco = COCO(str(tmp_path / "demo" / "annotations.json"))
    assert len(coco.imgs) == 12
    assert len(coco.anns) > 300
    assert len(list((tmp_path / "demo" / "overlays").glob("*.png"))) == 12


@pytest.mark.usefixtures("no_display")
def test_demo_run_again_keeps_a_persons_work(tmp_path: Path) -> None:
    runner = CliRunner()
    runner.invoke(app, ["demo", "--folder", str(tmp_path)])
    with Project.open(tmp_path / "samples.maskwright") as project:
        category = project.categories.add("debris")
    result = runner.invoke(app, ["demo", "--folder", str(tmp_path), "--json"])
    assert json.loads(result.stdout)["images"] == 12
    with Project.open(tmp_path / "samples.maskwright") as project:
        assert category in project.categories.listed()


def test_window_without_a_display_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(window, "has_display", lambda: False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    assert window.open_window(None) == 1
    assert "No display" in capsys.readouterr().err
