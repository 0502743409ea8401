import hashlib
import json
from pathlib import Path

import numpy as np
import openvino
import platformdirs
import pytest
from openvino import opset13
from typer.testing import CliRunner

import tiny_checkpoint
import tiny_models
from maskwright.cli.app import app
from maskwright.errors import ModelError
from maskwright.inference.installed import FOLDER_VARIABLE, installed_model, installed_models
from maskwright.inference.model import load_model
from maskwright.models import install
from maskwright.models.catalog import (
    CardFile,
    ModelCard,
    all_cards,
    card_paths,
    downloads_folder,
    read_card,
    remove,
    verify,
)
from maskwright.models.install import add_file, check_published, get_model, hub_card


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tiny_checkpoint.saved(tmp_path / "net.pth", tiny_checkpoint.yolact_weights(width=2))


def published(path: Path) -> CardFile:
    content = path.read_bytes()
    return CardFile(path.name, len(content), hashlib.sha384(content).hexdigest(), ("http://127.0.0.1:9/x",))


def test_the_catalogue_has_the_two_models_with_checksums() -> None:
    cards = {card.name: card for card in all_cards()}
    for name in ("yolact-resnet50-fpn-pytorch", "mask_rcnn_resnet50_atrous_coco"):
        assert cards[name].files
        assert len(cards[name].files[0].sha384) == 96


def test_every_card_that_ships_is_whole() -> None:
    shipped = {read_card(path).name for path in card_paths()}
    assert shipped == {card.name for card in all_cards()}


def test_a_bundled_card_takes_its_name_from_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "cells" / "card.toml"
    path.parent.mkdir()
    path.write_text(
        "name = 'maskwright-cells'\nfamily = 'yolact'\nlicense = 'CC0'\n"
        "[metrics]\nnote = 'by hand'\n[metrics.val]\n'mask AP' = 0.66"
    )
    card = read_card(path)
    assert (card.name, card.title, card.is_bundled) == ("cells", "maskwright-cells", True)
    assert card.metrics == {"val mask AP": 0.66}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("name = 'x'", id="incomplete"),
        pytest.param("= 3", id="no TOML"),
        pytest.param("name='../x'\ntitle='t'\nfamily='f'\nlicense='l'\nsource='s'", id="name leaves the folder"),
        pytest.param(
            "name='x'\ntitle='t'\nfamily='f'\nlicense='l'\nsource='s'\n"
            "[[files]]\nname='f'\nsize=3\nsha384='00'\nurls=['http://a']",
            id="short checksum",
        ),
    ],
)
def test_a_damaged_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"odd\.toml: not a model card"):
        read_card(path)


def test_a_file_that_is_brought_becomes_a_named_model(checkpoint: Path) -> None:
    model = add_file(checkpoint, name="mine")
    assert installed_models() == (model,)
    assert load_model("mine").family == "yolact"


def test_a_published_file_is_known_by_its_checksum(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = ModelCard("famous", "t", "yolact", "MIT", "s", convert="net.pth", files=(published(checkpoint),))
    monkeypatch.setattr(install, "all_cards", lambda: (card,))
    renamed = checkpoint.rename(checkpoint.with_name("download (1).pth"))
    assert add_file(renamed).name == "famous"


def test_another_file_under_a_published_name_is_noticed(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = ModelCard("famous", "t", "yolact", "MIT", "s", convert="net.pth", files=(published(checkpoint),))
    monkeypatch.setattr(install, "all_cards", lambda: (card,))
    assert check_published(checkpoint) == card.files[0]
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="checksum differs"):
        check_published(checkpoint)


def test_a_damaged_copy_of_a_published_file_is_refused(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = ModelCard("famous", "t", "yolact", "MIT", "s", convert="net.pth", files=(published(checkpoint),))
    monkeypatch.setattr(install, "all_cards", lambda: (card,))
    content = bytearray(checkpoint.read_bytes())
    content[-1] ^= 1  # in the last weight: nothing but the checksum can tell
    checkpoint.write_bytes(content)
    for command in (("get", checkpoint), ("convert", checkpoint, "--out", tmp_path / "ir")):
        code, printed = run(*command, "--json")
        assert code == 1
        assert "the checksum does not" in json.loads(printed)["error"]
    assert installed_models() == ()


def test_a_model_of_the_catalogue_is_converted_after_the_download(
    checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The download itself is tested apart; here the file already lies where it would have arrived."""
    card = ModelCard("famous", "t", "yolact", "MIT", "s", convert="net.pth", files=(published(checkpoint),))
    monkeypatch.setattr(install, "model_card", lambda name: card)
    arrived = folder / ".downloads" / "famous" / "net.pth"
    arrived.parent.mkdir(parents=True)
    checkpoint.rename(arrived)
    model = get_model("famous")
    assert not arrived.parent.exists()
    assert sorted(path.name for path in (folder / "famous").iterdir()) == ["famous.bin", "famous.xml", "installed.json"]
    assert get_model("famous") == model


def test_changed_files_are_noticed(tmp_path: Path) -> None:
    model = add_file(tiny_models.yolact(tmp_path / "tiny.xml"))
    verify(model)
    model.path.with_suffix(".bin").write_bytes(b"0")
    with pytest.raises(ModelError, match="changed or damaged"):
        verify(model)


def test_several_models_live_side_by_side_until_removed(tmp_path: Path) -> None:
    source = tiny_models.yolact(tmp_path / "tiny.xml")
    for name in ("one", "two"):
        add_file(source, name=name)
    remove("one")
    assert [model.name for model in installed_models()] == ["two"]
    assert source.exists()


def test_what_has_arrived_of_a_download_goes_with_the_model(folder: Path) -> None:
    arrived = folder / ".downloads" / "famous" / "net.pth.part"
    arrived.parent.mkdir(parents=True)
    arrived.write_bytes(b"half")
    remove("famous")
    assert not arrived.parent.exists()


def test_downloads_lie_in_the_cache_folder_of_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    assert downloads_folder() == tmp_path / "cache" / "maskwright" / "downloads"


def test_adding_can_be_taken_back_until_the_files_are_in_place(tmp_path: Path, folder: Path) -> None:
    def taken_back() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_file(tiny_models.yolact(tmp_path / "tiny.xml"), check=taken_back)
    assert installed_models() == ()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["absent", "..", "a/b", "", ".downloads"])
def test_only_installed_models_can_be_removed(name: str, folder: Path) -> None:
    folder.mkdir()
    with pytest.raises(ModelError, match="no installed model"):
        remove(name)
    assert folder.exists()


def test_a_damaged_record_hides_its_model_only(tmp_path: Path, folder: Path) -> None:
    source = tiny_models.yolact(tmp_path / "tiny.xml")
    for name in ("one", "two"):
        add_file(source, name=name)
    (folder / "one" / "installed.json").write_text("{")
    assert [model.name for model in installed_models()] == ["two"]
    assert installed_model("one") is None


@pytest.mark.parametrize("address", ["hf://", "hf://a", "hf://a/b/c", "hf://../b"])
def test_addresses_of_the_hub_are_checked(address: str) -> None:
    with pytest.raises(ModelError, match="expected hf://OWNER/NAME"):
        hub_card(address)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["models", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout


def test_commands_add_list_show_verify_and_remove(checkpoint: Path) -> None:
    assert run("get", checkpoint)[0] == 0
    listed = {row["name"]: row["state"] for row in json.loads(run("list", "--json")[1])["models"]}
    assert listed["net"] == "installed"
    assert listed["yolact-resnet50-fpn-pytorch"] == "not installed"
    assert "net.pth" in run("show", "net")[1]
    assert run("verify") == (0, "net: unchanged\n")
    assert run("remove", "net") == (0, "net removed\n")
    assert run("verify", "net")[0] == 1


def test_a_file_that_is_not_there_is_no_name_of_the_catalogue(tmp_path: Path) -> None:
    code, printed = run("get", tmp_path / "absent.pth", "--json")
    assert (code, json.loads(printed)["error"]) == (1, "no such file")


def test_ones_own_cards_join_the_catalogue(folder: Path) -> None:
    folder.mkdir()
    text = "name = '{}'\ntitle = 'ours'\nfamily = 'yolact'\nlicense = 'MIT'\nhub = 'us/ours'"
    for name in ("laboratory", "yolact-resnet50-fpn-pytorch"):
        (folder / f"{name}.toml").write_text(text.format(name))
    cards = {card.name: card.title for card in all_cards()}
    assert cards["laboratory"] == "ours"
    assert cards["yolact-resnet50-fpn-pytorch"] != "ours"


def test_a_list_in_a_pipe_has_one_line_per_model() -> None:
    lines = run("list")[1].splitlines()
    assert len(lines) == 1 + len(all_cards())


def test_the_convert_command_prints_where_the_model_lies(checkpoint: Path, tmp_path: Path) -> None:
    code, printed = run("convert", checkpoint, "--out", tmp_path / "ir", "--json")
    assert code == 0
    found = json.loads(printed)
    assert (found["family"], found["published_as"]) == ("yolact", None)
    image = np.zeros((20, 20, 3), np.uint8)
    assert load_model(found["path"]).predict(image).frame.size_wh == (20, 20)


def test_a_refused_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "odd.pth"
    path.write_bytes(b"\x80\x02cos\nsystem\n.")
    code, printed = run("convert", path, "--out", tmp_path, "--json")
    assert code == 1
    assert "os.system" in json.loads(printed)["error"]


def test_show_prints_sources_and_checksums() -> None:
    code, printed = run("show", "yolact-resnet50-fpn-pytorch")
    assert code == 0
    assert "sha384 7ef5b536" in printed
    assert "published mask AP" in printed


def test_bench_prints_one_row_per_precision(tmp_path: Path) -> None:
    source = tiny_models.yolact(tmp_path / "tiny.xml")
    code, printed = run("bench", source, "--precision", "f32", "--device", "CPU", "--seconds", "0.1", "--json")
    (timing,) = json.loads(printed)["timings"]
    assert (code, timing["runs_in"], timing["failure"]) == (0, "f32", "")
    assert 0 < timing["least_ms"] <= timing["latency_ms"] <= timing["most_ms"]
    assert timing["images_per_s"] > 0


def test_bench_tells_a_quantised_model_beside_the_other(tmp_path: Path) -> None:
    plain = tiny_models.yolact(tmp_path / "plain.xml")
    graph = openvino.Core().read_model(plain)
    for result in graph.get_results()[:1]:
        source = result.input(0).get_source_output()
        bounds = [np.float32(0), np.float32(1)] * 2
        result.input(0).replace_source_output(opset13.fake_quantize(source, *bounds, 256).output(0))
    openvino.save_model(graph, tmp_path / "eight.xml")
    code, printed = run("bench", plain, tmp_path / "eight.xml", "--precision", "f32", "--seconds", "0.1")
    rows = {line.split()[0]: line for line in printed.splitlines()[1:]}
    assert code == 0
    assert "int8 + f32" in rows["eight"]
    assert "int8" not in rows["plain"]


@pytest.mark.parametrize("size", ["640", "x480", "0x480", "axb"])
def test_bench_refuses_what_is_no_size(tmp_path: Path, size: str) -> None:
    code, _ = run("bench", str(tmp_path / "model.xml"), "--size", size)
    assert code == 2


def test_bench_says_which_device_cannot(tmp_path: Path) -> None:
    source = tiny_models.yolact(tmp_path / "tiny.xml")
    _, printed = run("bench", source, "--device", "GPU.77", "--precision", "f32", "--json")
    assert "GPU.77 is not usable" in json.loads(printed)["timings"][0]["failure"]
