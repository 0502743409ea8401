"""Folders as other tools leave them, taken into a new project: every object on the image that it was drawn on."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from maskwright.errors import FormatError
from maskwright.formats.registry import recognised
from maskwright.project import Project


def pictures(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        noise = np.random.default_rng(len(name)).integers(0, 255, (48, 64, 3), np.uint8)
        cv2.imwrite(str(folder / name), noise)


def text(file: Path, content: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def masks(folder: Path, *names: str, dtype: type[np.generic] = np.uint8, value: int = 1) -> None:
    """Two objects each."""
    pixels = np.zeros((48, 64), dtype)
    pixels[3:9, 4:20], pixels[20:30, 4:20] = value, value + 1
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(pixels).save(folder / name)


def coco(*names: str) -> dict[str, Any]:
    """Two objects each."""
    ring = [3, 5, 15, 5, 15, 17, 3, 17]
    rings = [(i, [n + 20 * k for n in ring]) for i in range(len(names)) for k in range(2)]
    plain = {"category_id": 1, "bbox": [0, 0, 1, 1], "area": 1, "iscrowd": 0}
    return {
        "images": [{"id": i, "file_name": name, "width": 64, "height": 48} for i, name in enumerate(names, 1)],
        "annotations": [
            {"id": n, "image_id": i + 1, "segmentation": [ring], **plain} for n, (i, ring) in enumerate(rings, 1)
        ],
        "categories": [{"id": 1, "name": "cat"}],
    }


def coco_of_2017(root: Path) -> Path:
    text(root / "annotations" / "instances_val2017.json", coco("a.jpg"))
    text(root / "annotations" / "person_keypoints_val2017.json", coco("a.jpg"))
    pictures(root / "val2017", "a.jpg")
    return root


def overlapping_files(root: Path) -> Path:
    for part in ("all", "val"):
        text(root / "annotations" / f"instances_{part}.json", coco("a.jpg"))
    pictures(root / "images", "a.jpg")
    return root


def beside_the_images(root: Path) -> Path:
    text(root / "valid" / "_annotations.coco.json", coco("a.jpg"))
    pictures(root / "valid", "a.jpg")
    return root


def the_file_beside_the_images(root: Path) -> Path:
    return beside_the_images(root) / "valid" / "_annotations.coco.json"


def label_studio_coco(root: Path) -> Path:
    text(root / "result.json", coco("../../label-studio/data/media/upload/8/0c7f2e-a.jpg"))
    pictures(root / "images", "0c7f2e-a.jpg")
    return root


def cvat_coco(root: Path) -> Path:
    text(root / "annotations" / "instances_default.json", coco("sub/a.jpg"))
    pictures(root / "images" / "sub", "a.jpg")
    return root


YOLO = "0 0.1 0.1 0.5 0.1 0.5 0.5\n1 0.5 0.5 0.6 0.5 0.6 0.9\n"


def yolo_with_a_list(root: Path) -> Path:
    text(root / "labels" / "a.txt", YOLO)
    text(root / "classes.txt", "cat\ndog\n")
    pictures(root / "images", "a.jpg", "b.jpg")
    return root


def yolo_of_darknet(root: Path) -> Path:
    text(root / "obj_train_data" / "a.txt", YOLO)
    text(root / "obj.names", "cat\ndog\n")
    text(root / "obj.data", "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\n")
    text(root / "train.txt", "data/obj_train_data/a.jpg\n")
    pictures(root / "obj_train_data", "a.jpg")
    return root


def masks_of_the_same_names(root: Path) -> Path:
    masks(root / "masks", "a.png")
    pictures(root / "images", "a.png")
    return root


def masks_with_an_ending(root: Path) -> Path:
    masks(root / "masks", "a_mask.png", value=254)
    pictures(root / "images", "a.jpg")
    return root


def masks_beside_their_images(root: Path) -> Path:
    masks(root, "a_cp_masks.png", dtype=np.uint16, value=300)
    pictures(root, "a.jpg")
    return root


def masks_as_tiff(root: Path) -> Path:
    masks(root / "masks", "a.tif", dtype=np.uint16, value=300)
    pictures(root / "images", "a.tif")
    return root


def xml_beside_the_images(root: Path) -> Path:
    box = "<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>"
    objects = f"<object><name>cat</name>{box}</object><object><name>dog</name>{box}</object>"
    size = "<size><width>64</width><height>48</height><depth>3</depth></size>"
    text(root / "a.xml", f"<annotation><filename>a.jpg</filename>{size}{objects}</annotation>")
    pictures(root, "a.jpg")
    return root


def labelme_without_sizes(root: Path) -> Path:
    shape = {"label": "cat", "points": [[1, 1], [20, 1], [20, 20]]}
    text(root / "a.json", {"shapes": [shape, shape | {"label": "dog"}], "imagePath": "..\\x\\a.jpg"})
    pictures(root, "a.jpg")
    return root


LAYOUTS: Sequence[Callable[[Path], Path]] = (
    coco_of_2017, overlapping_files, beside_the_images, the_file_beside_the_images, label_studio_coco, cvat_coco,
    yolo_with_a_list, yolo_of_darknet, masks_of_the_same_names, masks_with_an_ending, masks_beside_their_images,
    masks_as_tiff, xml_beside_the_images, labelme_without_sizes,
)  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda made: made.__name__)
def test_a_layout_is_recognised_and_its_images_found(tmp_path: Path, layout: Callable[[Path], Path]) -> None:
    source = layout(tmp_path / "set")
    with Project.create(tmp_path / "project", image_root=source if source.is_dir() else source.parent) as project:
        result, problems = project.imports.add_file(source)
        (image,) = project.images.all()
        assert not [problem for problem in problems if problem.effect == "skipped"]
        assert not project.image_folder.missing()
    assert result.instance_count == 2
    assert not {"masks", "a_mask.png", "a_cp_masks.png"} & set(image.file_name.split("/"))


def test_masks_alone_belong_to_the_images_of_the_project(tmp_path: Path) -> None:
    masks(tmp_path / "elsewhere", "a_label.png", "b_label.png")
    pictures(tmp_path / "photos" / "sub", "a.jpg", "b.jpg")
    with Project.create(tmp_path / "project", image_root=tmp_path / "photos") as project:
        result, _ = project.imports.add_file(tmp_path / "elsewhere")
        assert {image.file_name for image in project.images.all()} == {"sub/a.jpg", "sub/b.jpg"}
    assert result.instance_count == 4


def test_photographs_are_no_masks(tmp_path: Path) -> None:
    pictures(tmp_path / "photos", "a.png", "b.png")
    with pytest.raises(FormatError, match="not a known format"):
        recognised(tmp_path / "photos")
