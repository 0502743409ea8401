"""A class for a new outline is offered in the window, never forced."""

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QSettings
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.values import Instance, InstanceState
from maskwright.errors import ModelError
from maskwright_gui.app import Workbench
from maskwright_gui.features.suggest import Describer
from project_builders import square


def seen(_describer: Describer, _image_id: int, instances: Any, _monitor: Any) -> list[tuple[Instance, np.ndarray]]:
    """Objects in the left half look one way, those in the right another."""
    described = []
    for one in instances:
        descriptor = np.full(8, 5, np.float32) + np.random.default_rng(one.id).normal(0, 0.05, 8).astype(np.float32)
        descriptor[0 if one.bounds_xyxy[0] < 32 else 1] += 2
        described.append((one, descriptor))
    return described


@pytest.fixture
def drawing(qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """Three objects of class left, three of class right; left is the current one."""
    monkeypatch.setattr(Describer, "objects", seen)
    opened.classes.add("left")
    opened.classes.add("right")
    left, right = opened.session.classes.listed
    for number in range(3):
        draw(qtbot, opened, 2 + 5 * number, left.id)
        draw(qtbot, opened, 40 + 5 * number, right.id)
    assert opened.suggest.offer is None
    return opened


def draw(qtbot: QtBot, bench: Workbench, x: float, category_id: int) -> Instance:
    made = Instance(bench.session.new_instance_id(), category_id, (square(x, 20, 4),))
    bench.session.edit(Change.create([made]), "Draw")
    qtbot.waitUntil(lambda: not bench.suggest.is_working, timeout=20_000)
    return made


def test_another_class_is_offered_and_one_press_takes_it(qtbot: QtBot, drawing: Workbench) -> None:
    left, right = drawing.session.classes.listed
    made = draw(qtbot, drawing, 56, left.id)
    assert drawing.suggest.offer == (made.id, right.id)
    assert drawing.window.actions_table["take_class"].isEnabled()
    drawing.window.actions_table["take_class"].trigger()
    assert drawing.session.document is not None
    assert drawing.session.document[made.id].category_id == right.id
    assert drawing.session.document[made.id].state is InstanceState.DRAWN
    assert drawing.suggest.offer is None
    drawing.session.history.undo()
    assert drawing.session.document[made.id].category_id == left.id


def test_nothing_is_offered_where_the_class_is_the_likely_one(qtbot: QtBot, drawing: Workbench) -> None:
    draw(qtbot, drawing, 56, drawing.session.classes.listed[1].id)
    assert drawing.suggest.offer is None


def test_the_next_step_and_the_next_image_withdraw_the_offer(qtbot: QtBot, drawing: Workbench) -> None:
    made = draw(qtbot, drawing, 56, drawing.session.classes.listed[0].id)
    assert drawing.suggest.offer is not None
    drawing.session.history.undo()
    assert drawing.suggest.offer is None
    assert drawing.session.document is not None
    assert made.id not in drawing.session.document
    draw(qtbot, drawing, 50, drawing.session.classes.listed[0].id)
    drawing.images.next_image()
    assert drawing.suggest.offer is None


def test_it_can_be_switched_off_for_good(qtbot: QtBot, drawing: Workbench, settings: QSettings) -> None:
    drawing.window.actions_table["suggest_classes"].trigger()
    draw(qtbot, drawing, 56, drawing.session.classes.listed[0].id)
    assert drawing.suggest.offer is None
    assert settings.value("assist/suggests_classes", type=bool) is False


def test_an_assistant_that_does_not_describe_disturbs_nobody(
    qtbot: QtBot, drawing: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ModelError("this assistant cannot compare objects")

    monkeypatch.setattr(Describer, "objects", fails)
    told = len(drawing.window.toasts.messages)
    draw(qtbot, drawing, 56, drawing.session.classes.listed[0].id)
    assert (drawing.suggest.offer, len(drawing.window.toasts.messages)) == (None, told)
