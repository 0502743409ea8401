"""Write the sample images and their ground truth: `python -m maskwright.samples.generate FOLDER`."""

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import orjson
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from maskwright.samples.scenes import SCENES, Scene
from maskwright.samples.shapes import LabelMap, place_nuclei

GROUND_TRUTH = "ground_truth.json"
CATEGORY = {"id": 1, "name": "nucleus", "supercategory": "cell"}


def make_scene(scene: Scene) -> tuple[NDArray[np.uint8], LabelMap]:
    """The picture (H, W, 3) BGR uint8 and the exact label map it was drawn from; the same on every call."""
    rng = np.random.default_rng(scene.seed)
    labels = place_nuclei(rng, scene.size_wh, scene.shapes)
    return scene.render(rng, labels), labels


def write_samples(folder: Path, scenes: tuple[Scene, ...] = SCENES) -> Path:
    """Write one JPEG a scene and a COCO file with pixel-exact RLE masks; returns the COCO file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, scene in enumerate(scenes, start=1):
        picture, labels = make_scene(scene)
        file_name = f"{scene.name}.jpg"
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        (folder / file_name).write_bytes(encoded.tobytes())
        images.append({"id": image_id, "file_name": file_name, "width": scene.size_wh[0], "height": scene.size_wh[1]})
        for label in range(1, int(labels.max()) + 1):
            annotations.append(_annotation(len(annotations) + 1, image_id, labels == label))
    document = {
        "info": {"description": "Maskwright samples: generated scenes with exact masks, CC0"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [CATEGORY],
    }
    path = folder / GROUND_TRUTH
    path.write_bytes(orjson.dumps(document))
    return path


def _annotation(annotation_id: int, image_id: int, mask: NDArray[np.bool_]) -> dict[str, Any]:
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": CATEGORY["id"],
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        "bbox": [float(value) for value in coco_mask.toBbox(rle)],
        "area": float(coco_mask.area(rle)),
        "iscrowd": 0,
    }


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
