"""The training run: each crop's trunk once, its head several times with a simulated user's clicks in between."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from maskwright.memory import keep_freed_memory
from maskwright.training.assist.judge import Judge
from maskwright.training.assist.loader import Batch, LoaderConfig, batches
from maskwright.training.assist.network import Answer, AssistConfig, AssistNetwork
from maskwright.training.assist.objects import ObjectSet
from maskwright.training.assist.prompts import clicked
from maskwright.training.assist.trunk import load_imagenet

FOCAL_WEIGHT = 2.0
COARSE_WEIGHT = 0.3
QUALITY_WEIGHT = 0.5


def losses(answer: Answer, wanted: Tensor) -> dict[str, Tensor]:
    """Means over the batch; `wanted` (N, 1, H, W) float 0..1 is the covered share of each cell."""
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
    """(N,) cross-entropy weighted by (1 - p)^gamma, the weights of a picture summing to 1.

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
    """(N, 1) of the masks at one half."""
    answered, truth = logits > 0, wanted > 0.5
    common = (answered & truth).sum((1, 2, 3)).float()
    either = (answered | truth).sum((1, 2, 3)).float()
    return (common / either.clamp(min=1))[:, None]


logger = logging.getLogger(__name__)

CHECKPOINT_NAME = "checkpoint.pt"
EXTRA_ROUNDS_CHANCE = 0.3


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. Either `minutes` or `steps` bounds it and shapes the learning rates."""

    out: Path
    minutes: float | None = None
    steps: int | None = None
    pixels: int = 16 * 192 * 192
    seed: int = 1
    head_rate: float = 2e-3
    trunk_rate: float = 3e-4
    weight_decay: float = 0.02
    warmup_steps: int = 100
    ema_decay: float = 0.999
    gradient_limit: float = 5.0
    threads: int = 1
    loader_cpus: tuple[int, ...] = ()
    bfloat16: bool = True
    checkpoint_minutes: float = 4.0
    judge_minutes: float = 10.0
    log_steps: int = 50
    network: AssistConfig = field(default_factory=AssistConfig)

    def progress(self, *, step: int, seconds: float) -> float:
        """The spent share of the budget, 0..1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        if self.minutes is None:
            raise ValueError("expected minutes or steps, got neither")
        return min(1.0, seconds / (60 * self.minutes))

    def share_of_rate(self, *, step: int, progress: float) -> float:
        """Linear warm-up, then a cosine down to one percent."""
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2
        return cosine * min(1.0, (step + 1) / self.warmup_steps)


class Run:
    """The state that a checkpoint holds: network, averaged network, optimiser, steps and seconds spent."""

    def __init__(self, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.network = AssistNetwork(config.network)
        load_imagenet(self.network.trunk)
        self.network.to(memory_format=torch.channels_last)
        self.average = AssistNetwork(config.network).requires_grad_(False).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.average.to(memory_format=torch.channels_last)
        self.optimizer = _optimizer(self.network, config)
        self.step = 0
        self.crops = 0
        self.seconds = 0.0

    def save(self) -> None:
        """Write beside and rename: an interrupted save must not cost the run."""
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "crops": self.crops,
            "seconds": self.seconds,
            "config": asdict(self.config.network),
        }
        partial = self.config.out / (CHECKPOINT_NAME + ".part")
        torch.save(content, partial)
        partial.replace(self.config.out / CHECKPOINT_NAME)

    def resume(self) -> bool:
        """Continue from the checkpoint of the output folder; False where there is none."""
        path = self.config.out / CHECKPOINT_NAME
        if not path.exists():
            return False
        content: dict[str, Any] = torch.load(path, weights_only=True)
        self.network.load_state_dict(content["network"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.crops, self.seconds = content["step"], content["crops"], content["seconds"]
        return True

    def learn(self, batch: Batch, *, share_of_rate: float) -> dict[str, Tensor]:
        """One optimiser step; the losses by name, detached."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["full_rate"] * share_of_rate
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
        parts = {f"{name}_1": part for name, part in losses(first, wanted).items()}
        parts |= {f"{name}_2": part for name, part in losses(second, wanted).items()}
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_limit)
        self.optimizer.step()
        self.step += 1
        self.crops += len(images)
        self._blend()
        return {name: part.detach() for name, part in parts.items()}

    def _answer(self, features: list[Tensor], prompts: Tensor) -> Any:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            return self.network.head(features, prompts)

    def _blend(self) -> None:
        # The early average follows quickly: the first weights are worth nothing.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        kept, latest = self.average.state_dict(), self.network.state_dict()
        names = [name for name, value in kept.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([kept[name] for name in names], [latest[name] for name in names], 1 - decay)


def train(sets: list[ObjectSet], config: TrainConfig, *, judge: Judge | None = None) -> Path:
    """Train until the budget is spent, resuming where a checkpoint exists; returns the checkpoint's path."""
    config.out.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    torch.set_num_threads(config.threads)
    run = Run(config)
    if run.resume():
        logger.info("resumed at step %d after %.1f min", run.step, run.seconds / 60)
    shared_progress = torch.zeros(1).share_memory_()
    shared_progress[0] = config.progress(step=run.step, seconds=run.seconds)
    stream = batches(sets, LoaderConfig(config.pixels, config.seed, run.step, config.loader_cpus), shared_progress)
    sums: defaultdict[str, float] = defaultdict(float)
    spent_before, started = run.seconds, time.monotonic()
    saved = judged = started
    while (progress := config.progress(step=run.step, seconds=run.seconds)) < 1:
        shared_progress[0] = progress
        waiting = time.monotonic()
        batch = next(stream)
        sums["wait_s"] += time.monotonic() - waiting
        share = config.share_of_rate(step=run.step, progress=progress)
        for name, part in run.learn(batch, share_of_rate=share).items():
            sums[name] += float(part)
        run.seconds = spent_before + time.monotonic() - started
        if run.step % config.log_steps == 0:
            _log(run, sums)
        if time.monotonic() - saved > 60 * config.checkpoint_minutes:
            run.save()
            saved = time.monotonic()
        if judge is not None and time.monotonic() - judged > 60 * config.judge_minutes:
            logger.info("judged at %.1f min: %s", run.seconds / 60, judge.report(run.average))
            judged = time.monotonic()
    run.save()
    if judge is not None:
        logger.info("judged at the end: %s", judge.report(run.average))
    return config.out / CHECKPOINT_NAME


def _optimizer(network: AssistNetwork, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW that decays convolution weights only; the trunk learns more slowly, its frozen stages not at all."""
    frozen = [network.trunk.stem, *list(network.trunk.stages)[: config.network.frozen_stages]]
    for module in frozen if config.network.frozen_stages else []:
        module.requires_grad_(False)
    groups: list[dict[str, Any]] = []
    for part, rate in ((network.trunk, config.trunk_rate), (network.head, config.head_rate)):
        weights = [weight for weight in part.parameters() if weight.requires_grad]
        decayed = [weight for weight in weights if weight.ndim > 1]
        free = [weight for weight in weights if weight.ndim <= 1]
        groups.append({"params": decayed, "weight_decay": config.weight_decay, "lr": rate, "full_rate": rate})
        groups.append({"params": free, "weight_decay": 0.0, "lr": rate, "full_rate": rate})
    return torch.optim.AdamW(groups, fused=True)


def _log(run: Run, sums: defaultdict[str, float]) -> None:
    means = " ".join(f"{name} {value / run.config.log_steps:.3f}" for name, value in sums.items())
    logger.info("step %d  crops %d  %.1f min  %s", run.step, run.crops, run.seconds / 60, means)
    sums.clear()
