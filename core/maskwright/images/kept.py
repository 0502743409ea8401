"""Previews of large images in the platform's cache folder, shown at once when an image is opened again.

Only a cache: a preview that cannot be written or read counts as absent, and belongs to one version of the file."""

import hashlib
import logging
from contextlib import suppress
from pathlib import Path
from threading import get_ident

import cv2
import numpy as np
import platformdirs
from numpy.typing import NDArray

from maskwright.images.identity import SeenFile

log = logging.getLogger(__name__)

KEPT_SIDE_PX = 1500
_QUALITY = 88
_MOST_BYTES = 256 * 2**20
"""About a thousand previews."""


def keep_preview(path: Path, bgr_u8: NDArray[np.uint8]) -> None:
    """Keep an (H, W, 3) preview of the image at `path`, reduced if it is larger than KEPT_SIDE_PX."""
    scale = min(1.0, KEPT_SIDE_PX / max(bgr_u8.shape[:2]))
    size_wh = max(1, round(bgr_u8.shape[1] * scale)), max(1, round(bgr_u8.shape[0] * scale))
    small = cv2.resize(bgr_u8, size_wh, interpolation=cv2.INTER_AREA)
    written, content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    place = _place(path)
    if not written or place is None:
        return
    partial = place.with_suffix(f".{get_ident()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.tobytes())
        partial.replace(place)
        _make_room(place.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        log.warning("the preview of %s is not kept: %s", path, error)


def kept_preview(path: Path) -> NDArray[np.uint8] | None:
    """(h, w, 3) BGR, upright, for the file's current version; None if there is none."""
    place = _place(path)
    if place is None:
        return None
    with suppress(OSError, cv2.error):
        picture = cv2.imdecode(np.frombuffer(place.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        return np.asarray(picture, np.uint8) if picture is not None else None
    return None


def _place(path: Path) -> Path | None:
    """The place for a file's name, size and time; None if there is no such file."""
    seen = SeenFile.now(path)
    if seen.size < 0:
        return None
    mark = f"{path.absolute()}\n{seen.size}\n{seen.mtime_ns}"
    name = hashlib.sha256(mark.encode(errors="surrogateescape")).hexdigest()[:32]
    return platformdirs.user_cache_path("maskwright") / "previews" / f"{name}.jpg"


def _make_room(folder: Path) -> None:
    """Delete the oldest previews and leftovers of a crash."""
    found = sorted(((entry.stat().st_mtime_ns, entry.stat().st_size, entry) for entry in folder.iterdir()), key=_age)
    used = sum(size for _, size, _ in found)
    while used > _MOST_BYTES:
        _, size, oldest = found.pop(0)
        oldest.unlink(missing_ok=True)
        used -= size


def _age(entry: tuple[int, int, Path]) -> int:
    return entry[0]
