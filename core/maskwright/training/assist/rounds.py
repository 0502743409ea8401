"""A simulated user between two answers."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from maskwright.assist.bundled.drawing import draw_clicks
from maskwright.training.assist.prompts import next_click


def clicked(prompts: Tensor, logits: Tensor, wanted: Tensor, random: np.random.Generator | None) -> Tensor:
    """The prompts after another click on each answer's larger error, the answer itself as the outline so far.

    `prompts` (N, 4, H, W), `logits` (N, 1, H, W), `wanted` (N, H, W) uint8; without `random` always the deepest point.
    """
    chance = logits.float().sigmoid()
    result = prompts.clone()
    result[:, 3] = chance[:, 0]
    answers, truths = (chance[:, 0] > 0.5).numpy(), (wanted > 127).numpy()
    for number, (answer, truth) in enumerate(zip(answers, truths, strict=True)):
        click = next_click(answer, truth, random)
        if click is not None:
            x, y, positive = click
            draw_clicks(result[number, 1 if positive else 2].numpy(), np.array([[x, y]]))
    return result
