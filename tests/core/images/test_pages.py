"""Multi-page TIFFs: each page an image of its own, nothing dropped, whatever the samples."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from maskwright.document.values import ImageRecord
from maskwright.errors import ImageError
from maskwright.formats.image_files import place_image
from maskwright.images import probe_image, read_image, read_samples, read_thumbnail
from maskwright.images.identity import SeenFile
from maskwright.project.scan import scan_folder
from maskwright.project.store import Project


def ramp(value: int, dtype: str = "uint8") -> NDArray[np.generic]:
    """(16, 24) with `value` in the lower right corner, more of it than the percentiles cut off."""
    plane = np.zeros((16, 24), dtype)
    plane[8:, 12:] = value
    return plane


def stack(path: Path, dtype: str = "uint8", *, compression: str | None = None) -> Path:
    planes = np.stack([ramp(value, dtype) for value in (100, 150, 200)])
    tifffile.imwrite(path, planes, photometric="minisblack", compression=compression)
    return path


def samples_of(path: Path) -> NDArray[np.generic]:
    """One channel."""
    return read_samples(path) if probe_image(path).depth > 8 else read_image(path).bgr_u8[:, :, 0]


def names(folder: Path) -> list[str]:
    return [image.file_name for image in scan_folder(folder)]


def test_each_page_is_an_image_of_the_folder(tmp_path: Path) -> None:
    stack(tmp_path / "größe.tif")

    assert names(tmp_path) == ["größe.tif", "größe#page=2.tif", "größe#page=3.tif"]


def test_pages_may_differ_in_size_depth_and_orientation(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tiff") as file:
        file.write(np.zeros((10, 20), np.uint8), photometric="minisblack")
        file.write(np.zeros((30, 40, 3), np.uint16), photometric="rgb", extratags=[(274, 3, 1, 6, True)])

    found = list(scan_folder(tmp_path))

    assert [(image.width, image.height) for image in found] == [(20, 10), (30, 40)]
    assert probe_image(tmp_path / "a#page=2.tiff").depth == 16
    assert read_image(tmp_path / "a#page=2.tiff").bgr_u8.shape == (40, 30, 3)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64"])
def test_a_page_of_any_number_type_gives_its_own_pixels(tmp_path: Path, dtype: str, compression: str | None) -> None:
    path = stack(tmp_path / "a.tif", dtype, compression=compression)

    seen = samples_of(path.with_name("a#page=3.tif"))

    assert np.array_equal(seen, ramp(200, dtype))
    assert read_thumbnail(path.with_name("a#page=2.tif"), max_side_px=12).shape == (8, 12, 3)


def test_overviews_and_transparency_masks_are_not_images(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for kind in (0, 1, 4, 2):
            plane = ramp(1, "bool") if kind == 4 else ramp(90)
            file.write(plane, photometric="minisblack", subfiletype=kind, metadata=None)

    assert names(tmp_path) == ["a.tif", "a#page=4.tif"]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_planes_without_a_directory_of_their_own_are_found(tmp_path: Path, dtype: str) -> None:
    planes = np.stack([ramp(value, dtype) for value in (100, 150, 200)])
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="minisblack", truncate=True)

    seen = samples_of(tmp_path / "a#page=2.tif")

    assert names(tmp_path) == ["a.tif", "a#page=2.tif", "a#page=3.tif"]
    assert (seen > 0).sum() == (planes[1] > 0).sum()
    assert dtype == "uint8" or np.array_equal(seen, planes[1])


def test_a_page_that_is_cut_off_leaves_the_others(tmp_path: Path) -> None:
    path = stack(tmp_path / "a.tif", "uint16")
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        last = file.pages[2].dataoffsets[0]
    path.write_bytes(whole[: last + 10])

    assert len(names(tmp_path)) == 3
    assert read_image(tmp_path / "a#page=2.tif").bgr_u8.shape == (16, 24, 3)
    with pytest.raises(ImageError, match="truncated"):
        read_image(tmp_path / "a#page=3.tif")


def test_a_page_that_is_not_there_says_so(tmp_path: Path) -> None:
    stack(tmp_path / "a.tif")

    with pytest.raises(ImageError, match="no page 9"):
        read_image(tmp_path / "a#page=9.tif")
    with pytest.raises(ImageError, match="does not exist"):
        probe_image(tmp_path / "b#page=2.tif")


def test_a_file_that_is_really_called_so_is_that_file(tmp_path: Path) -> None:
    stack(tmp_path / "a.tif")
    Image.fromarray(np.full((5, 7, 3), 9, np.uint8)).save(tmp_path / "a#page=2.tif")

    assert probe_image(tmp_path / "a#page=2.tif").size_wh == (7, 5)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_exported_images_hold_each_page_as_a_file(tmp_path: Path, dtype: str) -> None:
    (tmp_path / "in").mkdir()
    source = stack(tmp_path / "in" / "a.tif", dtype)
    for number, found in enumerate(scan_folder(tmp_path / "in"), 1):
        record = ImageRecord(number, found.file_name, found.width, found.height)
        place = place_image(record, tmp_path / "in", tmp_path / "out", "link")
        assert place.is_file() and place.name == found.file_name

    again = tmp_path / "out" / "a#page=3.tif"
    original = source.with_name("a#page=3.tif")
    assert np.array_equal(samples_of(again), samples_of(original))
    assert probe_image(again).depth == probe_image(original).depth


def test_a_page_is_not_missing_while_its_file_is_there(tmp_path: Path) -> None:
    stack(tmp_path / "a.tif")
    with Project.create(tmp_path / "p.maskwright", image_root=tmp_path) as project:
        project.images.add(scan_folder(tmp_path))
        assert project.image_folder.missing() == []
        assert SeenFile.now(tmp_path / "a#page=2.tif") == SeenFile.now(tmp_path / "a.tif")
        assert SeenFile.now(tmp_path / "a#page=2.tif").digest() is not None
        (tmp_path / "a.tif").unlink()
        assert len(project.image_folder.missing()) == 3
