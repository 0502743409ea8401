"""Assistants of two files: in the catalogue, brought by hand, converted, checked, in eight bits."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import maskwright as mw
from maskwright.assist.sam.backend import SamBackend
from maskwright.assist.view import BackendAssistant
from maskwright.cli.app import app
from maskwright.errors import ModelError
from maskwright.inference.files import with_other_half
from maskwright.inference.installed import FOLDER_VARIABLE
from maskwright.models.catalog import (
    ASSISTANTS,
    Availability,
    all_cards,
    listed_assistants,
    listed_models,
    remove,
    verify,
)
from maskwright.models.convert import converted_pair
from maskwright.models.install import add_file, get_model
from maskwright.models.quantise import quantise
from tiny_models import yolact
from tiny_sam import CELLS, SIDE, decoder, encoder

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 64, 3), np.uint8)
POINTS = {"point_coords": (1, -1, 2), "point_labels": (1, -1)}
MASK = {"mask_input": (1, 1, CELLS, CELLS), "has_mask_input": (1,)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    return saved(tmp_path / "brought", "tiny.encoder.xml", "tiny.decoder.xml")


def saved(folder: Path, encoder_name: str, decoder_name: str) -> list[Path]:
    folder.mkdir()
    encoder(folder / encoder_name, "x", (1, 3, 64, 64))
    shapes = {"masks": (1, 1, CELLS, CELLS), "low_res_masks": (1, 1, CELLS, CELLS)}
    inputs = {"image_embeddings": (1, 5, SIDE, SIDE), **POINTS, **MASK, "orig_im_size": (2,)}
    decoder(folder / decoder_name, inputs, shapes, ("iou_predictions", [0.7]))
    return [folder / encoder_name, folder / decoder_name]


def logits(assistant: BackendAssistant) -> np.ndarray:
    outline = assistant.open(IMAGE).outline([(20, 10)])
    assert outline.soft is not None
    return outline.soft.logits


def test_assistants_of_the_catalogue_say_where_they_come_from_and_can_be_checked() -> None:
    cards = [card for card in all_cards() if card.family in ASSISTANTS and not card.is_bundled]
    assert {card.family for card in cards} == {"sam", "sam2", "sam_hq", "efficient_sam"}
    for card in cards:
        assert card.license == "Apache-2.0"
        assert card.source.startswith("https://")
        assert bool(card.by_hand) != bool(card.files)
        assert card.by_hand or len(card.files) == 2
        assert all(len(file.sha256) == 64 for file in card.files)


def test_assistants_are_listed_apart_from_models_that_propose(pair: list[Path]) -> None:
    add_file(pair[0])
    assert "tiny" not in {model.name for model in listed_models()}
    listed = {model.name: model.availability for model in listed_assistants()}
    assert listed["tiny"] is Availability.INSTALLED
    assert listed["assist"] is Availability.BUNDLED
    assert listed["mobile-sam"] is Availability.ABSENT


def test_what_cannot_be_checked_is_not_downloaded() -> None:
    with pytest.raises(ModelError, match="mobile-sam has no known checksum"):
        get_model("mobile-sam")


@pytest.mark.parametrize("half", [0, 1], ids=["encoder", "decoder"])
def test_either_file_of_a_pair_installs_both(pair: list[Path], half: int) -> None:
    model = add_file(pair[half], name="mine")
    assert (model.family, len(with_other_half(model.path))) == ("sam", 2)
    assert np.allclose(logits(mw.load_assistant("mine")), logits(mw.load_assistant(pair)), atol=0.05)


@pytest.mark.parametrize(
    "names",
    [
        ("vision_encoder.xml", "prompt_encoder_mask_decoder.xml"),
        ("net_preprocess.xml", "net.xml"),
        ("SAM-Encoder.xml", "SAM-Decoder.xml"),
    ],
    ids=["transformers", "osam", "capitals"],
)
def test_pairs_are_found_by_the_names_that_exporters_give(tmp_path: Path, names: tuple[str, str]) -> None:
    for path in saved(tmp_path / "named", *names):
        backend = mw.load_assistant(path).backend
        assert isinstance(backend, SamBackend)
        assert len(with_other_half(add_file(path, name="mine").path)) == 2


def test_half_of_a_pair_is_not_installed(pair: list[Path], folder: Path) -> None:
    pair[1].unlink()
    with pytest.raises(ModelError, match="its decoder is missing"):
        add_file(pair[0])
    assert not folder.exists() or list(folder.iterdir()) == []


def test_two_files_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    paths = [yolact(tmp_path / "some_encoder.xml"), yolact(tmp_path / "some_decoder.xml")]
    with pytest.raises(ModelError, match="not an encoder and decoder of a known kind"):
        converted_pair(paths, tmp_path / "out", name="odd")
    assert not (tmp_path / "out").exists()


def test_a_decoder_that_was_changed_is_noticed(pair: list[Path]) -> None:
    model = add_file(pair[0], name="mine")
    verify(model)
    weights = model.path.with_name("mine-decoder.bin")
    weights.write_bytes(bytes(len(weights.read_bytes())))
    with pytest.raises(ModelError, match="changed or damaged"):
        verify(model)
    remove("mine")
    with pytest.raises(ModelError, match="no installed assistant called mine"):
        mw.load_assistant("mine")


def test_adding_a_pair_can_be_taken_back(pair: list[Path], folder: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_file(pair[0], name="mine", check=stop)
    assert not folder.exists() or list(folder.iterdir()) == []


def test_an_encoder_in_eight_bits_keeps_its_decoder(pair: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("nncf", exc_type=ImportError)
    images = [tmp_path / f"{number}.png" for number in range(10)]
    for path in images:
        cv2.imwrite(str(path), IMAGE)
    made = quantise(pair[0], images, tmp_path / "out")
    assert made.name == "tiny-int8-encoder.xml"
    assert np.allclose(logits(mw.load_assistant(made)), logits(mw.load_assistant(pair)), rtol=0.05, atol=1)


def test_an_assistant_is_not_judged_as_a_model_is(pair: list[Path], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    command = ["models", "quantize", str(pair[0]), str(tmp_path / "images"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*command, "--truth", str(tmp_path / "truth.json")])
    assert result.exit_code != 0
    assert not (tmp_path / "out").exists()


def test_commands_convert_add_list_and_show(pair: list[Path], tmp_path: Path) -> None:
    shutil.copytree(pair[0].parent, tmp_path / "again")
    made = CliRunner().invoke(app, ["models", "convert", str(pair[0]), "--out", str(tmp_path / "ir")])
    assert made.stdout.replace("\n", "").endswith("tiny-encoder.xml")
    assert CliRunner().invoke(app, ["models", "get", str(pair[1]), "--name", "mobile-sam"]).exit_code == 0
    listed = CliRunner().invoke(app, ["models", "list", "--json"]).stdout
    assert '"kind": "assistant"' in listed
    assert "sha256 5557482c" in CliRunner().invoke(app, ["models", "show", "sam2.1-tiny"]).stdout
    assert "X-AnyLabeling" in CliRunner().invoke(app, ["models", "show", "mobile-sam"]).stdout
