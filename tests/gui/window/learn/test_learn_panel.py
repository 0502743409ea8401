"""The learn panel on its own: what its pages show of a plan, a failure, an outcome and the cost of rounds."""

from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from learning_builders import learning_project
from maskwright.errors import MaskwrightError
from maskwright.learning.gate import Figures
from maskwright.learning.learn import LearnOutcome
from maskwright.learning.plan import learning_plan
from maskwright.learning.requirements import pip_install
from maskwright.learning.rounds import RoundRecord
from maskwright.learning.worth import RoundWorth, Worth
from maskwright_gui.features.learn import words
from maskwright_gui.features.learn.dialog import LearnDialog

FIGURES = Figures(f1=0.9, precision=0.91, recall=0.82, ap50=0.9, ap=0.7, score=0.4, images=2, objects=60)


def outcome(figures: Figures | None = FIGURES, *, was_stopped: bool = False) -> LearnOutcome:
    record = RoundRecord(
        number=1, model="set-round-1", model_hash="0", is_installed=True, reason="F1 0.90", base="general",
        classes=("disc",), training=(1,), held_out=(2,), objects=9, seconds=60.0, steps=100,
        at="2026-01-01T00:00:00+00:00", figures=figures,
    )  # fmt: skip
    return LearnOutcome(record, Path("model.xml"), was_stopped, (), 0.4, "cpu", 700)


@pytest.fixture
def panel(qtbot: QtBot) -> LearnDialog:
    dialog = LearnDialog(None)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_list_of_many_classes_takes_the_height_that_there_is(panel: LearnDialog, tmp_path: Path) -> None:
    plan = learning_plan(learning_project(tmp_path, images=1))

    panel.show_plan(replace(plan, objects={f"class {number}": 20 for number in range(40)}), None, None)
    panel.grab()  # lays it out

    assert panel._class_scroll.height() > panel.height() / 2


def test_command_that_mends_a_failure_is_there_to_copy(panel: LearnDialog) -> None:
    command = pip_install("--force-reinstall", '"torch>=2.4"')

    panel.show_failure("Learning failed", MaskwrightError("PyTorch cannot be loaded", hint=command))

    assert panel.install.text() == command
    assert panel.copy_button.isVisible()
    assert panel.notes.text() == ""


def test_advice_after_a_failure_is_no_command(panel: LearnDialog) -> None:
    panel.show_failure("Learning failed", MaskwrightError("not enough memory", hint="close other programs"))

    assert panel.notes.text() == "Close other programs."
    assert not panel.install.isVisible()


def test_model_that_finds_nothing_is_not_said_to_be_all_false() -> None:
    nothing = replace(FIGURES, f1=0.0, precision=0.0, recall=0.0)

    assert words.headline(outcome(nothing)) == "set-round-1 finds none of your objects"


def test_round_that_was_stopped_says_so() -> None:
    assert "Stopped early. Installed: F1 0.90." in words.outcome_text(outcome(was_stopped=True))
    assert "Stopped" not in words.outcome_text(outcome())


def test_only_as_many_rounds_are_plotted_as_have_room_for_their_numbers(panel: LearnDialog) -> None:
    rounds = tuple(RoundWorth(f"round {number}", 5, 2.0, 10.0, FIGURES) for number in range(1, 13))

    panel.worth.show_worth(Worth(rounds, 5, "enough"))

    assert [len(plot.bars.heights) for plot in panel.worth.plots] == [8, 8]
    assert panel.worth.plots[0].bars.labels[-1] == "12"


def test_plot_without_bars_is_not_shown(panel: LearnDialog) -> None:
    panel._ask_worth()

    panel.worth.show_worth(Worth((RoundWorth("round 1", 0, 0.0, 0.0, FIGURES),), 5, "correct some"))

    assert [plot.isVisible() for plot in panel.worth.plots] == [False, True]
