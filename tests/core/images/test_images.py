"""Reading images: what is upright, what is refused and why."""

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, features

from maskwright.errors import ImageError
from maskwright.images import probe_image, read_image, read_samples, read_thumbnail


def picture(width: int = 40, height: int = 24) -> NDArray[np.uint8]:
    """RGB with another colour in each corner, so that every turn shows."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    pixels[: height // 2, : width // 2] = (250, 10, 10)
    pixels[: height // 2, width // 2 :] = (10, 250, 10)
    pixels[height // 2 :, : width // 2] = (10, 10, 250)
    return pixels


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize(("suffix", "kind"), [("png", "PNG"), ("bmp", "BMP"), ("tif", "TIFF"), ("gif", "GIF")])
def test_lossless_formats_give_their_pixels_as_bgr(tmp_path: Path, suffix: str, kind: str) -> None:
    path = save(tmp_path / f"größe 1.{suffix}", Image.fromarray(picture()))

    image = read_image(path)

    assert image.header.format == kind
    assert np.array_equal(image.bgr_u8[:, :, ::-1], picture())
    assert image.bgr_u8.flags.c_contiguous


def test_lossless_webp_gives_its_pixels(tmp_path: Path) -> None:
    path = save(tmp_path / "a.webp", Image.fromarray(picture()), lossless=True)

    assert np.array_equal(read_image(path).bgr_u8[:, :, ::-1], picture())


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("size_wh", [(1, 1), (33, 17), (120, 81)])
def test_flawless_jpegs_have_the_pixels_that_pillow_gives(
    tmp_path: Path, subsampling: str, progressive: bool, size_wh: tuple[int, int]
) -> None:
    options = {"quality": 83, "subsampling": subsampling, "progressive": progressive}
    path = save(tmp_path / "a.jpg", Image.fromarray(picture(*size_wh)), **options)
    assert (read_image(path).bgr_u8[:, :, ::-1] == np.asarray(Image.open(path))).all()


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_colours_have_the_pixels_that_pillow_gives(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(picture()).convert(mode))
    assert (read_image(path).bgr_u8[:, :, ::-1] == np.asarray(Image.open(path).convert("RGB"))).all()


def test_jpegs_with_small_flaws_are_read_without_a_word(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = save(tmp_path / "a.jpg", Image.fromarray(picture(), "RGB")).read_bytes()
    flawed = tmp_path / "flawed.jpg"
    flawed.write_bytes(content[:-2] + b"junk" + content[-2:])
    assert (read_image(flawed).bgr_u8 == read_image(tmp_path / "a.jpg").bgr_u8).all()
    assert capfd.readouterr() == ("", "")


def test_jpeg_pixels_are_those_of_opencv(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(picture()))

    assert np.array_equal(read_image(path).bgr_u8, cv2.imread(str(path)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_is_applied_to_size_and_pixels(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"a.{suffix}", Image.fromarray(picture()), exif=exif.tobytes())
    stored = picture()
    turned = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.transpose(1, 0, 2),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(stored),
    }[orientation]

    image = read_image(path)

    assert probe_image(path).size_wh == (turned.shape[1], turned.shape[0])
    assert np.abs(image.bgr_u8[:, :, ::-1].astype(int) - turned).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", ["uint16", "float32", "uint32"])
def test_deep_tiffs_are_turned_once(tmp_path: Path, orientation: int, dtype: str) -> None:
    stored = np.zeros((24, 40), dtype)
    stored[:6, :6], stored[:6, -6:] = 200, 100  # two corners tell every turn apart
    Image.fromarray((stored > 0).astype(np.uint8)).save(tmp_path / "plain.png", exif=oriented(orientation))
    tifffile.imwrite(tmp_path / "a.tif", stored, extratags=[(274, 3, 1, orientation, True)])

    samples = read_samples(tmp_path / "a.tif")

    turned = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "plain.png")))
    assert np.array_equal(samples > 0, turned > 0)
    assert probe_image(tmp_path / "a.tif").size_wh == (turned.shape[1], turned.shape[0])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bit_pngs_are_turned_once(tmp_path: Path, orientation: int) -> None:
    stored = np.zeros((24, 40), np.uint16)
    stored[:6, :6], stored[:6, -6:] = 200, 100
    Image.fromarray(stored).save(tmp_path / "a.png", exif=oriented(orientation))

    turned = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    assert np.array_equal(read_samples(tmp_path / "a.png"), turned)


def oriented(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow's own search for the resolution
def test_damaged_exif_does_not_harm_the_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(picture()), exif=b"Exif\0\0MM\0*\0\0\xff\xff")

    assert read_image(path).header.orientation == 1


def test_sixteen_bits_are_stretched_between_percentiles(tmp_path: Path) -> None:
    samples = np.linspace(1000, 3000, 64 * 64).astype(np.uint16).reshape(64, 64)
    samples[0, 0] = 65535  # one hot pixel must not darken the rest
    for path in (tmp_path / "a.png", tmp_path / "a.tif"):
        cv2.imwrite(str(path), samples)

        image = read_image(path)

        assert image.header.depth == 16
        assert image.bgr_u8.min() == 0
        assert abs(float(image.bgr_u8.mean()) - 127.5) < 2


def test_sixteen_bit_colour_keeps_its_channels(tmp_path: Path) -> None:
    samples = np.zeros((16, 16, 3), np.uint16)
    samples[:, :8, 2] = 4000
    cv2.imwrite(str(tmp_path / "a.png"), samples)

    bgr = read_image(tmp_path / "a.png").bgr_u8

    assert bgr[0, 0].tolist() == [0, 0, 255]


def test_float_tiff_with_nan_is_readable(tmp_path: Path) -> None:
    samples = np.linspace(-1, 1, 400, dtype=np.float32).reshape(20, 20)
    samples[3, 3] = np.nan
    tifffile.imwrite(tmp_path / "a.tif", samples)

    assert read_image(tmp_path / "a.tif").bgr_u8.max() == 255


def test_transparent_pixels_show_white(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(np.zeros((8, 8, 4), np.uint8)))

    assert read_image(path).bgr_u8.min() == 255


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "LA"])
def test_other_colour_models_become_bgr(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path / ("a.jpg" if mode == "CMYK" else "a.png"), Image.fromarray(picture()).convert(mode))

    assert read_image(path).bgr_u8.shape == (24, 40, 3)


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((9, 9, 3), value, np.uint8)) for value in (10, 200)]
    path = save(tmp_path / "a.gif", frames[0], save_all=True, append_images=frames[1:])

    assert read_image(path).bgr_u8.max() == 10


def huge_png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "empty", id="zero bytes"),
        pytest.param("Grüße, not a picture\n".encode(), "text file", id="text"),
        pytest.param(b"<!DOCTYPE html><html>" + b"x" * 600, "web page", id="html"),
        pytest.param(b"BM, he said", "text file", id="text that starts like a BMP"),
        pytest.param(b"%PDF-1.7\n\0", "PDF", id="pdf"),
        pytest.param(b"\0\0\0\x18ftypheic\0\0", "HEIC", id="heic"),
        pytest.param(bytes(range(256)) * 4, "not a supported image format", id="noise"),
        pytest.param(b"\xff\xd8\xff\xe0\0\x10", "damaged or truncated", id="jpeg start only"),
        pytest.param(huge_png_header(30_000, 30_000), "900 megapixels", id="30,000 x 30,000 PNG"),
    ],
)
def test_what_is_not_a_usable_image_says_why(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)

    for read in (probe_image, read_image, lambda path: read_thumbnail(path, max_side_px=64)):
        with pytest.raises(ImageError, match=reason) as caught:
            read(path)
        assert caught.value.path == path


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", ["jpg", "progressive.jpg", "png", "bmp", "webp", "tif", "gif", "16.png", "16.tif"])
def test_a_truncated_file_is_an_error(tmp_path: Path, suffix: str, kept: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (80, 120, 3), np.uint8)
    path = tmp_path / f"a.{suffix}"
    if suffix.startswith("16"):
        cv2.imwrite(str(path), noise.astype(np.uint16) * 200)
    else:
        save(path, Image.fromarray(noise), **({"progressive": True} if "progressive" in suffix else {}))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])

    with pytest.raises(ImageError, match=r"truncated|cut off|damaged"):
        read_image(path)


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="folder"):
        probe_image(tmp_path)


def test_a_broken_link_says_what_it_is(tmp_path: Path) -> None:
    link = tmp_path / "a.png"
    link.symlink_to("nowhere.png")
    with pytest.raises(ImageError, match="link to a file that does not exist"):
        probe_image(link)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
def test_avif_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.avif", Image.fromarray(picture()), quality=100, subsampling="4:4:4", exif=exif.tobytes())
    assert probe_image(path).size_wh == (24, 40)
    assert np.abs(read_image(path).bgr_u8[:, :, ::-1].astype(int) - np.rot90(picture(), -1)).mean() < 12


def test_what_pillow_refuses_to_decode_in_one_piece_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.tif", Image.fromarray(picture()), compression="tiff_lzw")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ImageError, match="too many for this kind of TIFF"):
        read_image(path)


def test_limit_of_pixels_can_be_chosen(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(picture()))

    with pytest.raises(ImageError, match="above the limit"):
        read_image(path, max_pixels=100)


def test_thumbnail_is_upright_and_small(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", Image.fromarray(picture(400, 240)), exif=exif.tobytes())

    assert read_thumbnail(path, max_side_px=50).shape == (50, 30, 3)


def test_decoding_needs_no_file_name_suffix(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(picture()).save(stream, "PNG")
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())

    assert probe_image(tmp_path / "a.jpg").format == "PNG"
