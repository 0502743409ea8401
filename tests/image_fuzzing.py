"""Small images of every kind, damage for them, and changes that must not change what is read."""

import io
import random
import struct
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

NUMBERS = [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1", b"\1\0\0\0",
           b"\0\1", b"\1\0", b"\xff\xff", b"\0\0", b"\x80\0", b"\0"]  # fmt: skip


def seeds() -> dict[str, bytes]:
    """{name: file}: all containers, the colour models and layouts that are read in ways of their own."""
    rgb = _picture()
    grey, deep = rgb[:, :, 0], rgb.astype(np.uint16) * 257
    alpha = np.dstack([rgb, grey])
    found: dict[str, bytes] = {}

    def by_pillow(name: str, pixels: NDArray[np.uint8], kind: str, mode: str | None = None, **options: object) -> None:
        image = Image.fromarray(pixels)
        written = io.BytesIO()
        (image.convert(mode) if mode else image).save(written, kind, **options)
        found[name] = written.getvalue()

    Image.init()
    by_pillow("jpeg", rgb, "JPEG")
    by_pillow("jpeg progressive", rgb, "JPEG", progressive=True)
    by_pillow("jpeg grey", grey, "JPEG")
    by_pillow("jpeg cmyk", rgb, "JPEG", mode="CMYK")
    exif = Image.Exif()
    exif[0x0112] = 6
    by_pillow("jpeg turned", rgb, "JPEG", exif=exif.tobytes())
    by_pillow("png", rgb, "PNG")
    by_pillow("png alpha", alpha, "PNG")
    by_pillow("png palette", rgb, "PNG", mode="P")
    by_pillow("png bits", grey, "PNG", mode="1")
    by_pillow("bmp", rgb, "BMP")
    by_pillow("bmp palette", rgb, "BMP", mode="P")
    by_pillow("gif", rgb, "GIF", mode="P")
    others = [Image.fromarray(255 - rgb).convert("P"), Image.fromarray(rgb[::-1].copy()).convert("P")]
    by_pillow("gif animation", rgb, "GIF", mode="P", save_all=True, append_images=others)
    by_pillow("webp", rgb, "WebP", lossless=True)
    by_pillow("webp lossy", rgb, "WebP")
    by_pillow("webp animation", rgb, "WebP", save_all=True, append_images=[Image.fromarray(255 - rgb)])
    if "AVIF" in Image.SAVE:
        by_pillow("avif", rgb, "AVIF")
    by_pillow("tiff lzw", rgb, "TIFF", compression="tiff_lzw")
    by_pillow("tiff packbits", rgb, "TIFF", compression="packbits")
    by_pillow("tiff jpeg", rgb, "TIFF", compression="jpeg")
    tiffs: dict[str, tuple[NDArray[np.generic], dict[str, object]]] = {
        "tiff": (rgb, {}),
        "tiff deflate": (rgb, {"compression": "zlib", "predictor": True}),
        "tiff tiles": (rgb, {"tile": (16, 16), "compression": "zlib"}),
        "tiff planar": (np.moveaxis(rgb, 2, 0), {"planarconfig": "separate"}),
        "tiff deep": (deep, {"compression": "zlib"}),
        "tiff float": (rgb[:, :, 0].astype(np.float32), {}),
        "tiff pages": (np.stack([grey, 255 - grey, grey]), {"photometric": "minisblack"}),
        "tiff big": (grey, {"bigtiff": True}),
        "tiff imagej": (np.stack([grey, 255 - grey]), {"imagej": True}),
    }
    for name, (samples, options) in tiffs.items():
        written = io.BytesIO()
        photometric = {"photometric": "rgb"} if samples.shape[-1] == 3 or "planarconfig" in options else {}
        tifffile.imwrite(written, samples, **{"rowsperstrip": 16, **photometric, **options} if "tile" not in options
                         else {**photometric, **options})  # fmt: skip
        found[name] = written.getvalue()
    found["png deep"] = _png(deep, 2, 16)
    return found


def mutated(data: bytes, chance: random.Random) -> bytes:
    """One to four flips, numbers overwritten, cuts, insertions or doublings; often near the start."""
    for _ in range(chance.randint(1, 4)):
        limit = min(len(data), chance.choice([64, 256, len(data)]))
        at = chance.randrange(limit + 1)
        match chance.randrange(6):
            case 0:
                flipped = bytes([data[at] ^ 1 << chance.randrange(8)]) if at < len(data) else b""
                data = data[:at] + flipped + data[at + 1 :]
            case 1 | 2:
                number = chance.choice(NUMBERS)
                data = data[:at] + number + data[at + len(number) :]
            case 3:
                data = data[:at]
            case 4:
                data = data[:at] + data[at + chance.choice([1, 2, 4, 40]) :]
            case _:
                piece = data[at : at + chance.choice([1, 4, 12, 100])]
                data = data[:at] + piece * chance.choice([2, 30]) + data[at + len(piece) :]
        if not data:
            return b"\0"
    return data


def neutral_changes(kind: str) -> list[Callable[[bytes, random.Random], bytes]]:
    """Changes of a file of that name after which it holds the same picture, as its specification says."""
    found: list[Callable[[bytes, random.Random], bytes]] = [_with_tail]
    if kind.startswith("png"):
        found.append(_with_png_text)
    if kind.startswith("jpeg"):
        found.append(_with_jpeg_comment)
    return found


def _with_tail(data: bytes, chance: random.Random) -> bytes:
    """Zeros behind the end: padding, as cameras and downloads leave it."""
    return data + bytes(chance.randrange(1, 200))


def _with_png_text(data: bytes, chance: random.Random) -> bytes:
    """A text chunk behind the header (PNG, third edition, 11.3.3.2)."""
    text = b"Comment\0" + bytes(chance.randrange(32, 127) for _ in range(chance.randrange(80)))
    return data[:33] + _chunk(b"tEXt", text) + data[33:]


def _with_jpeg_comment(data: bytes, chance: random.Random) -> bytes:
    """A COM segment behind the start of the image (ITU T.81, B.2.4.5)."""
    text = bytes(chance.randrange(256) for _ in range(chance.randrange(80)))
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + data[2:]


def _picture() -> NDArray[np.uint8]:
    """(48, 64, 3): slopes and an edge, so that a wrong row or channel shows."""
    y, x = np.mgrid[:48, :64]
    picture = np.stack([x * 4, y * 5, (x + y) * 2], axis=2).astype(np.uint8)
    picture[10:30, 20:40] = (200, 30, 90)
    return picture


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _png(samples: NDArray[np.uint16], colour: int, depth: int) -> bytes:
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def suffix_of(kind: str, suffixes: Mapping[str, str] = {"jpeg": ".jpg", "tiff": ".tif"}) -> str:
    first = kind.split()[0]
    return suffixes.get(first, f".{first}")
