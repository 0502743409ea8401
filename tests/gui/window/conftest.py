"""A window on its own settings and home, closed after each test."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, QThread
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

import tiny_models
from maskwright.document.change import Change
from maskwright.inference.model import Model, load_model
from maskwright_gui import link
from maskwright_gui.app import Workbench
from maskwright_gui.dialogs.unsaved import Leaving, UnsavedDialog
from maskwright_gui.main_window import DEFAULT_SIZE
from maskwright_gui.workers import executor, worker
from maskwright_gui.workers.inference import Loader
from maskwright_gui.workers.worker import left_behind
from project_builders import drawn, square
from window_support import GatedModel, image_folder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is not a share that hangs."""
    monkeypatch.setattr(executor, "PATIENCE_S", 60.0)
    monkeypatch.setattr(executor, "LONGEST_S", 60.0)
    monkeypatch.setattr(link, "SAVE_S", 60.0)
    monkeypatch.setattr(worker, "END_S", 60.0)
    # A test that fails with edits unsaved must not wait for an answer when its window is closed.
    monkeypatch.setattr(UnsavedDialog, "exec", lambda dialog: dialog._leave(Leaving.LOSE))


@pytest.fixture(autouse=True)
def no_file_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialog of the system waits for ever; a test that needs an answer gives it itself."""
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_, **__: "")
    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, lambda *_, **__: ("", ""))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Finds the left half as class 1 (0.9) and the right half as class 2 (0.8) in whatever it sees."""
    return load_model(tiny_models.yolact(tmp_path_factory.mktemp("model") / "tiny.xml"))


@pytest.fixture
def model(tiny_model: Model) -> Iterator[GatedModel]:
    gated = GatedModel(tiny_model)
    yield gated
    gated.gate.set()


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def loader(model: GatedModel) -> Loader:
    """Whatever model is chosen, it is the gated one; a module may override this to load real files."""
    return lambda _choice: model  # type: ignore[return-value]  # acts like one


@pytest.fixture
def bench(qtbot: QtBot, settings: QSettings, model: GatedModel, loader: Loader) -> Iterator[Workbench]:
    bench = Workbench(settings, load=loader)
    qtbot.addWidget(bench.window)
    bench.window.resize(DEFAULT_SIZE)  # the offscreen screen is smaller
    bench.window.show()
    qtbot.waitExposed(bench.window)
    yield bench
    model.gate.set()
    bench.stop()
    require_ended([*left_behind(), *bench.window.findChildren(QThread)])


def require_ended(threads: Iterable[QThread]) -> None:
    """Qt ends the whole process if one still runs when it is deleted, at the latest when the process ends.

    A thread that was left behind in a call that hung has to be let go by its test, and needs a moment from there.
    """
    running = [type(thread).__name__ for thread in threads if not thread.wait(60_000)]
    assert not running, f"still running: {running}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return image_folder(tmp_path / "images", 6)


@pytest.fixture
def opened(qtbot: QtBot, bench: Workbench, folder: Path) -> Workbench:
    """The window on a folder of six images of 64 x 48, the first one on the canvas."""
    with qtbot.waitSignals([bench.projects.opened, bench.projects.images_added], timeout=20_000):
        bench.projects.open_path(folder)
    qtbot.waitUntil(lambda: bench.images.on_screen == 1)
    bench.window.canvas.setFocus()
    return bench


@pytest.fixture
def labelled(qtbot: QtBot, opened: Workbench) -> Workbench:
    """All six images pre-labelled at 0.5: a proposal of 0.9 on the left half of each, one of 0.8 on the right."""
    with qtbot.waitSignal(opened.inference.batch.done, timeout=30_000):
        opened.batch.run()
    qtbot.waitUntil(lambda: len(opened.session.document) == 2)
    return opened


@pytest.fixture
def classed(opened: Workbench) -> Workbench:
    """A cell (1) and a cat (2) on the image on screen."""
    session = opened.session
    session.project.stored.ensure_categories([(1, "cell"), (2, "cat")])
    session.classes.reload()
    assert [session.new_instance_id() for _ in range(2)] == [1, 2]
    session.edit(Change.create([drawn(1), drawn(2, square(20), category_id=2)]), "Draw")
    return opened
