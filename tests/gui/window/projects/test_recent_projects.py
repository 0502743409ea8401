"""Whoever comes back finds the last projects, and goes on at the image that was left."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from maskwright.project import Project, find_project
from maskwright_gui.app import Workbench
from maskwright_gui.panels.empty_state import EmptyState
from maskwright_gui.recent_projects import MOST, RecentProjects
from window_support import image_folder

Open = Callable[[Path], None]


@pytest.fixture
def open_path(qtbot: QtBot, bench: Workbench) -> Open:
    def open_it(path: Path) -> None:
        with qtbot.waitSignals([bench.projects.opened, bench.projects.images_added], timeout=20_000):
            bench.projects.open_path(path)

    return open_it


def buttons(bench: Workbench) -> list[QPushButton]:
    found = bench.window.findChild(EmptyState).findChildren(QPushButton)
    return [button for button in found if "Continue with" in button.accessibleName() and not button.isHidden()]


def test_reopening_returns_to_the_image_that_was_left(bench: Workbench, open_path: Open, folder: Path) -> None:
    open_path(folder)
    bench.session.show_image(4)
    bench.projects.close_project()

    open_path(folder)

    assert bench.session.image.id == 4


def test_another_start_returns_there_too(
    qtbot: QtBot, bench: Workbench, open_path: Open, folder: Path, settings: QSettings
) -> None:
    open_path(folder)
    bench.session.show_image(3)
    bench.window.close()

    again = Workbench(QSettings(settings.fileName(), QSettings.Format.IniFormat))
    qtbot.addWidget(again.window)
    with qtbot.waitSignal(again.projects.opened, timeout=20_000):
        again.projects.open_path(folder)
    assert again.session.image.id == 3
    again.stop()


def test_an_image_that_is_gone_is_not_missed(bench: Workbench, open_path: Open, folder: Path) -> None:
    open_path(folder)
    bench.recent._recent.note_image(bench.session.project.path, "gone.png")
    bench.recent._left = None
    bench.projects.close_project()

    open_path(folder)

    assert bench.session.image.id == 1


def test_the_empty_page_offers_the_last_projects(
    qtbot: QtBot, bench: Workbench, open_path: Open, folder: Path, tmp_path: Path
) -> None:
    open_path(folder)
    open_path(image_folder(tmp_path / "others", 2))
    bench.projects.close_project()
    offered = buttons(bench)
    assert [button.accessibleName() for button in offered] == ["Continue with others", "Continue with images"]

    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        offered[1].click()

    assert bench.session.project.image_root == folder


def test_the_menu_lists_them_and_rests_on_the_one_that_is_open(
    qtbot: QtBot, bench: Workbench, open_path: Open, folder: Path, tmp_path: Path
) -> None:
    assert not bench.window.actions_table["open_recent"].isEnabled()
    open_path(folder)
    open_path(image_folder(tmp_path / "a & b", 2))
    rows = bench.recent.menu.actions()
    assert [row.isEnabled() for row in rows] == [False, True]
    assert rows[0].text().startswith("a && b")

    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        rows[1].trigger()

    assert bench.session.project.image_root == folder


def test_what_is_gone_can_be_taken_off_the_list(
    qtbot: QtBot, bench: Workbench, open_path: Open, folder: Path, tmp_path: Path
) -> None:
    open_path(folder)
    bench.projects.close_project()
    shutil.rmtree(folder)
    with qtbot.waitSignal(bench.projects.not_opened, timeout=20_000):
        buttons(bench)[0].click()

    (message,) = (one for one in bench.window.toasts.messages if one.action_text == "Remove from the list")
    message.action()

    assert buttons(bench) == []
    assert bench.recent._recent.listed == ()


def choose(monkeypatch: pytest.MonkeyPatch, folder: Path, place: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(place), ""))


def test_a_project_lives_where_the_user_wants(
    qtbot: QtBot, bench: Workbench, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(monkeypatch, folder, tmp_path / "work" / "leaves")
    (tmp_path / "work").mkdir()
    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        bench.window.actions_table["new_project"].trigger()

    assert bench.session.project.path == tmp_path / "work" / "leaves.maskwright"
    assert bench.session.project.name == "leaves"
    tips = [label.toolTip() for label in bench.window.header.findChildren(QLabel)]
    assert any(f"Kept in {bench.session.project.path}" in tip for tip in tips)
    assert not (folder / ".maskwright").exists()


def test_its_images_lead_to_a_project_wherever_it_lives(
    qtbot: QtBot, bench: Workbench, open_path: Open, folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "leaves.maskwright"
    with qtbot.waitSignal(bench.projects.images_added, timeout=20_000):
        bench.projects.make_project(folder, place)
    bench.projects.close_project()

    open_path(folder)

    assert bench.session.project.path == place


@pytest.mark.parametrize("name", ["images/mine.maskwright", "images.maskwright"], ids=["inside", "beside"])
def test_a_visible_project_is_found_where_it_was_never_open(
    bench: Workbench, open_path: Open, folder: Path, tmp_path: Path, name: str
) -> None:
    Project.create(tmp_path / name, image_root=folder).close()

    open_path(folder)

    assert bench.session.project.path == tmp_path / name


def test_a_project_beside_a_folder_that_is_of_other_images_is_left_alone(
    bench: Workbench, open_path: Open, folder: Path, tmp_path: Path
) -> None:
    Project.create(tmp_path / "images.maskwright", image_root=image_folder(tmp_path / "others", 1)).close()

    open_path(folder)

    assert bench.session.project.path == folder / ".maskwright"


def test_several_projects_in_a_folder_are_named(qtbot: QtBot, bench: Workbench, folder: Path) -> None:
    for name in ("a", "b"):
        Project.create(folder / f"{name}.maskwright", image_root=folder).close()
    with qtbot.waitSignal(bench.projects.not_opened, timeout=20_000):
        bench.projects.open_path(folder)

    (message,) = bench.window.toasts.messages
    assert "a.maskwright, b.maskwright" in message.detail
    assert find_project(folder) is None


def test_a_place_that_is_taken_is_not_overwritten(qtbot: QtBot, bench: Workbench, folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "set.maskwright"
    with Project.create(place, image_root=folder) as project:
        project.categories.add("cell")
    with qtbot.waitSignal(bench.projects.not_opened, timeout=20_000):
        bench.projects.make_project(folder, place)

    with Project.open(place) as project:
        assert [category.name for category in project.categories.listed()] == ["cell"]


@pytest.mark.parametrize(
    "stored", ["", "no json", "3", "[1, null]", '[{"path": 3}]', '[{"name": "x"}]'], ids=lambda text: text or "empty"
)
def test_damaged_settings_are_an_empty_list(settings: QSettings, stored: str) -> None:
    settings.setValue("projects/recent", stored)
    assert RecentProjects(settings).listed == ()


def test_the_list_does_not_grow_for_ever(settings: QSettings) -> None:
    recent = RecentProjects(settings)
    for number in range(MOST + 5):
        recent.note_open(Path(f"/projects/{number}"), str(number), Path("/images"))
    assert len(json.loads(settings.value("projects/recent"))) == MOST
    assert recent.listed[0].name == str(MOST + 4)
