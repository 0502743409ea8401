"""Large JPEGs show a reduced picture before the whole one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from maskwright_gui.app import Workbench
from maskwright_gui.commands import images as commands
from maskwright_gui.workers import images, thumbnails
from maskwright_gui.workers.images import ImageLoader, ImageRequest, decode_preview, decode_pyramid


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    x, y = np.meshgrid(np.linspace(0, 255, 1600), np.linspace(0, 255, 1200))
    Image.fromarray(np.stack((x, y, x), axis=-1).astype(np.uint8)).save(path, quality=90)
    return path


def test_preview_comes_before_the_whole_image(qtbot: QtBot, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PREVIEW_FROM_PIXELS", 1_000_000)
    loader, arrived = ImageLoader(), []
    loader.previewed.connect(lambda id_, pyramid: arrived.append(("preview", pyramid.levels[0].width())))
    loader.loaded.connect(lambda id_, pyramid: arrived.append(("whole", pyramid.levels[0].width())))
    loader.start()
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, photo))
    loader.stop()
    assert arrived == [("preview", 750), ("whole", 1600)]


def test_preview_stands_for_the_true_size(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert decode_preview(photo) is None
    monkeypatch.setattr(images, "PREVIEW_FROM_PIXELS", 1_000_000)
    preview = decode_preview(photo)
    assert preview is not None
    assert preview.size_wh == (1600, 1200)


def test_the_neighbours_are_there_at_once_unless_they_are_very_large(
    qtbot: QtBot, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "small.png"
    Image.new("RGB", (40, 30)).save(small)
    monkeypatch.setattr(images, "AHEAD_UP_TO_PIXELS", 1_000_000)
    loader, first = ImageLoader(), tmp_path / "first.png"
    Image.new("RGB", (40, 30)).save(first)
    loader.start()
    loader.request(ImageRequest(1, first), [ImageRequest(2, photo), ImageRequest(3, small)])
    qtbot.waitUntil(lambda: ImageRequest(3, small) in loader._cache, timeout=20_000)
    loader.stop()

    assert loader.request(ImageRequest(3, small)) is not None
    assert loader.request(ImageRequest(2, photo)) is None


def test_the_thumbnail_of_a_large_png_comes_from_the_canvas(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "WHOLE_UP_TO_PIXELS", 1000)
    opened.thumbnails.forget()
    path = opened.session.project.image_path(opened.session.project.image(1))
    assert thumbnails.read_small_image(path, 88) is None
    pyramid = decode_pyramid(path)
    with qtbot.waitSignal(opened.thumbnails.loaded):
        opened.loader.loaded.emit(1, pyramid)
    small = opened.thumbnails.thumbnail(1, path)
    assert small is not None
    assert small.width() == 88


def test_decoding_a_large_image_is_told_while_it_lasts(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "PREVIEW_FROM_PIXELS", 1000)
    told: list[str] = []
    opened.images.work_changed.connect(lambda text, _done, _total: told.append(text))
    opened.session.show_image(5)
    qtbot.waitUntil(lambda: opened.images.on_screen == 5)
    assert told == ["Decoding 0 megapixels", ""]
