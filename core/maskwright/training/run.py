"""What all trainings share: a budget with a cosine schedule, averaged weights, checkpoints, the loop."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maskwright.memory import keep_freed_memory

logger = logging.getLogger(__name__)

CHECKPOINT_NAME = "checkpoint.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """One run. Either `minutes` or `steps` bounds it and shapes the learning rate."""

    out: Path
    minutes: float | None = None
    steps: int | None = None
    seed: int = 1
    weight_decay: float = 0.03
    warmup_steps: int = 150
    ema_decay: float = 0.999
    gradient_limit: float = 10.0
    threads: int = 1
    bfloat16: bool = True
    checkpoint_minutes: float = 4.0
    log_steps: int = 100
    network: Any = None
    """The network's own dataclass; stored in the checkpoint."""

    def progress(self, *, step: int, seconds: float) -> float:
        """Fraction of the budget spent, 0..1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        if self.minutes is None:
            raise ValueError("expected minutes or steps, got neither")
        return min(1.0, seconds / (60 * self.minutes))

    def share_of_rate(self, *, step: int, progress: float) -> float:
        """Linear warm-up, then a cosine down to one percent."""
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2
        return cosine * min(1.0, (step + 1) / self.warmup_steps)

    def prepare(self) -> None:
        """Set up the folder, threads and seed, before the network is made."""
        self.out.mkdir(parents=True, exist_ok=True)
        keep_freed_memory()
        torch.set_num_threads(self.threads)
        torch.manual_seed(self.seed)


class TrainingRun:
    """The state in a checkpoint: network, averaged network, optimiser, steps and seconds spent."""

    def __init__(
        self, config: RunConfig, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        """`average`: another network of the same shape, which receives the averaged weights."""
        self.config = config
        self.network = network
        self.average = average.requires_grad_(False).eval()
        self.average.load_state_dict(network.state_dict())
        self.optimizer = optimizer
        self.step = 0
        self.seconds = 0.0
        self._rates = [group["lr"] for group in optimizer.param_groups]

    def losses_of(self, batch: Any) -> dict[str, Tensor]:
        """By name; their sum is minimised."""
        raise NotImplementedError

    def notes(self) -> dict[str, Any]:
        """Further content of the checkpoint."""
        return {}

    def take_notes(self, content: Mapping[str, Any]) -> None:
        """Restore what `notes` returned, from a checkpoint."""

    def before_batch(self, progress: float) -> None:
        """Called in `follow` with the fraction of the budget spent."""

    def after_batch(self) -> None:
        """Called in `follow` after each step."""

    @property
    def progress(self) -> float:
        """Fraction of the budget spent, 0..1."""
        return self.config.progress(step=self.step, seconds=self.seconds)

    def save(self) -> None:
        """Written to a temporary file and renamed: an interrupted save must not cost the run."""
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "config": asdict(self.config.network),
            **self.notes(),
        }
        partial = self.config.out / (CHECKPOINT_NAME + ".part")
        torch.save(content, partial)
        partial.replace(self.config.out / CHECKPOINT_NAME)

    def resume(self) -> bool:
        """Continue from the checkpoint in the output folder; False if there is none."""
        path = self.config.out / CHECKPOINT_NAME
        if not path.exists():
            return False
        content: dict[str, Any] = torch.load(path, weights_only=True)
        self.network.load_state_dict(content["network"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.seconds = content["step"], content["seconds"]
        self.take_notes(content)
        logger.info("resumed at step %d after %.1f min", self.step, self.seconds / 60)
        return True

    def learn(self, batch: Any, *, share_of_rate: float) -> dict[str, Tensor]:
        """One optimiser step; returns the losses by name, detached."""
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * share_of_rate
        parts = self.losses_of(batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_limit)
        self.optimizer.step()
        self.step += 1
        self._blend()
        return {name: part.detach() for name, part in parts.items()}

    def follow(self, stream: Iterator[Any]) -> Path:
        """Train on batch after batch until the budget is spent; returns the checkpoint's path."""
        sums: defaultdict[str, float] = defaultdict(float)
        spent_before, started, saved = self.seconds, time.monotonic(), time.monotonic()
        while (progress := self.progress) < 1:
            self.before_batch(progress)
            waiting = time.monotonic()
            batch = next(stream)
            sums["wait_s"] += time.monotonic() - waiting
            share = self.config.share_of_rate(step=self.step, progress=progress)
            for name, part in self.learn(batch, share_of_rate=share).items():
                sums[name] += float(part)
            self.seconds = spent_before + time.monotonic() - started
            if self.step % self.config.log_steps == 0:
                self._log(sums)
            if time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                self.save()
                saved = time.monotonic()
            self.after_batch()
        self.save()
        return self.config.out / CHECKPOINT_NAME

    def _blend(self) -> None:
        # The average follows quickly at first, because the first weights are worthless.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        kept, latest = self.average.state_dict(), self.network.state_dict()
        names = [name for name, value in kept.items() if value.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([kept[name] for name in names], [latest[name] for name in names], 1 - decay)

    def _log(self, sums: defaultdict[str, float]) -> None:
        means = " ".join(f"{name} {value / self.config.log_steps:.3f}" for name, value in sums.items())
        logger.info("step %d  %.1f min  %s", self.step, self.seconds / 60, means)
        sums.clear()


def weights_by_decay(parts: nn.Module, *, weight_decay: float, rate: float) -> list[dict[str, Any]]:
    """Parameter groups for AdamW with decay of convolution weights only; frozen parameters are left out."""
    weights = [weight for weight in parts.parameters() if weight.requires_grad]
    decayed = [weight for weight in weights if weight.ndim > 1]
    free = [weight for weight in weights if weight.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": weight_decay, "lr": rate},
        {"params": free, "weight_decay": 0.0, "lr": rate},
    ]
