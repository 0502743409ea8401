"""On 108 megapixels the window is cut first: no backend copies the image, and no answer is a full frame."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import resource, sys
import numpy as np
import maskwright as mw
from maskwright.assist.prompt import Prompt

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

assistant = mw.load_assistant(sys.argv[1], precision="f32", num_threads=1)
small = assistant.open(np.zeros((300, 400, 3), np.uint8))
small.outline(box_xyxy=(50, 50, 350, 250))  # what the network itself takes
small.outline([(200, 150)])
before = peak_mb()
view = assistant.open(np.zeros((9000, 12_000, 3), np.uint8))  # untouched pages take no memory until they are copied
for box in ((6000, 4000, 6300, 4200), (10, 10, 11_990, 8990)):
    view.outline(box_xyxy=box, min_iou=None).bounds_xyxy
view.outline([(6000, 4500)], min_iou=None).bounds_xyxy
print(peak_mb() - before)
"""
IMAGE_MB = 324
"""An object as large as the image takes 108 MB as a mask, and twice that while it is trimmed."""


@pytest.mark.parametrize("name", ["bundled", "grabcut", "sam"])
def test_108_megapixels_are_never_copied(name: str, tmp_path: Path) -> None:
    if name == "sam":
        from tiny_sam import CELLS, SIDE, decoder, encoder

        encoder(tmp_path / "encoder.xml", "x", (1, 3, 64, 64))
        mask = {"mask_input": (1, 1, CELLS, CELLS), "has_mask_input": (1,)}
        points = {"point_coords": (1, -1, 2), "point_labels": (1, -1), "orig_im_size": (2,)}
        shapes = {"masks": (1, 1, CELLS, CELLS), "low_res_masks": (1, 1, CELLS, CELLS)}
        inputs = {"image_embeddings": (1, 5, SIDE, SIDE), **points, **mask}
        decoder(tmp_path / "decoder.xml", inputs, shapes, ("iou_predictions", [0.7]))
    source = str(tmp_path) if name == "sam" else name
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, source], capture_output=True, text=True, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 0.75 * IMAGE_MB
