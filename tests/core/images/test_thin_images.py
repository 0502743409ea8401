"""Images of one column or row, as a damaged header or a scanner's line makes them, also read as large ones are."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskwright.errors import ImageError
from maskwright.images import decode, probe_image, read_image, read_preview, read_thumbnail
from maskwright.images.header import MAX_SIDE_PX


@pytest.mark.parametrize("large", [1, 40_000_000], ids=["large", "small"])
@pytest.mark.parametrize("size_wh", [(1, 5000), (5000, 1), (2, 3000)])
@pytest.mark.parametrize("suffix", ["bmp", "png", "tif", "jpg", "webp", "gif"])
def test_a_thin_image_has_a_thumbnail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, size_wh: tuple[int, int], large: int
) -> None:
    monkeypatch.setattr(decode, "LARGE_PIXELS", large)
    path = tmp_path / f"x.{suffix}"
    Image.new("RGB", size_wh, (200, 100, 50)).save(path)
    assert read_image(path).bgr_u8.shape[:2] == size_wh[::-1]
    small = read_thumbnail(path, max_side_px=24)
    assert max(small.shape[:2]) == 24
    assert min(small.shape[:2]) >= 1
    assert np.abs(small.astype(int) - (50, 100, 200)).max() < 10
    preview = read_preview(path, max_side_px=24)
    assert preview is None or max(preview.shape[:2]) <= 24


def test_a_side_longer_than_annotations_are_read_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.new("L", (1, MAX_SIDE_PX + 1)).save(path)
    with pytest.raises(ImageError, match="no side may exceed"):
        probe_image(path)
