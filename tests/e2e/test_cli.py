"""The command line from end to end, in its own process where that matters."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pycocotools.coco import COCO
from typer.testing import CliRunner

import tiny_models
from maskwright import cli
from maskwright.cli.app import app
from maskwright.document.change import Change, UserEffort
from maskwright.document.values import InstanceState
from maskwright.inference.candidate_cache import CandidateCache
from maskwright.inference.model import load_model
from maskwright.project import ModelProposal, Project
from project_builders import drawn, make_project, square, write_image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.yolact(tmp_path_factory.mktemp("model") / "tiny.xml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in range(5):
        write_image(tmp_path / "photos" / f"{index}.png")
    return tmp_path / "photos"


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and standard output."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    return result.exit_code, result.stdout


def run_json(*arguments: object) -> tuple[int, dict[str, object]]:
    code, text = run(*arguments, "--json")
    return code, json.loads(text)


SLOWLY = """
import time
from maskwright.prelabel import stages

def read(path, *arguments, reader=stages.read_image, **options):
    time.sleep(0.05)
    return reader(path, *arguments, **options)

stages.read_image = read
"""


def started(*arguments: object, slowly: bool = False) -> subprocess.Popen[str]:
    """The real program in a process of its own; `slowly`: an image of a batch takes at least a twentieth second."""
    script = f"{SLOWLY if slowly else ''}\nfrom maskwright.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "core"), str(ROOT / "resources")])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_folder_becomes_a_coco_file_and_nothing_else(folder: Path, model: Path, tmp_path: Path) -> None:
    code, report = run_json("prelabel", folder, "--model", model, "--out", tmp_path / "out.json")

    truth = COCO(tmp_path / "out.json")
    assert (code, report["done"], report["failures"]) == (0, 5, [])
    assert [image["file_name"] for image in truth.dataset["images"]] == [f"{index}.png" for index in range(5)]
    assert len(truth.dataset["annotations"]) == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "photos"]


def test_a_project_keeps_the_proposals(folder: Path, model: Path, tmp_path: Path) -> None:
    code, _ = run("prelabel", folder, "--model", model, "--project", tmp_path / "set.maskwright")

    with Project.open(tmp_path / "set.maskwright") as project:
        assert (code, len(project.instances.of(1))) == (0, 2)


def test_a_project_keeps_what_the_window_moves_thresholds_with(folder: Path, model: Path, tmp_path: Path) -> None:
    for option, count in (("--no-candidates", 0), ("--candidates", 5)):
        place = tmp_path / f"set{option}.maskwright"
        run("prelabel", folder, "--model", model, "--project", place, option)
        cache = CandidateCache.of_project(place)
        with Project.open(place) as project:
            found = [cache.get(image.id, project.image_path(image)) for image in project.images.all()]
        assert len([known for known in found if known is not None]) == count


def test_proposals_are_refined_by_an_assistant_when_asked(folder: Path, model: Path, tmp_path: Path) -> None:
    place = tmp_path / "set.maskwright"
    code, report = run_json("prelabel", folder, "--model", model, "--project", place, "--refine", "grabcut")

    assert (code, sum(report["refined"].values())) == (0, 10)
    missing, _ = run("prelabel", folder, "--model", model, "--project", place, "--refine", "no-such-thing")
    assert missing == 1


def test_subfolders_are_looked_into_when_asked(folder: Path, model: Path, tmp_path: Path) -> None:
    write_image(folder / "sub" / "größe.png")

    _, report = run_json("prelabel", folder, "--model", model, "--out", tmp_path / "out.json", "--recursive")

    assert report["done"] == 6
    assert COCO(tmp_path / "out.json").dataset["images"][-1]["file_name"] == "sub/größe.png"


def test_classes_get_the_names_that_are_asked_for(folder: Path, model: Path, tmp_path: Path) -> None:
    labels = [label.name for label in load_model(model).labels]
    renamed = f"{labels[0]}=left side, {labels[1]}="

    run("prelabel", folder, "--model", model, "--out", tmp_path / "out.json", "--map", renamed)

    truth = COCO(tmp_path / "out.json").dataset
    assert [category["name"] for category in truth["categories"]] == ["left side"]
    assert len(truth["annotations"]) == 5


def test_bad_files_are_listed_and_the_rest_goes_on(folder: Path, model: Path, tmp_path: Path) -> None:
    whole = (folder / "0.png").read_bytes()
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("hello")
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "locked.png").mkdir()
    Image.new("CMYK", (20, 20)).save(folder / "cmyk.jpg")
    Image.new("I;16", (20, 20)).save(folder / "deep.png")
    Image.new("RGBA", (20, 20)).save(folder / "alpha.png")
    Image.new("L", (20, 20)).save(folder / "grey.gif", save_all=True, append_images=[Image.new("L", (20, 20), 9)])

    code, report = run_json("prelabel", folder, "--model", model, "--out", tmp_path / "out.json")

    reasons = {failure["file_name"]: failure["reason"] for failure in report["failures"]}
    assert (code, report["done"]) == (3, 9)
    assert set(reasons) == {"empty.jpg", "text.jpg", "cut.png"}
    assert "truncated" in reasons["cut.png"]


def test_a_rerun_leaves_a_project_of_the_same_images_in_order(folder: Path, model: Path, tmp_path: Path) -> None:
    for score in (0.5, 0.85):
        run("prelabel", folder, "--model", model, "--project", tmp_path / "set.maskwright", "--score", score)

    with Project.open(tmp_path / "set.maskwright") as project:
        assert [len(project.instances.of(id_)) for id_ in project.images.ids().tolist()] == [1] * 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["none", "-m", "MODEL", "-o", "out.json"], "does not exist", id="no such folder"),
        pytest.param(["hollow", "-m", "MODEL", "-o", "out.json"], "no images in this folder", id="no images"),
        pytest.param(["photos", "-m", "none.xml", "-o", "out.json"], "no such model file", id="no such model"),
        pytest.param(
            ["photos", "-m", "nameless", "-o", "out.json"],
            "no bundled or installed model called nameless",
            id="no such name",
        ),
        pytest.param(["photos", "-m", "MODEL"], "choose where the result goes", id="no output"),
        pytest.param(["photos", "-m", "MODEL", "-o", "out.json", "--classes", "zebra"], "no class zebra", id="class"),
        pytest.param(["photos", "-m", "MODEL", "-p", "other.maskwright"], "other images", id="another project"),
    ],
)
def test_what_cannot_be_done_fails_with_its_reason(
    folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hollow").mkdir()
    Project.create(tmp_path / "other.maskwright", image_root=tmp_path / "hollow").close()

    code, report = run_json("prelabel", *(str(model) if word == "MODEL" else word for word in arguments))

    assert code == 1
    assert message in str(report["error"])


def test_a_model_without_its_weights_or_with_unknown_outputs_says_so(folder: Path, tmp_path: Path) -> None:
    bare = tiny_models.yolact(tmp_path / "bare.xml")
    bare.with_suffix(".bin").unlink()
    odd = tiny_models.saved(tmp_path / "odd.xml", {"image": (1, 3, 8, 8)}, {"heat": [[1.0, 2.0]]})

    code, weights = run_json("prelabel", folder, "-m", bare, "-o", tmp_path / "out.json")
    _, outputs = run_json("prelabel", folder, "-m", odd, "-o", tmp_path / "out.json")

    assert code == 1
    assert "bare.bin is missing" in str(weights["error"])
    assert "heat" in str(outputs["error"])
    assert "yolact" in str(outputs["error"])


def test_wrong_usage_has_its_own_code() -> None:
    assert run("prelabel", "--score", "7")[0] == 2


def test_a_full_disk_at_export_leaves_the_old_file_and_no_rest(
    folder: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    out.write_text("old")
    run("prelabel", folder, "-m", model, "-p", tmp_path / "set.maskwright")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    code, report = run_json("export", tmp_path / "set.maskwright", "-o", out, "--proposals", "--force")

    assert (code, out.read_text()) == (1, "old")
    assert "disk is full" in str(report["error"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "photos", "set.maskwright"]


def test_export_writes_what_a_person_decided(tmp_path: Path) -> None:
    make_project(tmp_path, images=2).close()

    code, report = run_json("export", tmp_path / "set.maskwright", "-o", tmp_path / "out.json")
    _, all_images = run_json(
        "export", tmp_path / "set.maskwright", "-o", tmp_path / "out.json", "--unreviewed", "--force"
    )

    assert (code, report["images"], report["unreviewed"]) == (0, 0, 2)
    assert all_images["images"] == 2


def test_evaluating_a_project_against_its_own_export_is_perfect(folder: Path, model: Path, tmp_path: Path) -> None:
    run("prelabel", folder, "-m", model, "-p", tmp_path / "set.maskwright", "-o", tmp_path / "truth.json")

    for arguments in (["--predictions", tmp_path / "set.maskwright"], ["--model", model, "--images", folder]):
        code, report = run_json("evaluate", tmp_path / "truth.json", *arguments)
        assert (code, report["segm"]["AP50"]) == (0, pytest.approx(1.0))


def test_the_queue_names_the_images_worth_most(folder: Path, model: Path, tmp_path: Path) -> None:
    place = tmp_path / "set.maskwright"
    run("prelabel", folder, "-m", model, "-p", place)

    assert sorted(run_json("queue", place)[1]["images"]) == [f"{index}.png" for index in range(5)]
    assert "both models agree" in run("queue", place, "--order", "disagreement", "--second-model", model)[1]


def test_copies_of_a_project_are_listed_and_brought_back(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        name = project.back_up_daily().name
        project.categories.add("later")

    assert run_json("restore", tmp_path / "set.maskwright")[1]["backups"] == [name]
    assert run("restore", tmp_path / "set.maskwright", name)[0] == 0
    with Project.open(tmp_path / "set.maskwright") as project:
        assert [category.name for category in project.categories.listed()] == ["cell", "cat"]


def test_a_damaged_project_without_copies_is_set_aside(tmp_path: Path) -> None:
    make_project(tmp_path).close()
    file = tmp_path / "set.maskwright" / "project.db"
    file.write_bytes(b"no database" * 1000)
    assert run("queue", file.parent)[0] == 1
    assert run_json("restore", file.parent, "--anew")[0] == 0
    assert not file.exists()
    assert len(list(file.parent.glob("project.db.damaged-*"))) == 1


def test_effort_is_told_for_each_object_and_image_and_can_be_switched_off(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        project.put_proposals(1, [ModelProposal(1, 0.9, (square(side=20),))])
        (found,) = project.instances.of(1)
        edited = replace(found, state=InstanceState.EDITED, polygons=(square(side=19),))
        project.instances.apply(1, Change.of([(found, edited)]), label="Move", gesture=UserEffort(2, 1, 3.0))
        path = project.path

    code, report = run_json("effort", path)
    assert code == 0
    assert report["is_recorded"]
    assert [(one["clicks"], one["keys"], one["seconds"]) for one in report["objects"]] == [(2, 1, 3.0)]
    assert report["objects"][0]["final_iou"] == pytest.approx(19 * 19 / 400)
    assert report["on_images"] == {"1": {"seconds": 3.0, "clicks": 2, "keys": 1}}

    code, report = run_json("effort", path, "--no-record", "--forget")
    assert (code, report["is_recorded"], report["objects"]) == (0, False, [])
    assert run_json("effort", path, "--record")[1]["is_recorded"]


def test_classes_are_listed_renamed_merged_and_parted_again(tmp_path: Path) -> None:
    with make_project(tmp_path) as project:
        project.instances.apply(1, Change.create([drawn(1), drawn(2, category_id=2)]), label="Draw")
        path = project.path

    def listed(*arguments: str) -> list[tuple[object, ...]]:
        code, found = run_json("classes", path, *arguments)
        assert code == 0
        return [(one["name"], one["objects"], one["images"]) for one in found["classes"]]

    assert listed() == [("cell", 1, 1), ("cat", 1, 1)]
    assert listed("--rename", "cat", "dog") == [("cell", 1, 1), ("dog", 1, 1)]
    assert listed("--merge", "Cell", "dog") == [("dog", 2, 1)]
    assert listed("--undo-merge") == [("cell", 1, 1), ("dog", 1, 1)]
    assert run("classes", path, "--undo-merge")[0] == 1
    assert run("classes", path, "--merge", "bird", "dog")[0] == 1


def test_images_are_excluded_by_name_or_pattern_removed_and_taken_back(tmp_path: Path) -> None:
    with make_project(tmp_path, images=3) as project:
        path, names = project.path, [image.file_name for image in project.images.all()]

    def standings(*arguments: str) -> list[str]:
        code, found = run_json("images", path, *arguments)
        assert code == 0
        return [one["standing"] for one in found["images"]]

    assert len(names) > 1
    assert standings() == ["listed"] * len(names)
    assert standings("--exclude", names[0]) == ["excluded", *["listed"] * (len(names) - 1)]
    assert standings("--remove", "*") == ["removed"] * len(names)
    assert standings("--include", names[0], "--include", names[1])[:2] == ["listed", "listed"]


def test_a_pattern_that_no_image_fits_changes_nothing(tmp_path: Path) -> None:
    with make_project(tmp_path, images=3) as project:
        path, name = project.path, next(iter(project.images.all())).file_name
    assert run("images", path, "--exclude", name, "--exclude", "nowhere*")[0] == 1
    assert run_json("images", path)[1]["images"][0]["standing"] == "listed"


def test_version_devices_and_info_answer() -> None:
    assert run("--version")[1].startswith("maskwright ")
    assert "CPU" in run_json("devices")[1]["devices"]
    assert "openvino" in run_json("info")[1]


def test_the_program_names_what_the_window_lacks_where_there_is_no_qt(tmp_path: Path) -> None:
    script = "import sys; sys.modules['PySide6'] = None; from maskwright.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "core"), str(ROOT / "resources")])}
    for arguments in ([], [str(tmp_path)]):
        result = subprocess.run(
            [sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 1
        assert "pip install" in result.stderr


def wait_for_progress(project_path: Path, process: subprocess.Popen[str], *, images: int) -> None:
    """Until `images` of the project are done; fails when the program ends before."""
    for _ in range(600):
        time.sleep(0.05)
        if (project_path / "project.db").exists():
            try:
                with Project.open(project_path, read_only=True) as project:
                    run_ = project.runs.last()
                    if run_ is not None and project.runs.done_count(run_.id) >= images:
                        return
            except Exception as error:  # noqa: BLE001  (the file is being made at this moment)
                assert process.poll() is None, error
        assert process.poll() is None, process.communicate()
    raise AssertionError("no progress within 30 s")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_a_batch_stopped_at_any_moment_is_resumed_without_doing_an_image_twice(
    tmp_path: Path, model: Path, sent: signal.Signals
) -> None:
    count = 240  # twelve seconds of them
    for index in range(count):
        write_image(tmp_path / "photos" / f"{index:03d}.png", size_wh=(600, 400))
    place = tmp_path / "out.json.maskwright"
    arguments = ("prelabel", tmp_path / "photos", "-m", model, "-o", tmp_path / "out.json", "--threads", "1")
    process = started(*arguments, slowly=True)
    wait_for_progress(place, process, images=5)
    process.send_signal(sent)
    output = process.communicate(timeout=60)

    assert process.returncode == (-signal.SIGKILL if sent == signal.SIGKILL else 130), output
    with Project.open(place) as project:
        done = project.runs.done_count(1)
        assert 5 <= done < count
        ids = {id_: [instance.id for instance in project.instances.of(id_)] for id_ in range(1, count + 1)}
    process = started(*arguments, "--resume", "--json")
    report = json.loads(process.communicate(timeout=120)[0])

    assert (process.returncode, report["done"], report["remaining"]) == (0, count, 0)
    written = {annotation["id"] for annotation in COCO(tmp_path / "out.json").dataset["annotations"]}
    assert len(written) == 2 * count
    assert {id_ for kept in ids.values() for id_ in kept} <= written
    assert not place.exists()


def test_a_path_on_a_share_that_hangs_is_left_to_the_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    share = threading.Event()
    monkeypatch.setattr(cli, "ANSWER_S", 0.01)
    monkeypatch.setattr(Path, "exists", lambda _path: share.wait())
    assert cli.is_path("/share/images")
    share.set()
    monkeypatch.undo()
    assert cli.is_path(str(tmp_path))
    assert not cli.is_path("prelabl")


@pytest.mark.parametrize("command", ["export", "prelabel", "convert"])
def test_nothing_is_written_over_without_force(command: str, folder: Path, model: Path, tmp_path: Path) -> None:
    make_project(tmp_path / "p", images=2).close()
    coco, out = tmp_path / "in.json", tmp_path / "out.json"
    coco.write_text(json.dumps({"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}))
    out.write_text("mine")
    arguments: dict[str, tuple[object, ...]] = {
        "export": ("export", tmp_path / "p" / "set.maskwright", "-o", out),
        "prelabel": ("prelabel", folder, "-m", model, "-o", out),
        "convert": ("convert", coco, out, "--to", "coco"),
    }

    code, report = run_json(*arguments[command])
    assert (code, out.read_text()) == (1, "mine")
    assert "a file of 4 bytes" in str(report["error"])

    assert run_json(*arguments[command], "--force")[0] == 0
    assert "categories" in json.loads(out.read_text())
