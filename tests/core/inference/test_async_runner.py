from pathlib import Path

import numpy as np
import pytest

import tiny_models
from maskwright.errors import ModelError
from maskwright.inference.async_runner import AsyncRunner, InferenceCancelledError
from maskwright.inference.candidates import Candidates
from maskwright.inference.model import Model, load_model
from maskwright.inference.runtime import Request


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return load_model(tiny_models.yolact(tmp_path / "tiny.xml"), precision="f32")


def picture(width: int) -> np.ndarray:
    return np.zeros((8, width, 3), np.uint8)


def test_every_image_comes_out_once_with_its_own_size(model: Model) -> None:
    with AsyncRunner[int](model, depth=2) as runner:
        results = dict(runner.run((width, picture(width)) for width in range(1, 40)))
    assert sorted(results) == list(range(1, 40))
    for width, found in results.items():
        assert isinstance(found, Candidates)
        assert found.frame.size_wh == (width, 8)


def test_it_reads_no_further_ahead_than_its_capacity(model: Model) -> None:
    taken: list[int] = []

    def images() -> object:
        for k in range(50):
            taken.append(k)
            yield k, picture(8)

    with AsyncRunner[int](model, depth=2) as runner:
        results = runner.run(images())
        next(results)
        assert len(taken) <= runner.capacity + 1


def test_a_bad_image_fails_alone(model: Model) -> None:
    with AsyncRunner[str](model, depth=1) as runner:
        results = dict(runner.run([("good", picture(8)), ("bad", np.zeros((3, 3), np.uint8)), ("last", picture(9))]))
    assert isinstance(results["bad"], ModelError)
    assert isinstance(results["good"], Candidates)
    assert isinstance(results["last"], Candidates)


def test_after_cancel_everything_comes_out_as_cancelled(model: Model) -> None:
    with AsyncRunner[int](model, depth=1) as runner:
        runner.cancel()
        results = dict(runner.run((k, picture(8)) for k in range(5)))
    assert all(isinstance(outcome, InferenceCancelledError) for outcome in results.values())
    assert len(results) == 5


def test_submit_gives_up_when_nothing_is_collected(model: Model) -> None:
    with AsyncRunner[int](model, depth=1) as runner:
        accepted = [runner.submit(k, picture(8), timeout_s=0) for k in range(runner.capacity + 1)]
    assert accepted == [True] * runner.capacity + [False]


class Endless:
    """A request of OpenVINO's that runs until it is cancelled."""

    def start_async(self, feeds: object, *, share_inputs: bool) -> None:
        self.is_cancelled = False

    def wait_for(self, timeout_ms: int) -> bool:
        return False

    def cancel(self) -> None:
        self.is_cancelled = True

    def wait(self) -> None:
        raise RuntimeError("Infer Request was canceled" if self.is_cancelled else "the device is gone")


def test_a_run_that_nobody_wants_any_more_is_not_logged_as_a_fault(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    request = Request(Endless(), can_break_off=True)  # type: ignore[arg-type]  # acts like one
    with pytest.raises(ModelError, match="cancelled"):
        request.run({}, is_unwanted=lambda: True)
    assert not caplog.records
    with pytest.raises(ModelError, match="the device is gone"):
        request.run({})
    assert "the device is gone" in caplog.text
