"""Outlining by pointing and the search for similar objects, while something else goes on."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from fake_assistant import FakeBackend, fake_assistant
from maskwright.assist.like import Gallery
from maskwright.assist.view import BackendAssistant
from maskwright.document.change import Change
from maskwright.document.values import ImageStanding, Instance, InstanceState, Provenance
from maskwright.operations.alike import Examples, Found
from maskwright_gui import feature
from maskwright_gui.app import Workbench
from maskwright_gui.features.alike.searching import Searcher
from maskwright_gui.features.point import assistants
from maskwright_gui.features.point.draft import PointPrompt
from maskwright_gui.workers.executor import NoAnswerError
from maskwright_gui.workers.requests import BatchState
from project_builders import drawn, square
from window_support import GatedModel, coco_with_a_dog

WAIT_MS = 20_000
ORIGIN = Provenance("assist net, like 1 object", "h", 0.0, 1.0, "2026-01-01T00:00:00Z")


@pytest.fixture
def drafting(qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """An object drawn at (5, 5), and a draft of a new one at (40, 30) whose outline is there."""
    monkeypatch.setattr(assistants, "loaded", lambda _name: BackendAssistant(FakeBackend()))
    cell = opened.classes.add("cell")
    assert cell is not None
    opened.session.edit(
        Change.create([drawn(opened.session.new_instance_id(), square(5, 5, 10), category_id=cell.id)]), "Draw"
    )
    opened.tools.use("point")
    click(opened, 40, 30)
    qtbot.waitUntil(lambda: len(opened.window.canvas.tool.overlay().instances) == 1, timeout=WAIT_MS)
    return opened


def click(bench: Workbench, x: float, y: float) -> None:
    canvas = bench.window.canvas
    place = QPoint(*map(round, canvas.navigator.viewport.to_screen(x, y)))
    QTest.mouseMove(canvas, place)
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)


def outlined(bench: Workbench) -> list[Instance]:
    found = [one for one in bench.session.document if one.provenance is not None]
    return [one for one in found if one.provenance.model_name == "assist fake, 1 press"]  # type: ignore[union-attr]


def run_batch(qtbot: QtBot, bench: Workbench, _folder: Path) -> None:
    bench.batch.run()
    qtbot.waitUntil(lambda: bench.batch.state is BatchState.IDLE, timeout=WAIT_MS)


def import_objects(qtbot: QtBot, bench: Workbench, folder: Path) -> None:
    from maskwright_gui.dialogs.import_preview import ImportPreviewDialog

    bench.exchange.look_into(coco_with_a_dog(folder / "in.json", "000.png"))
    qtbot.waitUntil(lambda: bool(bench.window.findChildren(ImportPreviewDialog)), timeout=WAIT_MS)
    with qtbot.waitSignal(bench.exchange.imported, timeout=WAIT_MS):
        bench.window.findChildren(ImportPreviewDialog)[0]._import.click()


def toggle_theme(_qtbot: QtBot, bench: Workbench, _folder: Path) -> None:
    bench.window.actions_table["toggle_theme"].trigger()


def exclude(_qtbot: QtBot, bench: Workbench, _folder: Path) -> None:
    bench.window.actions_table["exclude_image"].trigger()


def refine(qtbot: QtBot, bench: Workbench, _folder: Path) -> None:
    bench.refine.refine_all()
    qtbot.waitUntil(lambda: not bench.refine.is_working, timeout=WAIT_MS)


def delete_the_other(_qtbot: QtBot, bench: Workbench, _folder: Path) -> None:
    session = bench.session
    session.edit(Change.delete([one for one in session.document if one.bounds_xyxy[0] == 5]), "Delete")


@pytest.mark.parametrize(
    "meanwhile", [run_batch, import_objects, toggle_theme, exclude, refine, delete_the_other], ids=lambda f: f.__name__
)
def test_a_draft_survives_what_goes_on_around_it(
    qtbot: QtBot, drafting: Workbench, model: GatedModel, tmp_path: Path, meanwhile: Any
) -> None:
    meanwhile(qtbot, drafting, tmp_path)
    assert len(drafting.window.canvas.tool.overlay().instances) == 1
    click(drafting, 44, 30)
    qtbot.waitUntil(lambda: not drafting.window.canvas.tool._draft.is_waiting, timeout=WAIT_MS)
    drafting.editing.undo()  # the press, not what happened meanwhile
    QTest.keyClick(drafting.window.canvas, Qt.Key.Key_Return)
    (made,) = outlined(drafting)
    assert made.bounds_xyxy[2] - made.bounds_xyxy[0] == 10  # what the second press added is gone
    drafting.editing.undo()
    assert not outlined(drafting)
    assert drafting.session.save()


def test_a_correction_ends_where_the_history_takes_its_object_back(qtbot: QtBot, drafting: Workbench) -> None:
    session, canvas = drafting.session, drafting.window.canvas
    canvas.tool.cancel()
    session.edit(Change.of([(one, None) for one in session.document]), "Delete")
    session.history.undo()
    (base,) = session.document
    session.select(frozenset({base.id}))
    click(drafting, 17, 10)
    qtbot.waitUntil(lambda: canvas.is_busy and not canvas.tool._draft.is_waiting, timeout=WAIT_MS)
    while session.history.undo_label is not None:
        session.history.undo()
    assert len(session.document) == 0
    assert not canvas.is_busy
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    assert len(session.document) == 0


class Looking:
    """Finds three squares; looks until it is let go on."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.assistants: list[str] = []

    def begin(self, _searcher: Searcher, _image_id: int, examples: Any, _monitor: Any) -> Examples:
        gallery = Gallery(np.zeros((1, 4), np.float32), np.ones(1), np.ones(1))
        return Examples(gallery, examples[0].category_id, len(examples), ORIGIN)

    def look(self, searcher: Searcher, _image_id: int, *_: Any) -> list[Found]:
        assert self.gate.wait(20)
        self.assistants.append(searcher.assistant_name)
        return [Found((square(12 * k, 30, 8),), None, 0.9 - 0.1 * k) for k in range(3)]


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    found = Looking()
    monkeypatch.setattr(assistants, "loaded", lambda _name: BackendAssistant(FakeBackend()))
    monkeypatch.setattr(Searcher, "begin", lambda *arguments: found.begin(*arguments))
    monkeypatch.setattr(Searcher, "look", lambda *arguments: found.look(*arguments))
    yield found
    found.gate.set()


@pytest.fixture
def searching(looking: Looking, opened: Workbench) -> Workbench:
    """A search that goes on for something like the one object there is."""
    cell = opened.classes.add("bolt")
    assert cell is not None
    made = Instance(opened.session.new_instance_id(), cell.id, (square(2, 2, 8),))
    opened.session.edit(Change.create([made]), "Draw")
    opened.session.select(frozenset({made.id}))
    opened.alike.find()
    return opened


def finish(qtbot: QtBot, bench: Workbench, looking: Looking) -> None:
    looking.gate.set()
    qtbot.waitUntil(lambda: not bench.alike.is_working, timeout=WAIT_MS)


def proposed(bench: Workbench, image_id: int) -> int:
    return sum(one.state is InstanceState.PROPOSED for one in bench.session.document_of(image_id))


def test_nothing_is_proposed_on_an_image_that_is_excluded_meanwhile(
    qtbot: QtBot, searching: Workbench, looking: Looking
) -> None:
    exclude(qtbot, searching, Path())
    finish(qtbot, searching, looking)
    assert searching.session.image.standing is ImageStanding.EXCLUDED
    assert proposed(searching, 1) == 0


@pytest.mark.parametrize("meanwhile", [import_objects, toggle_theme, run_batch], ids=lambda f: f.__name__)
def test_a_search_survives_what_goes_on_around_it(
    qtbot: QtBot, searching: Workbench, looking: Looking, model: GatedModel, tmp_path: Path, meanwhile: Any
) -> None:
    meanwhile(qtbot, searching, tmp_path)
    before = proposed(searching, 1)
    finish(qtbot, searching, looking)
    qtbot.waitUntil(lambda: proposed(searching, 1) == before + 3, timeout=WAIT_MS)  # once the project answers
    searching.editing.undo()
    assert proposed(searching, 1) == before


def test_what_was_searched_on_an_image_that_is_left_is_proposed_there_alone(
    qtbot: QtBot, searching: Workbench, looking: Looking
) -> None:
    searching.images.next_image()
    qtbot.waitUntil(lambda: searching.images.on_screen == 2)
    finish(qtbot, searching, looking)
    qtbot.waitUntil(lambda: proposed(searching, 1) == 3, timeout=WAIT_MS)
    assert proposed(searching, 2) == 0


def test_a_search_goes_on_with_the_assistant_it_began_with(
    qtbot: QtBot, searching: Workbench, looking: Looking
) -> None:
    finish(qtbot, searching, looking)
    searching.point.choose("another")
    qtbot.waitUntil(lambda: searching.point.assistant_name == "another", timeout=WAIT_MS)
    searching.alike.find_on_next(2)
    finish(qtbot, searching, looking)
    assert looking.assistants == ["bundled"] * 3


def test_a_search_that_is_undone_by_the_history_can_be_brought_back_by_the_slider(
    qtbot: QtBot, searching: Workbench, looking: Looking
) -> None:
    finish(qtbot, searching, looking)
    while searching.session.history.undo_label is not None:
        searching.session.history.undo()
    assert len(searching.session.document) == 0
    searching.alike.bar.slider.setValue(75)
    assert proposed(searching, 1) == 2
    searching.editing.undo()
    assert len(searching.session.document) == 0


@pytest.fixture
def unanswered(opened: Workbench, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A project that does not answer at first when it is asked for another image; whom it refused."""
    document_of, refused = opened.session.document_of, []

    def refusing(image_id: int) -> Any:
        if len(refused) < 2:
            refused.append(image_id)
            raise NoAnswerError(Path())
        return document_of(image_id)

    monkeypatch.setattr(opened.session, "document_of", refusing)
    monkeypatch.setattr(opened.session, "neighbour", lambda _id: None)
    monkeypatch.setattr(feature, "RETRY_MS", 10)
    return refused


def test_what_was_found_is_proposed_once_the_project_answers(
    qtbot: QtBot, searching: Workbench, looking: Looking, unanswered: list[int]
) -> None:
    searching.images.next_image()
    qtbot.waitUntil(lambda: searching.images.on_screen == 2)
    finish(qtbot, searching, looking)
    qtbot.waitUntil(lambda: len(unanswered) == 2)
    qtbot.waitUntil(lambda: proposed(searching, 1) == 3)


def test_what_was_pointed_at_is_made_once_the_project_answers(
    qtbot: QtBot, drafting: Workbench, unanswered: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = drafting.window.canvas
    monkeypatch.setattr(drafting.point.thread_, "ask", lambda _question: None)  # its answer comes below
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    click(drafting, 40, 30)
    QTest.keyClick(canvas, Qt.Key.Key_Return)
    drafting.images.next_image()
    qtbot.waitUntil(lambda: drafting.images.on_screen == 2)
    (accepted,) = drafting.point._unfinished
    outline = fake_assistant().open(np.zeros((48, 64, 3), np.uint8)).outline([(40, 30)], [1])
    prompt = PointPrompt(accepted.draft.serials[-1], 1, tuple(accepted.draft.presses))
    drafting.point._on_answered(prompt, outline, 1.0)
    qtbot.waitUntil(lambda: unanswered == [1, 1])
    qtbot.waitUntil(lambda: len(drafting.session.document_of(1)) == 2)
