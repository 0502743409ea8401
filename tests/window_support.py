"""What tests of the whole window share: a folder of small images and a model that waits when told to."""

import json
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskwright.errors import ModelError
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model
from project_builders import write_image


def image_folder(folder: Path, count: int, *, size_wh: tuple[int, int] = (64, 48)) -> Path:
    for index in range(count):
        write_image(folder / f"{index:03d}.png", size_wh=size_wh, value=40 + index)
    return folder


class GatedModel:
    """A model whose inference waits at a gate, so that a test decides what happens meanwhile; open at first."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)
        """Released each time an inference arrives at the gate."""
        self.failure: str | None = None
        self.predict_count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def predict(self, image_bgr: NDArray[np.uint8]) -> Candidates:
        self.predict_count += 1
        self._pass_gate()
        return self._model.predict(image_bgr)

    def infer(self, *arguments: Any) -> Candidates:
        self._pass_gate()
        return self._model.infer(*arguments)

    def _pass_gate(self) -> None:
        self.entered.release()
        self.gate.wait()
        if self.failure is not None:
            raise ModelError(self.failure)


def coco_with_a_dog(path: Path, file_name: str) -> Path:
    """An annotation file with one object, a triangle, on one image of `image_folder`."""
    content = {
        "images": [{"id": 1, "file_name": file_name, "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 50, "bbox": [1, 1, 10, 10]}
            | {"segmentation": [[1, 1, 11, 1, 11, 11]]}
        ],
    }
    path.write_text(json.dumps(content))
    return path


def bright_square(folder: Path, box_xyxy: tuple[int, int, int, int]) -> Path:
    """Makes `folder` with one dark image of 160 x 120 pixels, on which `box_xyxy` is bright."""
    left, top, right, bottom = box_xyxy
    image = np.full((120, 160, 3), 40, np.uint8)
    image[top:bottom, left:right] = 210
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), image)
    return folder
