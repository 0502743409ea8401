"""Images of tens of megapixels take another road: the same pixels, the same refusals."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskwright.errors import ImageError
from maskwright.images import decode, read_image, read_samples

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
