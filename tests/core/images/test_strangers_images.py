"""Damaged and hostile files among images: each is refused with a reason, and the others are read."""

import logging
import os
import random
import socket
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_fuzzing import mutated, neutral_changes, seeds, suffix_of
from maskwright.errors import FormatError, ImageError
from maskwright.images import decode, header, probe_image, probe_pages, read_image, read_preview, read_thumbnail
from maskwright.images.border import decoding
from maskwright.project import scan_folder
from project_builders import write_image

RAISED = [RuntimeError("AVIF"), OverflowError("TIFF"), ZeroDivisionError(), IndexError("index"), zlib.error("-3"),
          Image.DecompressionBombWarning("GIF"), Image.DecompressionBombError("GIF"), UserWarning("odd"), MemoryError(),
          AttributeError("no"), RecursionError(), AssertionError(), struct.error("cut"), UnicodeError("text"),
          StopIteration(), NotImplementedError("codec"), OSError("broken data stream")]  # fmt: skip
READERS: list[Callable[[Path], object]] = [
    probe_image,
    read_image,
    lambda path: read_thumbnail(path, max_side_px=8),
    lambda path: read_preview(path, max_side_px=8),
]
SEEDS = seeds()


@pytest.mark.parametrize("raised", RAISED, ids=lambda error: type(error).__name__)
def test_whatever_a_decoder_raises_the_file_is_listed_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def broken(_stream: object) -> object:
        raise raised

    write_image(tmp_path / "a.png")
    (tmp_path / "b.gif").write_bytes(SEEDS["gif"])
    write_image(tmp_path / "c.png")
    monkeypatch.setitem(header._PLUGINS, "GIF", broken)

    found = {image.file_name: image.failure for image in scan_folder(tmp_path)}

    assert list(found) == ["a.png", "b.gif", "c.png"]
    assert found["a.png"] is found["c.png"] is None
    assert isinstance(found["b.gif"], ImageError)
    for read in READERS:
        with pytest.raises(ImageError):
            read(tmp_path / "b.gif")


@pytest.mark.parametrize("raised", RAISED, ids=lambda error: type(error).__name__)
def test_damage_found_while_pixels_are_decoded_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    def broken(*_: object) -> object:
        raise raised

    monkeypatch.setattr(decode, "_decode_usually", broken)
    with pytest.raises(ImageError) as caught:
        read_image(write_image(tmp_path / "a.png"))
    assert caught.value.path == tmp_path / "a.png"
    assert caught.value.message


def test_what_a_watcher_raises_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(_part: object) -> None:
        raise ValueError("not wanted any more")

    monkeypatch.setattr(decode, "LARGE_PIXELS", 1)
    with pytest.raises(ValueError, match="not wanted"):
        read_image(write_image(tmp_path / "a.png"), watcher=give_up)


def test_the_border_leaves_our_own_errors_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="ours"), decoding(tmp_path, str):
        raise FormatError("ours")


@pytest.mark.parametrize("seed", range(6))
def test_damaged_files_are_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    chance = random.Random(seed)
    monkeypatch.setattr(decode, "LARGE_PIXELS", chance.choice([1, 10**9]))
    for name, data in SEEDS.items():
        path = tmp_path / f"x{suffix_of(name)}"
        path.write_bytes(mutated(data, chance))
        list(probe_pages(path))
        for read in READERS:
            try:
                read(path)
            except ImageError as error:
                assert error.reason


@pytest.mark.parametrize("name", SEEDS)
def test_a_change_that_is_none_changes_nothing(tmp_path: Path, name: str) -> None:
    path, chance = tmp_path / f"x{suffix_of(name)}", random.Random(1)
    path.write_bytes(SEEDS[name])
    whole = read_image(path).bgr_u8
    for change in neutral_changes(name):
        path.write_bytes(change(SEEDS[name], chance))
        assert np.array_equal(read_image(path).bgr_u8, whole)


def test_a_stack_that_claims_more_planes_than_the_file_has_lists_those_there_is_room_for(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(SEEDS["tiff imagej"].replace(b"images=2\n", b"images=9\n"))
    assert len(list(probe_pages(tmp_path / "x.tif"))) <= 3


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's path is short
        try:
            made.bind(path.name)
        finally:
            os.chdir(here)


@pytest.mark.skipif(os.name != "posix", reason="kinds of files of POSIX")
@pytest.mark.parametrize("make", [fifo, device, bound_socket])
def test_what_is_no_file_is_listed_and_never_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = tmp_path / "images"
    write_image(folder / "b.png")
    make(folder / "a.png")
    found = {image.file_name: image.failure for image in scan_folder(folder)}
    assert found["b.png"] is None
    assert "not a file" in str(found["a.png"])
    for read in READERS:
        with pytest.raises(ImageError, match="not a file"):
            read(folder / "a.png")


def test_warnings_that_are_errors_are_no_tracebacks(tmp_path: Path) -> None:
    wide = struct.pack("<HH", 60000, 60000)
    (tmp_path / "x.gif").write_bytes(SEEDS["gif"][:6] + wide + SEEDS["gif"][10:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError):
            read_image(tmp_path / "x.gif")
