"""Images of tens of megapixels take another road: the same pixels, the same refusals."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from maskwright.errors import ImageError
from maskwright.images import decode, read_image, read_preview, read_samples, read_thumbnail, tiff_bands, tiff_look
from maskwright.images.parts import Part
from maskwright.images.sketch import Sketch

KINDS = ["jpg", "grey.jpg", "png", "grey.png", "palette.png", "alpha.png", "16.png", "tif", "grey.tif", "lzw.tif"]
OTHERS = ["cmyk.jpg", "1.png", "pair.png", "clear.png", "bmp", "palette.bmp", "webp", "alpha.webp", "jpeg.tif"]
OTHERS += ["packbits.tif", "palette.tif", "alpha.tif", "1.tif", "cmyk.tif", "16.tif", "16lzw.tif"]


OPTIONS: dict[str, dict[str, object]] = {
    "clear.png": {"transparency": (0, 0, 255)},
    "webp": {"lossless": True},
    "lzw.tif": {"compression": "tiff_lzw", "tiffinfo": {278: 7}},
    "16lzw.tif": {"compression": "tiff_lzw", "tiffinfo": {278: 7, 317: 2}},
    "jpeg.tif": {"compression": "jpeg", "tiffinfo": {278: 16}},
    "packbits.tif": {"compression": "packbits", "tiffinfo": {278: 1}},
}


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
        case "cmyk":
            image = image.convert("CMYK")
        case "1":
            image = image.convert("1")
        case "alpha":
            image = image.convert("RGBA")
            image.putalpha(100)
        case "pair":
            image = image.convert("LA")
        case "16" | "16lzw":
            image = Image.fromarray(pixels()[:, :, 0].astype(np.uint16) * 200)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / f"größe.{kind}"
    image.save(path, **({"exif": exif.tobytes()} if path.suffix != ".bmp" else {}), **OPTIONS.get(kind, {}))
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", KINDS + OTHERS)
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
    "zlib planes": {"planarconfig": "separate", "compression": "zlib", "rowsperstrip": 7},
    "one zlib strip each": {"planarconfig": "separate", "compression": "zlib", "rowsperstrip": 80},
    "big endian": {"byteorder": ">", "compression": "zlib", "rowsperstrip": 7},
    "big file": {"bigtiff": True, "compression": "zlib", "rowsperstrip": 7},
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


@pytest.mark.parametrize(
    ("layout", "number_type"),
    [
        (layout, number_type)
        for layout in LAYOUTS
        for number_type in (np.uint16, np.int16, np.uint32, np.float32, np.float64)
        if layout != "differences" or np.issubdtype(number_type, np.integer)
    ],
)
def test_deep_tiffs_of_any_layout_have_the_same_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, number_type: type
) -> None:
    path, options = tmp_path / "a.tif", dict(LAYOUTS[layout])
    samples = (pixels().astype(number_type) * 120).astype(number_type)
    stored = np.moveaxis(samples, -1, 0) if "planarconfig" in options else samples
    tifffile.imwrite(path, stored, photometric="rgb", **options)
    usual, usually_shown = read_samples(path), read_image(path).bgr_u8
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    monkeypatch.setattr(tiff_bands, "_MOST_PIXELS", 2000)
    assert usual.dtype == number_type
    assert (usual == samples[:, :, ::-1]).all()
    assert read_samples(path).dtype == number_type
    assert (read_samples(path) == usual).all()
    assert (read_image(path).bgr_u8 == usually_shown).all()


@pytest.mark.parametrize("page", [2, 3])
def test_a_large_page_of_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for number in range(3):
            file.write(pixels() // (number + 1), photometric="rgb", compression="zlib", rowsperstrip=7)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    assert (read_image(tmp_path / f"a#page={page}.tif").bgr_u8 == pixels()[:, :, ::-1] // page).all()


@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_what_opencv_cannot_read_goes_the_usual_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = saved(tmp_path, kind)
    usual = read_image(path).bgr_u8
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    monkeypatch.setattr(cv2, "imread", lambda _path, pixels, _flags: pixels)  # as it does for what it does not know
    assert (read_image(path).bgr_u8 == usual).all()


def test_parts_are_shown_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, "png", orientation=6)
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    sketch = Sketch((80, 120), 12)
    pictures = []

    def watch(part: Part) -> None:
        sketch.take(part)
        pictures.append(sketch.picture())

    whole = read_image(path, watcher=watch).bgr_u8

    assert {picture.shape for picture in pictures} == {(12, 8, 3)}
    assert (pictures[0][0] == pictures[0][0, :1]).mean() < 0.9  # turned: rows of the file fill columns from the right
    assert (pictures[0][:, 0] == 72).all()
    assert (pictures[-1] == whole[5::10, 5::10]).all()


def test_a_watcher_ends_the_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NotWantedError(Exception):
        pass

    def watch(part: Part) -> None:
        raise NotWantedError

    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    with pytest.raises(NotWantedError):
        read_image(saved(tmp_path, "png"), watcher=watch)


def test_the_first_pass_of_an_interlaced_png_is_the_quick_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    path = tmp_path / "a.png"
    path.write_bytes(interlaced(pixels()))
    look = read_preview(path, max_side_px=15)
    assert look is not None
    assert (look == pixels()[::8, ::8, ::-1]).all()
    assert (read_image(path).bgr_u8 == pixels()[:, :, ::-1]).all()


def interlaced(rgb: NDArray[np.uint8]) -> bytes:
    """A PNG with the seven passes of Adam7 (PNG specification, section 8); rows without differences."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in rgb[y::dy, x::dx])
    head = struct.pack(">IIBBBBB", rgb.shape[1], rgb.shape[0], 8, 2, 0, 0, 1)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


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


@pytest.mark.parametrize("kind", ["bmp", "lzw.tif", "packbits.tif", "jpeg.tif", "16lzw.tif", "alpha.tif"])
def test_other_kinds_have_a_quick_look_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = saved(tmp_path, kind, orientation=6)
    whole = read_image(path).bgr_u8
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    monkeypatch.setattr(tiff_look, "_LEAST_ROWS", 3)
    look = read_preview(path, max_side_px=30)
    assert look is not None
    small = cv2.resize(whole, look.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(look.astype(int) - small).mean() < 8


@pytest.mark.parametrize("kind", ["zlib tiles", "zlib strips", "zlib planes"])
def test_the_first_rows_of_segments_are_a_coarse_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "a.tif"
    planar = "planarconfig" in LAYOUTS[kind]
    tifffile.imwrite(path, np.moveaxis(pixels(), -1, 0) if planar else pixels(), photometric="rgb", **LAYOUTS[kind])
    monkeypatch.setattr(decode, "LARGE_PIXELS", 1000)
    monkeypatch.setattr(tiff_look, "_LEAST_ROWS", 3)
    look = read_preview(path, max_side_px=60)
    assert look is not None
    small = cv2.resize(pixels()[:, :, ::-1], (60, 40), interpolation=cv2.INTER_AREA)
    assert np.abs(look.astype(int) - small)[:30].max() <= 6


@pytest.mark.parametrize("kind", ["png", "one zlib strip"])
def test_what_has_no_short_way_has_no_quick_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "png":
        path = saved(tmp_path, kind)
    else:
        path = tmp_path / "a.tif"
        tifffile.imwrite(path, pixels(), photometric="rgb", **LAYOUTS[kind])
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
