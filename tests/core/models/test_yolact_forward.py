"""The converted network against what the reference implementation returns for the same weights."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import openvino
import pytest

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
    converted = openvino.Core().compile_model(
        convert(checkpoint, tmp_path, precision=precision).path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    outputs = converted(stored["input_bgr"].transpose(2, 0, 1)[None].astype(np.float32))
    tolerance, proto_tolerance = TOLERANCES[precision]
    for name in ("conf", "boxes", "mask"):
        np.testing.assert_allclose(outputs[name][:, stored["anchor_index"]], stored[name], atol=tolerance, rtol=0)
    np.testing.assert_allclose(outputs["proto"][:, ::3, ::3], stored["proto"], atol=proto_tolerance, rtol=0)
