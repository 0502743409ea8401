"""What makes a long round of corrections bearable."""

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.values import ImageState, Instance, InstanceState
from maskwright.geometry.polygon import Polygon
from maskwright.project import Project, scan_folder
from maskwright_gui.app import Workbench
from maskwright_gui.messages import Message
from maskwright_gui.panels.image_delegate import elide_mode
from maskwright_gui.panels.threshold_slider import JumpSlider


def test_a_project_that_was_never_open_here_opens_on_the_first_image_that_is_not_done(
    qtbot: QtBot, bench: Workbench, folder: Path
) -> None:
    with Project.create(folder / ".maskwright", image_root=folder) as project:
        project.images.add(scan_folder(folder))
        for image_id in (1, 2, 4):
            project.images.set_state(image_id, ImageState.DONE)
    with qtbot.waitSignal(bench.projects.opened, timeout=20_000):
        bench.projects.open_path(folder)
    assert bench.session.image.id == 3


def test_only_the_newest_message_offers_undo(opened: Workbench) -> None:
    toasts = opened.window.toasts
    toasts.show_message(Message("Accept all: 3", action_text="Undo", action=lambda: None))
    toasts.show_message(Message("Something else"))
    toasts.show_message(Message("Accept all: 5", action_text="Undo", action=lambda: None))
    assert [message.text for message in toasts.messages] == ["Something else", "Accept all: 5"]


def test_the_same_advice_about_another_image_takes_the_place_of_the_earlier(opened: Workbench) -> None:
    toasts = opened.window.toasts
    for count in (1, 5):
        opened.images._tell_left_open(count, count)
    assert [message.text for message in toasts.messages] == ["5 proposals were not reviewed"]


def test_the_score_moves_by_key(qtbot: QtBot, opened: Workbench) -> None:
    before = opened.thresholds.strip.thresholds.score
    qtbot.keyClick(opened.window.canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert opened.thresholds.strip.thresholds.score == pytest.approx(before - 0.05)


def test_a_press_beside_the_handle_takes_it_there(qtbot: QtBot, opened: Workbench) -> None:
    opened.thresholds.row.need(True)
    QApplication.processEvents()
    slider = next(s for s in opened.thresholds.strip.findChildren(JumpSlider) if s.accessibleName() == "Score")
    place = QPoint(slider.width() * 3 // 4, slider.height() // 2)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=place)
    assert slider.value() == pytest.approx(75, abs=3)
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=place)
    assert slider.value() == pytest.approx(75, abs=3)


def test_the_hint_of_a_selected_proposal_says_how_to_answer_it(opened: Workbench) -> None:
    opened.classes.add("cell")
    shape = (Polygon.of([(5, 5), (25, 5), (5, 25)]),)
    proposal = Instance(900, opened.session.classes.listed[0].id, shape, InstanceState.PROPOSED, score=0.9)
    opened.session.edit(Change.create([proposal]), "Propose")
    opened.session.select(frozenset({900}))
    assert opened.window.canvas.hint.startswith("Enter accepts · Backspace rejects")


def test_numbered_names_keep_their_end_in_sight() -> None:
    assert elide_mode("000000000139.jpg") is Qt.TextElideMode.ElideLeft
    assert elide_mode("kitchen-left.jpg") is Qt.TextElideMode.ElideMiddle


def test_the_end_of_the_list_leads_to_what_is_not_done(qtbot: QtBot, opened: Workbench) -> None:
    opened.session.show_image(6)
    qtbot.keyClick(opened.window.canvas, Qt.Key.Key_Space)
    (message,) = opened.window.toasts.messages
    assert (message.text, message.detail) == ("End of the list", "5 images are not done yet.")
    message.action()
    assert opened.session.image.id == 1


def test_when_all_is_done_export_is_offered(qtbot: QtBot, opened: Workbench) -> None:
    for _ in range(6):
        qtbot.keyClick(opened.window.canvas, Qt.Key.Key_Space)
    assert opened.window.toasts.messages[-1].text == "All images are done"
    assert opened.window.toasts.messages[-1].action_text == "Export…"


def test_a_click_on_a_message_leaves_the_keys_to_the_canvas(qtbot: QtBot, opened: Workbench) -> None:
    canvas, toasts = opened.window.canvas, opened.window.toasts
    toasts.show_message(Message("Something", action_text="Show", action=lambda: None))
    (button,) = toasts.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert opened.window.focusWidget() is canvas


def test_the_tools_have_their_names_until_those_are_switched_off(qtbot: QtBot, bench: Workbench) -> None:
    assert bench.window.tools.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonTextBesideIcon

    bench.window.actions_table["toggle_tool_names"].trigger()

    assert bench.window.tools.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    again = Workbench(bench.settings)
    qtbot.addWidget(again.window)
    assert again.window.tools.toolButtonStyle() is Qt.ToolButtonStyle.ToolButtonIconOnly
    again.stop()
