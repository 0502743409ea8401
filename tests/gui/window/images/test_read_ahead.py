"""The neighbours of the image on screen are known before they are shown, and never as they were before an edit."""

import threading
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from maskwright.document.change import Change
from maskwright.document.document import Document
from maskwright.document.values import ImageState, Instance
from maskwright.geometry.polygon import Polygon
from maskwright.project.instances import InstanceRepository
from maskwright_gui.app import Workbench
from maskwright_gui.main_window import Later


@pytest.fixture
def drawn(opened: Workbench) -> Workbench:
    opened.classes.add("thing")
    return opened


def square(bench: Workbench, *, at: float = 5.0) -> Instance:
    ring = Polygon.of([(at, at), (at + 10, at), (at + 10, at + 10), (at, at + 10)])
    return Instance(bench.session.new_instance_id(), bench.session.classes.listed[0].id, (ring,))


def await_neighbour(qtbot: QtBot, bench: Workbench, image_id: int = 2) -> None:
    qtbot.waitUntil(lambda: bench.session.neighbour(image_id) is not None)


def test_the_next_image_is_read_beforehand(qtbot: QtBot, drawn: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    await_neighbour(qtbot, drawn)
    assert drawn.session.project is not None
    known = drawn.session.neighbour(2)
    read = InstanceRepository.document

    def of_others(self: InstanceRepository, image_id: int) -> Document:
        return read(self, image_id) if image_id != 2 else pytest.fail("it was known")

    monkeypatch.setattr(InstanceRepository, "document", of_others)  # the one after it is read meanwhile
    drawn.images.next_image()
    assert drawn.session.document is known


def test_what_another_thread_wrote_is_shown(qtbot: QtBot, drawn: Workbench) -> None:
    await_neighbour(qtbot, drawn)
    new = square(drawn)
    assert drawn.session.project is not None
    drawn.session.project.stored.instances.apply(2, Change.create([new]), label="Draw")
    drawn.session.project.stored.images.set_state(2, ImageState.DONE)

    drawn.images.next_image()

    assert drawn.session.document is not None
    assert new.id in drawn.session.document
    assert drawn.session.image is not None
    assert drawn.session.image.state is ImageState.DONE


def test_an_edit_that_is_not_written_yet_is_shown(qtbot: QtBot, drawn: Workbench) -> None:
    await_neighbour(qtbot, drawn)
    new = square(drawn)
    drawn.session.edit_image(2, Change.create([new]), "Paste")
    drawn.images.next_image()
    assert drawn.session.document is not None
    assert new.id in drawn.session.document


def test_an_edit_that_is_written_while_its_image_is_read_is_shown(
    drawn: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, project, is_read = drawn.session, drawn.session.project, threading.Event()
    assert project is not None
    apply, document = InstanceRepository.apply, InstanceRepository.document

    def write_when_read(*arguments: Any, **named: Any) -> None:
        is_read.wait(20)
        apply(*arguments, **named)

    def read_and_then_write(instances: InstanceRepository, image_id: int) -> Document:
        known = document(instances, image_id)
        is_read.set()
        session.save()
        return known

    monkeypatch.setattr(InstanceRepository, "apply", write_when_read)
    monkeypatch.setattr(InstanceRepository, "document", read_and_then_write)
    new = square(drawn)
    session.edit_image(5, Change.create([new]), "Paste")
    assert new.id in session.document_of(5)


def test_lists_show_the_image_that_is_edited_at_once(qtbot: QtBot, drawn: Workbench) -> None:
    drawn.session.edit(Change.create([square(drawn), square(drawn, at=20)]), "Draw")
    drawn.images.next_image()
    new = square(drawn)
    drawn.session.edit(Change.create([new]), "Draw")
    model = drawn.objects.panel.model
    assert [model.id_at(row) for row in range(model.rowCount())] == [new.id]


def test_a_selection_right_after_the_step_reaches_the_list(qtbot: QtBot, drawn: Workbench) -> None:
    new = square(drawn)
    drawn.session.edit(Change.create([new]), "Draw")
    drawn.images.next_image()
    drawn.images.previous_image()
    drawn.session.select(frozenset({new.id}))
    table = drawn.objects.panel.table.selectionModel()
    qtbot.waitUntil(lambda: [index.row() for index in table.selectedRows()] == [0])


def test_work_put_twice_is_done_once(qtbot: QtBot) -> None:
    later, done = Later(), []
    later.put("list", lambda: done.append("early"))
    later.put("list", lambda: done.append("late"))
    later.flush()
    later.flush()
    assert done == ["late"]
