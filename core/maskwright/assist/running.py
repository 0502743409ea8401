"""Runs a network for an assistant: thread-safe, cancellable, compiled once."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskwright.assist.protocol import Cancel
from maskwright.errors import ModelError
from maskwright.inference.async_runner import InferenceCancelledError
from maskwright.inference.model import DeviceChoice
from maskwright.inference.runtime import Network, Request


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """Where and how networks run; `precision` of None is the device's default."""

    device: str = "CPU"
    precision: str | None = None
    num_threads: int | None = None


class Runner:
    """A compiled network with as many inference requests as threads use it at once."""

    def __init__(self, network: Network, settings: LoadSettings) -> None:
        """Compiles at once. Raises ModelError if no device can run the network."""
        self._choice = DeviceChoice(network, settings.device, settings.precision, settings.num_threads)
        self._lock = threading.Lock()
        self._spare: list[Request] = []

    @property
    def device(self) -> str:
        """The device that it runs on."""
        return self._choice.device

    @property
    def device_note(self) -> str | None:
        """Why it does not run on the requested device; None if it does."""
        return self._choice.note

    @property
    def precision(self) -> str:
        """The inference precision in use."""
        return self._choice.compiled("latency").precision

    def run(self, feeds: Mapping[int, NDArray[Any]], cancel: Cancel | None) -> list[NDArray[Any]]:
        """Outputs in the network's order, owned by the caller. Raises InferenceCancelledError once `cancel` is set."""
        if cancel is not None and cancel.is_set():
            raise InferenceCancelledError("cancelled")
        with self._lock:
            request = self._spare.pop() if self._spare else self._choice.compiled("latency").request()
        try:
            outputs = [np.array(output) for output in request.run(feeds, cancel.is_set if cancel is not None else None)]
        except ModelError as error:
            if cancel is not None and cancel.is_set():
                raise InferenceCancelledError("cancelled") from error
            raise
        finally:
            with self._lock:
                self._spare.append(request)
        if cancel is not None and cancel.is_set():
            raise InferenceCancelledError("cancelled")
        return outputs
