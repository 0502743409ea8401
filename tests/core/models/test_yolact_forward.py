"""The converted network against what the reference implementation returns for the same weights."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

import tiny_checkpoint
from maskwright.models.convert import Precision, convert
from shared_data import shared_path

TOLERANCES = {"f32": (1e-4, 1e-4), "f16": (5e-3, 2e-2)}


@pytest.fixture(scope="module", params=["legacy", "zip"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "net.pth"
    script = shared_path("oracle/make_yolact_checkpoint.py")
    subprocess.run([sys.executable, script, "1", path, "--format", request.param], check=True)
    return path


@pytest.mark.parametrize("precision", ["f32", "f16"])
def test_outputs_are_the_reference_ones(checkpoint: Path, tmp_path: Path, precision: Precision) -> None:
    stored = np.load(shared_path("oracle/yolact_forward.npz"))
    outputs = run(convert(checkpoint, tmp_path, precision=precision).path, stored["input_bgr"])
    tolerance, proto_tolerance = TOLERANCES[precision]
    for name in ("conf", "boxes", "mask"):
        np.testing.assert_allclose(outputs[name][:, stored["anchor_index"]], stored[name], atol=tolerance, rtol=0)
    np.testing.assert_allclose(outputs["proto"][:, ::3, ::3], stored["proto"], atol=proto_tolerance, rtol=0)


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param({"classes": 2}, id="one class"),
        pytest.param({"classes": 81, "prototypes": 32}, id="as published"),
        pytest.param({"classes": 21, "prototypes": 16}, id="fewer prototypes"),
        pytest.param({"blocks": (3, 4, 23, 3), "classes": 5}, id="ResNet-101"),
    ],
)
def test_checkpoints_of_other_layouts_agree_with_pytorch(tmp_path: Path, layout: dict[str, Any]) -> None:
    pytest.importorskip("torch")
    from torch_yolact import forward

    weights = tiny_checkpoint.yolact_weights(**layout)
    image = np.random.default_rng(0).integers(0, 256, (550, 550, 3), dtype=np.uint8)
    made = convert(tiny_checkpoint.saved(tmp_path / "net.pth", weights), tmp_path, precision="f32")
    outputs = run(made.path, image)
    for name, expected in forward(weights, image).items():
        np.testing.assert_allclose(outputs[name], expected, atol=1e-4, rtol=2e-5, err_msg=name)  # some boxes are huge


def run(network: Path, image_bgr: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Outputs in f32 by name."""
    compiled = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    outputs = compiled(image_bgr.transpose(2, 0, 1)[None].astype(np.float32))
    return {port.get_any_name(): outputs[port] for port in compiled.outputs}
