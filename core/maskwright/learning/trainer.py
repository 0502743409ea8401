"""The training of one round: a schedule over a budget, averaged weights, checkpoints."""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from maskwright.errors import ModelError
from maskwright.learning.bases import Heads, base_of
from maskwright.learning.batches import LearningBatch
from maskwright.learning.features import FeatureMaps, frozen_features
from maskwright.learning.job import CHECKPOINT_NAME, MOST_STEPS, LearningJob
from maskwright.learning.network import LearnedNetwork
from maskwright.training.losses import Targets, losses

_PATIENCE = 10.0
_LEAST_STEPS = 150
"""The first steps may take as long as they need on a busy machine: fewer teach little."""
_BUSY = 0.5
_BUSY_AFTER_S = 15.0
_REPLAY_POOL = 12
_log = logging.getLogger(__name__)


class Seen(NamedTuple):
    """A batch as the heads receive it."""

    features: FeatureMaps
    targets: Targets


class Round:
    """The state in a checkpoint: heads, averaged heads, optimiser, steps and seconds spent."""

    def __init__(self, job: LearningJob, folder: Path) -> None:
        torch.manual_seed(job.seed)
        self.recipe = job.recipe
        self.path = folder / CHECKPOINT_NAME
        self.device = chosen_device(job.device)
        self.base = base_of(job)
        self.layout = self.base.layout
        self.heads = self._heads().to(self.device)
        self.average = self._heads().to(self.device).requires_grad_(False).eval()
        self.average.load_state_dict(self.heads.state_dict())
        self.low_precision = _low_precision(self.device)
        self._features = frozen_features(
            self.base.trunk(),
            batch=job.recipe.batch,
            size=job.recipe.crop,
            device=self.device,
            dtype=self.low_precision,
            threads=job.threads,
        )
        self.optimizer = _optimizer(self.heads, self.recipe.weight_decay)
        self.step = 0
        self.seconds = 0.0
        self.judged_at: set[float] = set()
        """Shares of the budget at which the network was judged on the way."""

    def seen(self, batch: LearningBatch) -> Seen:
        """The trunk's features of a batch."""
        moved = batch.to(self.device)
        return Seen(self._features(moved.images), moved.targets)

    def learn(self, seen: Seen, *, progress: float) -> dict[str, Tensor]:
        """One optimiser step; returns the losses by name, detached."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(step=self.step, progress=progress)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision is torch.bfloat16):
            output = self.heads(seen.features)
        parts = losses(output, seen.targets, weights=self.base.weights, layout=self.layout)
        total = torch.stack(list(parts.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        if bool(torch.isfinite(total)):
            total.backward()
            nn.utils.clip_grad_norm_(self.heads.parameters(), self.recipe.gradient_limit)
            self.optimizer.step()
        self.step += 1
        self._blend()
        return {name: part.detach() for name, part in parts.items()}

    def network(self) -> LearnedNetwork:
        """The averaged network in float32 on the CPU, ready for export."""
        heads = self._heads()
        heads.load_state_dict({name: value.cpu() for name, value in self.average.state_dict().items()})
        network = LearnedNetwork(self.base.trunk(), heads, self.layout)
        network.eval()
        return network

    def save(self) -> None:
        """Written to a temporary file and renamed: an interrupted save must not cost the round."""
        content = {
            "heads": self.heads.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "step": self.step,
            "seconds": self.seconds,
            "judged_at": sorted(self.judged_at),
        }
        partial = self.path.with_suffix(".part")
        torch.save(content, partial)
        partial.replace(self.path)

    def resume(self) -> bool:
        """Continue from the checkpoint in the work folder; False if there is none that can be read."""
        if not self.path.exists():
            return False
        try:
            content: dict[str, Any] = torch.load(self.path, weights_only=True, map_location=self.device)
            self.heads.load_state_dict(content["heads"])
            self.average.load_state_dict(content["average"])
            self.optimizer.load_state_dict(content["optimizer"])
            torch.set_rng_state(content["random"].cpu())
            self.step, self.seconds = int(content["step"]), float(content["seconds"])
            self.judged_at = set(content["judged_at"])
        except (OSError, RuntimeError, KeyError, ValueError, EOFError) as error:
            _log.warning("the checkpoint cannot be read; learning starts over: %s", error)
            self.path.unlink(missing_ok=True)
            return False
        return True

    def _heads(self) -> Heads:
        return self.base.heads()

    def _blend(self) -> None:
        # The average follows quickly at first, because the first weights are worthless.
        decay = min(self.recipe.ema_decay, (1 + self.step) / (10 + self.step))
        kept, latest = self.average.state_dict(), self.heads.state_dict()
        with torch.no_grad():
            for name, value in kept.items():
                if value.is_floating_point():
                    value.lerp_(latest[name], 1 - decay)


class Budget:
    """How much of the time or steps is spent, including earlier sessions of the same round.

    Minutes are CPU time: beside other work a low-priority process gets little of it, and a schedule by the clock would
    end before anything is learned. The clock ends it after ten times as long, with the rate already falling.
    """

    def __init__(self, job: LearningJob, *, spent_s: float = 0.0) -> None:
        self._job = job
        self._limit_s = 60 * (job.minutes or 5.0)
        self._patience_s = math.inf if job.counts_cpu else _PATIENCE * self._limit_s
        self._spent_s = spent_s
        self._started = time.monotonic(), time.process_time()

    @property
    def seconds(self) -> float:
        """CPU seconds per thread."""
        return self._spent_s + (time.process_time() - self._started[1]) / self._job.threads

    @property
    def elapsed_s(self) -> float:
        """Wall-clock seconds of this session."""
        return time.monotonic() - self._started[0]

    @property
    def is_starved(self) -> bool:
        """Whether other work has taken most of the processor in this session."""
        worked_s = self.seconds - self._spent_s
        return self.elapsed_s > _BUSY_AFTER_S and worked_s < _BUSY * self.elapsed_s

    def progress(self, step: int) -> float:
        """Fraction spent, 0..1."""
        if self._job.steps is not None:
            return min(1.0, step / self._job.steps)
        waited = min(self.elapsed_s / self._patience_s, step / _LEAST_STEPS)
        return min(1.0, max(self.seconds / self._limit_s, waited, step / MOST_STEPS))

    def seconds_left(self, step: int) -> float | None:
        """Estimated wall-clock seconds; None before there is anything to estimate from."""
        share = self.progress(step) - (self._spent_s / self._limit_s if self._job.steps is None else 0.0)
        return self.elapsed_s / share * (1 - self.progress(step)) if share > 0 and step else None


def chosen_device(wanted: str) -> torch.device:
    """The named device, else a GPU if torch has one. Raises ModelError for a device that does not exist."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ModelError(f"PyTorch cannot train on {wanted}: {str(error).splitlines()[0]}") from error
    return device


def _low_precision(device: torch.device) -> torch.dtype:
    """bfloat16 if the device supports it natively; emulated it is slower than float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return torch.bfloat16 if supported is not None and supported() else torch.float32


def _optimizer(network: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW with decay of convolution weights only."""
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    free = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3)


def replayed(fresh: Iterator[Seen], replays: int, *, seed: int) -> Generator[Seen, None, None]:
    """Each fresh batch, followed by `replays` earlier ones drawn from the latest few."""
    random = np.random.default_rng((seed, 7))
    kept: deque[Seen] = deque(maxlen=_REPLAY_POOL)
    for seen in fresh:
        yield seen
        if len(kept) >= _REPLAY_POOL // 2:
            for _ in range(replays):
                yield kept[int(random.integers(len(kept)))]
        kept.append(seen)
