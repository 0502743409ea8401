"""The training run: a budget of minutes or steps, a cosine schedule over it, averaged weights, checkpoints."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maskwright.memory import keep_freed_memory
from maskwright.training.dataset import Dataset
from maskwright.training.loader import Batch, LoaderConfig, batches
from maskwright.training.losses import LossWeights, losses
from maskwright.training.network import NetworkConfig, Segmenter

logger = logging.getLogger(__name__)

CHECKPOINT_NAME = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. Either `minutes` or `steps` bounds it and shapes the learning rate."""

    out: Path
    minutes: float | None = None
    steps: int | None = None
    batch: int = 16
    crop: int = 256
    seed: int = 1
    learning_rate: float = 2e-3
    weight_decay: float = 0.03
    warmup_steps: int = 150
    ema_decay: float = 0.999
    gradient_limit: float = 10.0
    threads: int = 1
    loader_cpu: int | None = None
    bfloat16: bool = True
    checkpoint_minutes: float = 4.0
    log_steps: int = 100
    network: NetworkConfig = field(default_factory=NetworkConfig)

    def progress(self, *, step: int, seconds: float) -> float:
        """The spent share of the budget, 0..1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        if self.minutes is None:
            raise ValueError("expected minutes or steps, got neither")
        return min(1.0, seconds / (60 * self.minutes))

    def rate(self, *, step: int, progress: float) -> float:
        """Linear warm-up, then a cosine down to one percent."""
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2
        return self.learning_rate * cosine * min(1.0, (step + 1) / self.warmup_steps)


class Run:
    """The state that a checkpoint holds: network, averaged network, optimiser, steps and seconds spent."""

    def __init__(self, dataset: Dataset, config: TrainConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.dataset = dataset
        self.network = Segmenter(config.network).to(memory_format=torch.channels_last)
        self.average = Segmenter(config.network).requires_grad_(False).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.optimizer = _optimizer(self.network, config)
        self.step = 0
        self.seconds = 0.0

    def save(self) -> None:
        """Write beside and rename: an interrupted save must not cost the run."""
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "config": asdict(self.config.network),
            "category_names": self.dataset.category_names,
            "category_ids": self.dataset.category_ids,
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
        self.step, self.seconds = content["step"], content["seconds"]
        return True

    def learn(self, batch: Batch, *, rate: float) -> dict[str, Tensor]:
        """One optimiser step; the losses by name, detached."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images = batch.network_input().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            output = self.network(images)
        parts = losses(output, batch.targets(), weights=LossWeights())
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_limit)
        self.optimizer.step()
        self.step += 1
        self._blend()
        return {name: part.detach() for name, part in parts.items()}

    def _blend(self) -> None:
        # The early average follows quickly: the first weights are worth nothing.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        kept, latest = self.average.state_dict(), self.network.state_dict()
        floats = [name for name, value in kept.items() if value.is_floating_point()]
        with torch.no_grad():
            for name in floats:
                kept[name].lerp_(latest[name], 1 - decay)


def train(dataset: Dataset, config: TrainConfig) -> Path:
    """Train until the budget is spent, resuming where a checkpoint exists; returns the checkpoint's path."""
    config.out.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    torch.set_num_threads(config.threads)
    run = Run(dataset, config)
    if run.resume():
        logger.info("resumed at step %d after %.1f min", run.step, run.seconds / 60)
    stream = batches(
        dataset.samples,
        LoaderConfig(config.batch, config.crop, config.seed, first_batch=run.step, cpu=config.loader_cpu),
    )
    sums: defaultdict[str, float] = defaultdict(float)
    spent_before, started, saved = run.seconds, time.monotonic(), time.monotonic()
    while (progress := config.progress(step=run.step, seconds=run.seconds)) < 1:
        waiting = time.monotonic()
        batch = next(stream)
        sums["wait_s"] += time.monotonic() - waiting
        for name, part in run.learn(batch, rate=config.rate(step=run.step, progress=progress)).items():
            sums[name] += float(part)
        run.seconds = spent_before + time.monotonic() - started
        if run.step % config.log_steps == 0:
            _log(run, sums)
        if time.monotonic() - saved > 60 * config.checkpoint_minutes:
            run.save()
            saved = time.monotonic()
    run.save()
    return config.out / CHECKPOINT_NAME


def _optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW that decays convolution weights only."""
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    free = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def _log(run: Run, sums: defaultdict[str, float]) -> None:
    means = " ".join(f"{name} {value / run.config.log_steps:.3f}" for name, value in sums.items())
    logger.info("step %d  %.1f min  %s", run.step, run.seconds / 60, means)
    sums.clear()
