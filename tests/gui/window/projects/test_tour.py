"""The tour: begins on the samples by itself, goes on when a step has been done, and never comes again unasked."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.samples.project import open_sample_project
from maskwright_gui.app import Workbench
from maskwright_gui.features.tour import STEPS, TourCard
from maskwright_gui.messages import Message
from project_builders import square

WAIT_MS = 20_000


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    with open_sample_project(tmp_path / "samples") as project:
        return project.path


def open_samples(qtbot: QtBot, bench: Workbench, samples: Path) -> None:
    with qtbot.waitSignal(bench.projects.opened, timeout=WAIT_MS):
        bench.projects.open_path(samples)
    qtbot.waitUntil(lambda: bench.session.image is not None, timeout=WAIT_MS)


def card_of(bench: Workbench) -> TourCard:
    assert bench.tour.card is not None
    return bench.tour.card


def press(card: TourCard, text: str) -> None:
    next(button for button in card.findChildren(QPushButton) if button.text() == text).click()


def texts(card: TourCard) -> str:
    return "\n".join(label.text() for label in card.findChildren(QLabel))


@pytest.mark.parametrize("width", [1440, 1024], ids=["wide", "narrow"])
def test_messages_leave_the_card_free(qtbot: QtBot, bench: Workbench, samples: Path, width: int) -> None:
    open_samples(qtbot, bench, samples)
    bench.window.resize(width, 700)
    bench.window.toasts.show_message(Message("Something to know", "With a detail.", stays=True))
    card, toasts = card_of(bench), bench.window.toasts
    qtbot.waitUntil(lambda: toasts.isVisible() and card.isVisible())
    places = [QRect(each.mapToGlobal(QPoint(0, 0)), each.size()) for each in (card, toasts)]
    assert not places[0].intersects(places[1])

    press(card, "End the tour")
    toasts.show_message(Message("Another thing to know", stays=True))
    assert len(toasts.messages) == 2


def test_each_step_is_over_when_it_has_been_done(qtbot: QtBot, bench: Workbench, samples: Path) -> None:
    open_samples(qtbot, bench, samples)
    session = bench.session
    assert "Press I" in texts(card_of(bench))
    assert bench.start.card is None, "one thing at a time"

    bench.model.run_on_image()
    qtbot.waitUntil(lambda: bench.tour.number == 1, timeout=WAIT_MS)
    proposal = next(iter(session.document))
    session.select(frozenset([proposal.id]))
    assert bench.tour.number == 2
    bench.proposals.accept()
    assert bench.tour.number == 3
    session.edit(edits.create(session.new_instance_id(), proposal.category_id, [square(5, 5)]), "Draw")
    assert bench.tour.number == 4
    bench.images.next_image()

    assert bench.tour.number == len(STEPS)
    assert "Ctrl+K finds any action" in texts(card_of(bench))
    press(card_of(bench), "Finish")
    assert bench.tour.card is None


def test_a_tour_that_was_ended_comes_again_only_when_asked_for(qtbot: QtBot, bench: Workbench, samples: Path) -> None:
    open_samples(qtbot, bench, samples)
    press(card_of(bench), "End the tour")
    bench.projects.close_project()
    open_samples(qtbot, bench, samples)
    assert not bench.tour.is_on

    bench.window.actions_table["tour"].trigger()

    assert bench.tour.number == 0
    press(card_of(bench), "Skip this step")
    assert "Step 2 of 5" in texts(card_of(bench))


def test_a_folder_of_ones_own_has_no_tour(opened: Workbench) -> None:
    assert not opened.tour.is_on
