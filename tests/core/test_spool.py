"""Samples of very large images lie in a file: the same numbers, little memory."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from maskwright import spool, windowing
from maskwright.images import decode, read_image, read_samples
from maskwright.windowing import DisplayWindow, auto_window, halved, windowed


@pytest.fixture(autouse=True)
def small_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(spool, "MOST_IN_MEMORY_BYTES", 1000)
    monkeypatch.setattr(spool, "_SPARE_BYTES", 0)
    monkeypatch.setattr(windowing, "_MOST_OF_LEVEL_BYTES", 1000)
    monkeypatch.setattr(windowing, "_BAND_SAMPLES", 1000)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)


def noise(dtype: type, channels: int = 3) -> np.ndarray:
    return (np.random.default_rng(0).random((90, 120, channels)) * 900).astype(dtype)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_samples_in_a_file_are_those_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type, orientation: int
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(dtype), photometric="rgb", extratags=[(274, 3, 1, orientation, True)])

    spooled, shown = read_samples(path), read_image(path).bgr_u8

    assert spool.is_spooled(spooled)
    monkeypatch.setattr(spool, "MOST_IN_MEMORY_BYTES", 10**9)
    usual = read_samples(path)
    assert not spool.is_spooled(usual)
    assert (spooled == usual).all()
    assert (shown == read_image(path).bgr_u8).all()
    assert auto_window(spooled) == auto_window(usual)
    assert (windowed(spooled, DisplayWindow(10, 400)) == windowed(usual, DisplayWindow(10, 400))).all()
    assert spool.is_spooled(halved(spooled))
    assert np.allclose(halved(spooled), halved(usual), atol=1)


def test_what_was_let_go_is_still_there() -> None:
    samples = spool.room((90, 120), np.dtype(np.uint16))
    samples[:] = noise(np.uint16, 1)[:, :, 0]
    spool.let_go(samples[3:])
    assert (samples == noise(np.uint16, 1)[:, :, 0]).all()


def test_transparency_of_deep_samples_is_the_same_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = noise(np.uint16, 4)
    in_bands = windowing.deep_to_bgr(samples)
    monkeypatch.setattr(windowing, "_BAND_SAMPLES", 10**6)
    assert (in_bands == windowing.deep_to_bgr(samples)).all()


def test_a_full_disk_leaves_the_samples_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_SPARE_BYTES", 10**18)
    samples = spool.room((90, 120), np.dtype(np.uint16))
    assert not spool.is_spooled(samples)
    assert samples.shape == (90, 120)


def test_nothing_is_left_in_the_cache_folder(tmp_path: Path) -> None:
    samples = spool.room((90, 120), np.dtype(np.uint16))
    assert spool.is_spooled(samples)
    assert list((tmp_path / "cache").rglob("*.*")) == []
