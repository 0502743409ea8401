"""A backend whose answers a test can foretell: a square of `reach` pixels around each point inside, or the box."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskwright.assist.placing import PlacedAxis, SoftMask
from maskwright.assist.prompt import Prompt
from maskwright.assist.protocol import Cancel, FeaturesOf, WindowFeatures
from maskwright.assist.view import BackendAssistant
from maskwright.assist.window import Window
from maskwright.inference.async_runner import InferenceCancelledError


class FakeBackend:
    """One logit per pixel, +4 or -4. Counts what it is asked to prepare, keeps the prompts it was given."""

    name = "fake"
    content_hash = "f" * 64
    device = "CPU"
    device_note = None
    keeps_features = True

    def __init__(self, *, reach: int = 5, score: float = 0.9) -> None:
        self.reach, self.score = reach, score
        self.prepared: list[Window] = []
        self.prompts: list[Prompt] = []
        self.truth: NDArray[np.bool_] | None = None
        """(H, W): answered whatever is shown."""

    def prepare(self, image_bgr: NDArray[np.uint8], window: Window, cancel: Cancel | None) -> WindowFeatures:
        if cancel is not None and cancel.is_set():
            raise InferenceCancelledError("cancelled")
        self.prepared.append(window)
        return WindowFeatures(window, {"mean": np.array([window.cut(image_bgr).mean()], np.float32)})

    def outline(self, features: WindowFeatures, prompt: Prompt, cancel: Cancel | None) -> SoftMask:
        self.prompts.append(prompt)
        width, height = prompt.size_wh
        inside = np.zeros((height, width), np.bool_) if self.truth is None else self.truth.copy()
        if self.truth is None:
            self._fill(inside, prompt)
        axes = PlacedAxis.stretched(width, 0, width, width), PlacedAxis.stretched(height, 0, height, height)
        return SoftMask(np.where(inside, np.float32(4), np.float32(-4)), axes, self.score)

    def answers(self, features_of: FeaturesOf, prompts: Sequence[Prompt], cancel: Cancel | None) -> list[SoftMask]:
        features = features_of(Window.whole(prompts[0].size_wh))
        return [self.outline(features, prompt, cancel) for prompt in prompts]

    def _fill(self, inside: NDArray[np.bool_], prompt: Prompt) -> None:
        if prompt.box_xyxy is not None:
            x1, y1, x2, y2 = (round(side) for side in prompt.box_xyxy)
            inside[y1:y2, x1:x2] = True
        for value in (1, 0):
            for x, y in prompt.points_xy[prompt.labels == value].astype(int).tolist():
                reach = self.reach
                inside[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach] = bool(value)


def fake_assistant(backend: FakeBackend | None = None) -> BackendAssistant:
    return BackendAssistant(backend or FakeBackend())
