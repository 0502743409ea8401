"""Whatever a user does, in whatever order: nothing raises, and the project has what the window shows.

More: `MASKWRIGHT_RANDOM_SEEDS=20 MASKWRIGHT_RANDOM_STEPS=1200 pytest -n 2 tests/gui/window/whole/test_random_work.py`.
"""

import os

import pytest
from pytestqt.qtbot import QtBot

from maskwright.document.document import Document
from maskwright.document.values import Instance
from maskwright_gui.app import Workbench
from random_work import RandomWork, assert_sound

WAIT_MS = 30_000
SEEDS = int(os.environ.get("MASKWRIGHT_RANDOM_SEEDS", "3"))
STEPS = int(os.environ.get("MASKWRIGHT_RANDOM_STEPS", "200"))


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)  # that of the offscreen platform
@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_project_has_what_the_window_shows(qtbot: QtBot, opened: Workbench, seed: int) -> None:
    opened.classes.add("cell")
    work = RandomWork(opened, seed)
    for step in range(1, STEPS + 1):
        work.step()
        if step % 50 == 0:
            _assert_stored(qtbot, opened)
    _assert_undone_and_redone(qtbot, opened)


def _assert_stored(qtbot: QtBot, bench: Workbench) -> None:
    session = bench.session
    _settle(qtbot, bench)
    assert session.project is not None
    if session.image is None:
        session.show_image(int(bench.images.rows.ids[0]))
    image = session.image
    assert image is not None
    project = session.project
    qtbot.waitUntil(
        lambda: instances_of(session.document) == instances_of(project.stored.instances.document(image.id)),
        timeout=WAIT_MS,
    )
    assert_sound(session.document, {category.id for category in session.project.stored.categories.listed()})


def _settle(qtbot: QtBot, bench: Workbench) -> None:
    """Let what runs beside the window come to its end."""
    bench.batch.cancel()
    qtbot.waitUntil(lambda: not bench.classes.is_working and not bench.inference.batch.is_running, timeout=WAIT_MS)
    bench.session.save()


def instances_of(document: Document) -> dict[int, Instance]:
    return dict(document.instances)


def _assert_undone_and_redone(qtbot: QtBot, bench: Workbench) -> None:
    """On an image with steps: all of them taken back and done again lead to the same objects."""
    session = bench.session
    steps = 0
    for image_id in bench.images.rows.ids.tolist():
        session.show_image(image_id)
        _settle(qtbot, bench)
        while session.history.redo() is not None:
            pass
        before = instances_of(session.document)
        count = 0
        while session.history.undo() is not None:
            count += 1
        for _ in range(count):
            assert session.history.redo() is not None
        assert instances_of(session.document) == before
        steps += count
    assert steps
