"""Large JPEGs show a reduced picture before the whole one."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from maskwright.errors import UNEXPECTED, ImageError
from maskwright.images import decode
from maskwright.images.kept import kept_preview
from maskwright_gui.app import Workbench
from maskwright_gui.features.images import pixels
from maskwright_gui.workers import decoding, images, thumbnails
from maskwright_gui.workers.decoding import decode_preview, decode_pyramid
from maskwright_gui.workers.images import ImageLoader, ImageRequest


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    x, y = np.meshgrid(np.linspace(0, 255, 1600), np.linspace(0, 255, 1200))
    Image.fromarray(np.stack((x, y, x), axis=-1).astype(np.uint8)).save(path, quality=90)
    return path


def test_preview_comes_before_the_whole_image(qtbot: QtBot, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "PREVIEW_FROM_PIXELS", 1_000_000)
    loader, arrived = ImageLoader(), []
    loader.previewed.connect(lambda id_, pyramid: arrived.append(("preview", pyramid.levels[0].width())))
    loader.loaded.connect(lambda id_, pyramid: arrived.append(("whole", pyramid.levels[0].width())))
    loader.start()
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, photo))
    loader.stop()
    assert arrived == [("preview", 750), ("whole", 1600)]


def test_a_preview_stands_for_the_true_size(qtbot: QtBot, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert decode_preview(photo) is None
    monkeypatch.setattr(decoding, "PREVIEW_FROM_PIXELS", 1_000_000)
    loader = ImageLoader()
    loader.start()
    with qtbot.waitSignal(loader.previewed, timeout=20_000) as preview:
        loader.request(ImageRequest(1, photo))
    loader.stop()
    assert preview.args[1].size_wh == (1600, 1200)


@pytest.fixture
def large_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PNG that counts as large: it comes in two parts, and has no short way to a preview."""
    for module, name in (
        (decode, "LARGE_PIXELS"),
        (decoding, "PREVIEW_FROM_PIXELS"),
        (thumbnails, "WHOLE_UP_TO_PIXELS"),
    ):
        monkeypatch.setattr(module, name, 1000)
    monkeypatch.setattr(decoding, "_FIRST_NEWS_AFTER_S", 0.0)
    path = tmp_path / "large.png"
    Image.new("RGB", (120, 100), (200, 100, 50)).save(path)
    return path


def test_a_large_png_fills_from_the_top(qtbot: QtBot, large_png: Path) -> None:
    loader, shown = ImageLoader(), []
    loader.previewed.connect(lambda _id, pyramid: shown.append(pyramid.levels[0]))
    loader.start()
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, large_png))
    loader.stop()
    assert shown[0].pixelColor(60, 10).red() == 200
    assert shown[0].pixelColor(60, 90).red() == 72


def test_at_the_second_opening_the_whole_is_there_at_once(qtbot: QtBot, large_png: Path) -> None:
    assert decode_preview(large_png) is None
    loader = ImageLoader()
    loader.start()
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, large_png))
    loader.stop()
    kept = decode_preview(large_png)
    assert kept is not None
    assert np.abs(kept.astype(int) - (50, 100, 200)).max() <= 4
    Image.new("RGB", (120, 100)).save(large_png)
    assert decode_preview(large_png) is None, "it was of another file"


def test_a_thumbnail_of_a_large_png_is_made_in_pieces_and_kept(large_png: Path) -> None:
    small = thumbnails.read_small_image(large_png, 60)
    assert small is not None
    assert (small.width(), small.height()) == (60, 50)
    assert kept_preview(large_png) is not None


def test_a_thumbnail_that_nobody_wants_any_more_is_not_made(large_png: Path) -> None:
    assert thumbnails.read_small_image(large_png, 60, lambda: False) is None
    assert kept_preview(large_png) is None


def test_leaving_an_image_ends_its_decoding(qtbot: QtBot, large_png: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    Image.new("RGB", (40, 30)).save(other)
    loader, loaded = ImageLoader(), []
    loader.loaded.connect(lambda image_id, _: loaded.append(image_id))
    loader.previewed.connect(lambda *_: loader.request(ImageRequest(2, other)), Qt.ConnectionType.DirectConnection)
    loader.start()
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, large_png))
    loader.stop()
    assert loaded == [2]


def test_nothing_is_decoded_ahead_without_room_beside_the_image_on_screen(qtbot: QtBot, photo: Path) -> None:
    room = 4 * 1600 * 1200
    other = photo.with_name("other.png")
    Image.new("RGB", (800, 600)).save(other)
    loader = ImageLoader(cache_bytes=2 * room)
    loader.start()
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, photo), [ImageRequest(2, photo), ImageRequest(3, other)])
    qtbot.waitUntil(lambda: loader.prefetched_image(ImageRequest(3, other)) is not None, timeout=20_000)
    loader.stop()
    assert loader.prefetched_image(ImageRequest(1, photo)) is not None
    assert loader.prefetched_image(ImageRequest(2, photo)) is None


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


def test_the_thumbnail_of_a_large_file_without_pieces_comes_from_the_canvas(
    qtbot: QtBot, opened: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "WHOLE_UP_TO_PIXELS", 1000)
    monkeypatch.setattr(decode, "sketched", lambda *_: None)  # as of a WebP
    opened.thumbnails.forget()
    path = opened.session.project.image_path(opened.session.project.stored.images.record(1))
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
    monkeypatch.setattr(pixels, "PREVIEW_FROM_PIXELS", 1000)
    told: list[str] = []
    opened.images.work_changed.connect(lambda text, _done, _total: told.append(text))
    opened.session.show_image(5)
    qtbot.waitUntil(lambda: opened.images.on_screen == 5)
    assert told == ["Decoding 0 megapixels", ""]


def test_an_unexpected_fault_is_told_and_the_next_image_comes(
    qtbot: QtBot, photo: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    loader = ImageLoader()
    loader.start()
    with monkeypatch.context() as broken:
        broken.setattr(images, "decode_pyramid", lambda *_: 1 // 0)
        with qtbot.waitSignal(loader.failed, timeout=20_000) as failed:
            loader.request(ImageRequest(1, photo))
    with qtbot.waitSignal(loader.loaded, timeout=20_000):
        loader.request(ImageRequest(1, photo))
    loader.stop()
    assert UNEXPECTED in str(failed.args[1])
    assert "division" in caplog.text


def test_what_was_said_of_an_image_goes_with_it(opened: Workbench) -> None:
    image = opened.session.image
    path = opened.session.project.image_path(image)
    opened.loader.failed.emit(image.id, ImageError("the PNG file is truncated", path=path))
    assert opened.window.toasts.messages[-1].action_text == "Next image"
    opened.images.next_image()
    assert all(message.action_text != "Next image" for message in opened.window.toasts.messages)
