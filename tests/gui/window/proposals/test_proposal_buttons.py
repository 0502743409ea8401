"""The buttons under the canvas say what they will do, to how many proposals, and do that."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from maskwright.document import edits
from maskwright.document.values import InstanceState
from maskwright.inference.thresholds import Thresholds
from maskwright_gui.app import Workbench
from maskwright_gui.panels.thresholds import ProposalCounts

ACCEPT, BELOW, SHOWN = range(3)


def buttons(bench: Workbench) -> list[QPushButton]:
    bench.window.later.flush()
    return bench.thresholds.strip.findChildren(QPushButton)


def texts(bench: Workbench) -> list[str]:
    return [button.text() for button in buttons(bench)]


def states(bench: Workbench) -> list[InstanceState]:
    return [instance.state for instance in sorted(bench.session.document, key=lambda one: -one.score)]


def test_buttons_say_how_many_they_are_about(labelled: Workbench) -> None:
    assert texts(labelled) == ["Accept 2 above", "None below", "Reject 2 shown"]
    assert [button.isEnabled() for button in buttons(labelled)] == [True, False, True]


def test_what_is_below_the_score_is_rejected_and_nothing_else(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.thresholds.strip.set_thresholds(Thresholds(score=0.85))
    labelled.thresholds.shown.emit(labelled.session.document)
    assert texts(labelled) == ["Accept 1 above", "Reject 1 below", "Reject 2 shown"]

    qtbot.mouseClick(buttons(labelled)[BELOW], Qt.MouseButton.LeftButton)

    assert states(labelled) == [InstanceState.PROPOSED, InstanceState.REJECTED]
    assert texts(labelled) == ["Accept 1 above", "None below", "Reject 1 shown"]


def test_what_is_seen_is_rejected_and_nothing_else(qtbot: QtBot, labelled: Workbench) -> None:
    canvas = labelled.window.canvas
    canvas.navigator.zoom_to_box((0.0, 0.0, 20.0, 20.0))
    assert texts(labelled)[SHOWN] == "Reject 1 shown"

    qtbot.mouseClick(buttons(labelled)[SHOWN], Qt.MouseButton.LeftButton)

    assert states(labelled) == [InstanceState.REJECTED, InstanceState.PROPOSED]
    assert texts(labelled)[SHOWN] == "None shown"


def test_panning_changes_what_is_meant(labelled: Workbench) -> None:
    canvas = labelled.window.canvas
    canvas.navigator.zoom_to_box((0.0, 0.0, 2.0, 2.0))
    assert texts(labelled)[SHOWN] == "None shown"

    canvas.navigator.centre_on(16.0, 24.0)

    assert texts(labelled)[SHOWN] == "Reject 1 shown"


def test_hidden_proposals_are_not_counted(labelled: Workbench) -> None:
    document = labelled.session.document
    labelled.session.edit(edits.set_visible(document, list(document.instances), False), "Hide")
    assert texts(labelled) == ["None above", "None below", "None shown"]


def test_numbers_follow_what_a_slider_shows(qtbot: QtBot, labelled: Workbench) -> None:
    labelled.thresholds.strip.step_score(0.35)
    qtbot.waitUntil(lambda: len(labelled.session.document) == 1)
    assert texts(labelled) == ["Accept 1 above", "None below", "Reject 1 shown"]


def test_without_a_project_nothing_is_offered(labelled: Workbench) -> None:
    labelled.projects.close_project()
    assert texts(labelled) == ["None above", "None below", "None shown"]


def point_at(bench: Workbench, instance_id: int) -> None:
    """At the middle of an object, on the canvas."""
    canvas = bench.window.canvas
    x1, y1, x2, y2 = bench.session.document[instance_id].bounds_xyxy
    x, y = canvas.navigator.viewport.to_screen((x1 + x2) / 2, (y1 + y2) / 2)
    QTest.mouseMove(canvas, QPoint(1, 1))  # the pointer of the test before may rest where this one goes
    QTest.mouseMove(canvas, QPoint(round(x), round(y)))


def by_id(bench: Workbench) -> dict[int, InstanceState]:
    return {instance.id: instance.state for instance in bench.session.document}


def test_a_key_answers_the_proposal_that_the_mouse_points_at(labelled: Workbench) -> None:
    first, second = sorted(by_id(labelled))
    point_at(labelled, second)
    QTest.keyClick(labelled.window.canvas, Qt.Key.Key_Return)
    assert by_id(labelled) == {first: InstanceState.PROPOSED, second: InstanceState.ACCEPTED}
    assert not labelled.session.selection
    point_at(labelled, first)
    QTest.keyClick(labelled.window.canvas, Qt.Key.Key_X)
    assert by_id(labelled)[first] is InstanceState.REJECTED


def test_what_is_selected_is_answered_wherever_the_mouse_points(labelled: Workbench) -> None:
    first, second = sorted(by_id(labelled))
    labelled.session.select(frozenset({first}))
    point_at(labelled, second)
    QTest.keyClick(labelled.window.canvas, Qt.Key.Key_X)
    assert by_id(labelled) == {first: InstanceState.REJECTED, second: InstanceState.PROPOSED}


def test_a_mouse_that_rests_when_the_image_comes_points_at_nothing(labelled: Workbench) -> None:
    first, _ = sorted(by_id(labelled))
    point_at(labelled, first)
    document = labelled.session.document
    labelled.session.document_replaced.emit(document)
    QTest.keyClick(labelled.window.canvas, Qt.Key.Key_Return)
    assert set(by_id(labelled).values()) == {InstanceState.PROPOSED}
    assert len(labelled.session.selection) == 1


def test_the_hint_says_that_a_key_answers_what_is_pointed_at(qtbot: QtBot, labelled: Workbench) -> None:
    first, _ = sorted(by_id(labelled))
    point_at(labelled, first)
    qtbot.waitUntil(lambda: "what you point at" in labelled.window.status.hint)


def test_where_nothing_is_below_the_score_the_button_says_why(labelled: Workbench) -> None:
    assert "neither saved nor exported" in buttons(labelled)[BELOW].toolTip()
    told: list[str] = []
    labelled.proposals.told.connect(lambda message: told.append(message.detail))

    labelled.proposals.reject_below()

    assert "Lower the score to see it." in told[-1]


def test_buttons_keep_their_width_whatever_the_number(labelled: Workbench) -> None:
    wide = [button.width() for button in buttons(labelled)]
    labelled.thresholds.strip.set_counts(ProposalCounts(0, 0, 0))
    labelled.thresholds.strip.layout().activate()
    assert [button.width() for button in buttons(labelled)] == wide
