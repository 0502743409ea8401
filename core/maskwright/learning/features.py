"""Runs the frozen trunk: in OpenVINO on a CPU, where it takes half of torch's time, in torch on a GPU."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import openvino
import torch
from torch import Tensor, nn

FeatureMaps = list[Tensor]
Extractor = Callable[[Tensor], FeatureMaps]


def frozen_features(
    trunk: nn.Module, *, batch: int, size: int, device: torch.device, dtype: torch.dtype, threads: int
) -> Extractor:
    """A function from images (B, 3, S, S) float32 RGB 0..255 to feature maps of `dtype`, highest resolution first."""
    if device.type == "cpu":
        return _by_openvino(trunk, batch=batch, size=size, dtype=dtype, threads=threads)
    moved = trunk.to(device, dtype, memory_format=torch.channels_last)

    def run(images: Tensor) -> FeatureMaps:
        with torch.no_grad():
            return list(moved(images.to(device, dtype, memory_format=torch.channels_last)))

    return run


class _Tuple(nn.Module):
    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.trunk(images))


def _by_openvino(trunk: nn.Module, *, batch: int, size: int, dtype: torch.dtype, threads: int) -> Extractor:
    shape = [batch, 3, size, size]
    with warnings.catch_warnings():
        # OpenVINO converts with torch.jit.trace, which PyTorch has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        # Traced with a small input: eight crops of 384 px alone would take more than a gigabyte.
        example = torch.zeros(1, 3, 64, 96)
        model = openvino.convert_model(
            _Tuple(trunk).eval(), example_input=example, input=[openvino.PartialShape(shape)]
        )
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if dtype is torch.bfloat16 else "f32",
    }
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    count = len(model.outputs)

    def run(images: Tensor) -> FeatureMaps:
        request.infer({0: images.contiguous().numpy()})
        found = (torch.from_numpy(request.get_output_tensor(k).data) for k in range(count))
        # The conversion copies; without one, the request's own memory must not be returned.
        return [level.to(dtype, copy=True, memory_format=torch.channels_last) for level in found]

    return run
