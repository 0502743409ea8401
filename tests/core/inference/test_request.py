"""A running inference is broken off where that is safe, and nowhere else."""

from dataclasses import dataclass, field

import numpy as np
import openvino
import pytest
from openvino import opset13 as ops

from maskwright.inference.runtime import CompiledNetwork, Request


@dataclass
class Running:
    """An inference that is not done before it is waited for to the end."""

    calls: list[str] = field(default_factory=list)
    output_tensors: tuple[()] = ()

    def start_async(self, _feeds: object, *, share_inputs: bool) -> None:
        self.calls.append("start")

    def wait_for(self, _ms: int) -> bool:
        return False

    def wait(self) -> None:
        self.calls.append("wait")

    def cancel(self) -> None:
        self.calls.append("cancel")


def compiled(shape: list[int]) -> CompiledNetwork:
    node = ops.parameter(shape, np.float32)
    return CompiledNetwork(openvino.Core().compile_model(openvino.Model([ops.relu(node)], [node], "relu"), "CPU"))


@pytest.mark.parametrize(("can_break_off", "calls"), [(True, ["start", "cancel", "wait"]), (False, ["start", "wait"])])
def test_what_is_unwanted_is_broken_off_where_that_is_safe(can_break_off: bool, calls: list[str]) -> None:
    running = Running()
    request = Request(running, can_break_off=can_break_off)  # type: ignore[arg-type]  # acts like one
    request.run({}, lambda: True)
    assert running.calls == calls


@pytest.mark.parametrize(("shape", "is_safe"), [([2, 3], True), ([-1, 3], False)], ids=["fixed", "free"])
def test_only_networks_of_fixed_shapes_are_broken_off(
    shape: list[int], is_safe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = compiled(shape).request()
    cancelled: list[bool] = []
    monkeypatch.setattr(openvino.InferRequest, "cancel", lambda _request: cancelled.append(True))
    request.cancel()
    (answer,) = request.run({0: np.ones((2, 3), np.float32)})
    assert (bool(cancelled), answer.shape) == (is_safe, (2, 3))
