"""What tests of the whole window share: a folder of small images and a model that waits when told to."""

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


def bright_square(folder: Path, box_xyxy: tuple[int, int, int, int]) -> Path:
    """Makes `folder` with one dark image of 160 x 120 pixels, on which `box_xyxy` is bright."""
    left, top, right, bottom = box_xyxy
    image = np.full((120, 160, 3), 40, np.uint8)
    image[top:bottom, left:right] = 210
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), image)
    return folder
