"""Trains the network that outlines objects by pointing.

A step takes each crop through the trunk once, and through the head several times with simulated clicks in between."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from maskwright.training import run
from maskwright.training.assist.judge import Judge
from maskwright.training.assist.loader import PromptBatch, PromptLoaderConfig, batches
from maskwright.training.assist.network import Answer, AssistConfig, AssistNetwork
from maskwright.training.assist.objects import ObjectSet
from maskwright.training.assist.prompts import clicked
from maskwright.training.assist.trunk import load_imagenet

FOCAL_WEIGHT = 2.0
COARSE_WEIGHT = 0.3
QUALITY_WEIGHT = 0.5


def losses(answer: Answer, wanted: Tensor) -> dict[str, Tensor]:
    """Means over the batch; `wanted` (N, 1, H, W) float 0..1 is the coverage of each cell."""
    logits = answer.mask_logits.float()
    coarse = functional.avg_pool2d(wanted, wanted.shape[-1] // answer.coarse_logits.shape[-1])
    coarse_logits = answer.coarse_logits.float()
    quality = (answer.quality.float() - iou(logits, wanted)) ** 2
    return {
        "focal": FOCAL_WEIGHT * normalised_focal(logits, wanted).mean(),
        "dice": dice(logits, wanted).mean(),
        "coarse": COARSE_WEIGHT * (normalised_focal(coarse_logits, coarse) + dice(coarse_logits, coarse)).mean(),
        "quality": QUALITY_WEIGHT * quality.mean(),
    }


def normalised_focal(logits: Tensor, wanted: Tensor, gamma: float = 2.0) -> Tensor:
    """(N,) cross-entropy weighted by (1 - p)^gamma, with the weights of an image summing to 1.

    Sofiiuk, Barinova, Konushin: AdaptIS, ICCV 2019.
    """
    entropy = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    with torch.no_grad():
        weight = (logits.sigmoid() - wanted).abs() ** gamma
        weight = weight / (weight.mean((1, 2, 3), keepdim=True) + 1e-4)
    return (entropy * weight).mean((1, 2, 3))


def dice(logits: Tensor, wanted: Tensor) -> Tensor:
    """(N,) one minus the soft Dice coefficient."""
    chance = logits.sigmoid()
    common = (chance * wanted).sum((1, 2, 3))
    return 1 - (2 * common + 1) / ((chance**2).sum((1, 2, 3)) + (wanted**2).sum((1, 2, 3)) + 1)


def iou(logits: Tensor, wanted: Tensor) -> Tensor:
    """(N, 1) IoU of the masks at a probability of one half."""
    answered, truth = logits > 0, wanted > 0.5
    common = (answered & truth).sum((1, 2, 3)).float()
    either = (answered | truth).sum((1, 2, 3)).float()
    return (common / either.clamp(min=1))[:, None]


logger = logging.getLogger(__name__)

EXTRA_ROUNDS_CHANCE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTrainConfig(run.RunConfig):
    """See `RunConfig`; trunk and head have their own learning rates."""

    pixels: int = 16 * 192 * 192
    head_rate: float = 2e-3
    trunk_rate: float = 3e-4
    weight_decay: float = 0.02
    warmup_steps: int = 100
    gradient_limit: float = 5.0
    loader_cpus: tuple[int, ...] = ()
    judge_minutes: float = 10.0
    log_steps: int = 50
    network: AssistConfig = field(default_factory=AssistConfig)


class PromptTrainingRun(run.TrainingRun):
    """A run that counts its crops, tells the loader its progress, and is evaluated now and then."""

    config: PromptTrainConfig

    def __init__(self, config: PromptTrainConfig, judge: Judge | None = None) -> None:
        config.prepare()
        network = AssistNetwork(config.network)
        load_imagenet(network.trunk)
        network.to(memory_format=torch.channels_last)
        average = AssistNetwork(config.network).to(memory_format=torch.channels_last)
        super().__init__(config, network, average, _optimizer(network, config))
        self.crops = 0
        self.shared_progress = torch.zeros(1).share_memory_()
        self._judge, self._judged = judge, time.monotonic()

    def notes(self) -> dict[str, Any]:
        """The number of crops seen."""
        return {"crops": self.crops}

    def take_notes(self, content: Mapping[str, Any]) -> None:
        """See `notes`."""
        self.crops = content["crops"]
        self.shared_progress[0] = self.progress

    def before_batch(self, progress: float) -> None:
        """The loader's crops become harder with the progress."""
        self.shared_progress[0] = progress

    def after_batch(self) -> None:
        """Evaluate, if it is time."""
        if time.monotonic() - self._judged > 60 * self.config.judge_minutes:
            self.judge()

    def judge(self) -> None:
        """Log the averaged network's figures."""
        if self._judge is not None:
            logger.info(
                "judged at %.1f min, %d crops: %s", self.seconds / 60, self.crops, self._judge.report(self.average)
            )
        self._judged = time.monotonic()

    def losses_of(self, batch: PromptBatch) -> dict[str, Tensor]:
        """For two answers, the second after a click where the first was wrong."""
        random = np.random.default_rng((self.config.seed, 7, self.step))
        images = batch.images.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
        wanted = batch.wanted[:, None].float() / 255
        prompts = (batch.prompts.float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            features = self.network.features(images)
        if random.random() < EXTRA_ROUNDS_CHANCE:
            for _ in range(int(random.integers(1, 4))):
                with torch.no_grad():
                    logits = self._answer([tap.detach() for tap in features], prompts).mask_logits
                prompts = clicked(prompts, logits, batch.wanted, random)
        first = self._answer(features, prompts)
        again = clicked(prompts, first.mask_logits.detach(), batch.wanted, random)
        second = self._answer(features, again)
        self.crops += len(images)
        parts = {f"{name}_1": part for name, part in losses(first, wanted).items()}
        return parts | {f"{name}_2": part for name, part in losses(second, wanted).items()}

    def _answer(self, features: list[Tensor], prompts: Tensor) -> Any:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            return self.network.head(features, prompts)


def train(sets: list[ObjectSet], config: PromptTrainConfig, *, judge: Judge | None = None) -> Path:
    """Train until the budget is spent, resuming where a checkpoint exists; returns the checkpoint's path."""
    started = PromptTrainingRun(config, judge)
    started.resume()
    loader = PromptLoaderConfig(config.pixels, config.seed, started.step, config.loader_cpus)
    path = started.follow(batches(sets, loader, started.shared_progress))
    started.judge()
    return path


def _optimizer(network: AssistNetwork, config: PromptTrainConfig) -> torch.optim.Optimizer:
    """The trunk has a lower rate; its frozen stages are not trained."""
    frozen = [network.trunk.stem, *list(network.trunk.stages)[: config.network.frozen_stages]]
    for module in frozen if config.network.frozen_stages else []:
        module.requires_grad_(False)
    rates = ((network.trunk, config.trunk_rate), (network.head, config.head_rate))
    groups = [run.weights_by_decay(part, weight_decay=config.weight_decay, rate=rate) for part, rate in rates]
    return torch.optim.AdamW([group for of_part in groups for group in of_part], fused=True)
