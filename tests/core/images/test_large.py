"""Images of tens of megapixels take another road: the same pixels, the same refusals."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from maskwright.errors import ImageError
from maskwright.images import decode, read_image, read_preview, read_samples, read_thumbnail

KINDS = ["jpg", "grey.jpg", "png", "grey.png", "palette.png", "alpha.png", "16.png", "tif", "grey.tif", "lzw.tif"]


def pixels() -> NDArray[np.uint8]:
    x, y = np.meshgrid(np.linspace(0, 255, 120), np.linspace(0, 255, 80))
    return np.stack((x, y, 255 - x), axis=-1).astype(np.uint8)


def saved(folder: Path, kind: str, orientation: int = 1) -> Path:
    image = Image.fromarray(pixels())
    match kind.split(".")[0]:
        case "grey":
            image = image.convert("L")
        case "palette":
            image = image.convert("P")
        case "alpha":
            image = image.convert("RGBA")
            image.putalpha(100)
        case "16":
            image = Image.fromarray(pixels()[:, :, 0].astype(np.uint16) * 200)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / f"größe.{kind}"
    image.save(path, exif=exif.tobytes(), **({"compression": "tiff_lzw"} if kind == "lzw.tif" else {}))
    return path


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, orientation: int) -> None:
    path = saved(tmp_path, kind, orientation)
    usual = read_image(path).bgr_u8
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)

    large = read_image(path).bgr_u8

    assert np.abs(large.astype(int) - usual).max() <= (2 if path.suffix == ".jpg" else 0)
    if kind == "16.png":
        assert read_samples(path).dtype == np.uint16


@pytest.mark.parametrize("kept", [0.5, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_off_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, kept: float
) -> None:
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    path = saved(tmp_path, kind)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])

    with pytest.raises(ImageError, match=r"truncated|cut off|damaged"):
        read_image(path)


LAYOUTS: dict[str, dict[str, object]] = {
    "raw": {},
    "raw strips": {"rowsperstrip": 7},
    "zlib strips": {"compression": "zlib", "rowsperstrip": 7},
    "zlib rows": {"compression": "zlib", "rowsperstrip": 1},
    "one zlib strip": {"compression": "zlib", "rowsperstrip": 80},
    "differences": {"compression": "zlib", "rowsperstrip": 7, "predictor": 2},
    "tiles": {"tile": (32, 32)},
    "zlib tiles": {"compression": "zlib", "tile": (32, 32)},
    "planes": {"planarconfig": "separate"},
}


@pytest.mark.parametrize("is_grey", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_tiffs_of_any_layout_have_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, is_grey: bool
) -> None:
    path, options = tmp_path / "a.tif", dict(LAYOUTS[layout])
    if is_grey:
        options.pop("planarconfig", None)
    samples = pixels()[:, :, 0] if is_grey else pixels()
    if "planarconfig" in options:
        samples = np.moveaxis(samples, -1, 0)
    tifffile.imwrite(path, samples, photometric="minisblack" if is_grey else "rgb", **options)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    expected = np.repeat(pixels()[:, :, :1], 3, axis=2) if is_grey else pixels()[:, :, ::-1]
    assert (read_image(path).bgr_u8 == expected).all()


@pytest.mark.parametrize("layout", ["raw", "zlib rows"])
def test_rows_are_passed_over_for_a_quick_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(), photometric="rgb", **LAYOUTS[layout])
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    look = read_preview(path, max_side_px=30)
    assert look is not None
    assert look.shape == (20, 30, 3)
    assert np.abs(look.astype(int) - pixels()[::4, ::4, ::-1]).max() <= 12


def test_an_overview_is_the_quick_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, whole = tmp_path / "a.tif", np.zeros((600, 800, 3), np.uint8)
    whole[:] = (200, 100, 50)
    with tifffile.TiffWriter(path) as file:
        file.write(whole, photometric="rgb", tile=(64, 64), compression="zlib")
        file.write(whole[::2, ::2], photometric="rgb", tile=(64, 64), compression="zlib", subfiletype=1)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    look = read_preview(path, max_side_px=400)
    assert look is not None
    assert look.shape == (300, 400, 3)
    assert (look == (50, 100, 200)).all()
    assert read_thumbnail(path, max_side_px=40).shape == (30, 40, 3)


@pytest.mark.parametrize("kind", ["png", "lzw.tif"])
def test_what_has_no_short_way_has_no_quick_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = saved(tmp_path, kind)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    assert read_preview(path, max_side_px=30) is None
    assert read_thumbnail(path, max_side_px=30).shape == (20, 30, 3)


@pytest.mark.parametrize("layout", ["raw", "zlib strips", "zlib tiles"])
def test_damaged_strips_are_refused_or_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels(), photometric="rgb", **LAYOUTS[layout])
    data = bytearray(path.read_bytes())
    if layout == "raw":
        del data[-100:]
    else:
        data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    path.write_bytes(data)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    with pytest.raises(ImageError, match=r"truncated|damaged"):
        read_image(path)
