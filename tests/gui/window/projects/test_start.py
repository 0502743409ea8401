"""A new project offers three ways to begin; no model runs on what it is plainly wrong for without asking."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright_gui.app import Workbench
from maskwright_gui.features.start import StartCard
from maskwright_gui.menu_letters import bare
from maskwright_gui.panels.model import BUNDLED
from project_builders import square

WAIT_MS = 20_000


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    for index in range(3):
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def open_folder(qtbot: QtBot, bench: Workbench, folder: Path) -> None:
    with qtbot.waitSignals([bench.projects.opened, bench.model.fit.known], timeout=WAIT_MS):
        bench.projects.open_path(folder)
    qtbot.waitUntil(lambda: bench.session.image is not None, timeout=WAIT_MS)


def card_of(bench: Workbench) -> StartCard:
    assert bench.start.card is not None
    return bench.start.card


def press(card: StartCard, text: str) -> None:
    next(button for button in card.findChildren(QPushButton) if bare(button.text()) == text).click()


def questions(bench: Workbench) -> list[QMessageBox]:
    return [box for box in bench.window.findChildren(QMessageBox) if box.isVisible()]


def test_photographs_are_offered_a_model_to_get_pointing_and_learning(
    qtbot: QtBot, bench: Workbench, photographs: Path
) -> None:
    open_folder(qtbot, bench, photographs)

    texts = [button.text() for button in card_of(bench).buttons]

    assert texts == ["Get a model…", "Start pointing", "Start with this image"]


def test_pointing_takes_the_tool_and_the_card_goes_for_good(qtbot: QtBot, bench: Workbench, photographs: Path) -> None:
    open_folder(qtbot, bench, photographs)

    press(card_of(bench), "Start pointing")

    assert bench.window.canvas.tool.name == "point"
    assert bench.start.card is None
    bench.projects.close_project()
    open_folder(qtbot, bench, photographs)
    assert bench.start.card is None


def test_escape_takes_the_card_away(qtbot: QtBot, bench: Workbench, photographs: Path) -> None:
    open_folder(qtbot, bench, photographs)

    qtbot.keyClick(card_of(bench), Qt.Key.Key_Escape)

    assert bench.start.card is None


def test_whoever_draws_at_once_is_not_asked(qtbot: QtBot, bench: Workbench, photographs: Path) -> None:
    open_folder(qtbot, bench, photographs)
    category = bench.classes.add("leaf")
    assert category is not None
    bench.session.edit(edits.create(bench.session.new_instance_id(), category.id, [square(5, 5)]), "Draw")
    bench.session.save()

    assert bench.start.card is None
    bench.projects.close_project()
    open_folder(qtbot, bench, photographs)
    assert bench.start.card is None


@pytest.mark.parametrize("runs", ["run_on_image", "batch"])
def test_a_model_is_not_run_on_what_it_is_wrong_for_without_asking(
    qtbot: QtBot, bench: Workbench, photographs: Path, runs: str
) -> None:
    open_folder(qtbot, bench, photographs)
    project = bench.session.project
    assert project is not None and bench.model.choice.source == BUNDLED
    run = bench.model.run_on_image if runs == "run_on_image" else bench.batch.run

    run()

    (box,) = questions(bench)
    assert "look like photographs" in box.text()
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert (len(project.stored.instances.of(1)), project.stored.runs.last()) == (0, None)
    run()
    (box,) = questions(bench)
    next(button for button in box.buttons() if bare(button.text()) == "Run anyway").click()
    qtbot.waitUntil(lambda: len(project.stored.instances.of(1)) == 2, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not bench.inference.batch.is_running, timeout=WAIT_MS)
    run()
    assert questions(bench) == []


def test_a_model_of_ones_own_is_run_without_asking(qtbot: QtBot, bench: Workbench, photographs: Path) -> None:
    open_folder(qtbot, bench, photographs)
    bench.model.choose("tiny.xml")

    bench.model.run_on_image()

    assert questions(bench) == []
    qtbot.waitUntil(lambda: len(bench.session.project.stored.instances.of(1)) == 2, timeout=WAIT_MS)


def test_asked_to_run_before_the_images_were_looked_at_it_waits_for_that(
    qtbot: QtBot, bench: Workbench, photographs: Path
) -> None:
    with qtbot.waitSignal(bench.projects.opened, timeout=WAIT_MS):
        bench.projects.open_path(photographs)
    bench.model.run_on_image()

    qtbot.waitUntil(lambda: len(questions(bench)) == 1, timeout=WAIT_MS)
    questions(bench)[0].button(QMessageBox.StandardButton.Cancel).click()


@pytest.mark.parametrize("width", [1280, 1024, 700])
def test_the_card_shows_all_of_its_words_in_a_window_of_any_width(
    qtbot: QtBot, bench: Workbench, photographs: Path, width: int
) -> None:
    open_folder(qtbot, bench, photographs)
    card = card_of(bench)
    bench.window.resize(width, 700)
    qtbot.waitUntil(lambda: card.width() <= bench.window.canvas.width())
    qtbot.waitUntil(lambda: all(one.height() >= one.heightForWidth(one.width()) for one in card.findChildren(QLabel)))


def test_who_has_begun_already_is_not_asked_how(qtbot: QtBot, bench: Workbench, photographs: Path) -> None:
    bench.projects.opened.connect(lambda: bench.tools.use("point"))
    open_folder(qtbot, bench, photographs)
    assert bench.start.card is None


def test_a_model_file_of_the_users_own_is_offered_where_it_is_chosen_already(
    qtbot: QtBot, bench: Workbench, photographs: Path, tmp_path: Path
) -> None:
    bench.model.choose(str(tmp_path / "own.xml"))
    open_folder(qtbot, bench, photographs)

    assert card_of(bench).buttons[0].text() == "Propose on this image"
    assert any("“own” is the model you used last" in label.text() for label in card_of(bench).findChildren(QLabel))
