"""Trains the network that proposes instances: settings, what a step uses, and the whole run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maskwright.training import run
from maskwright.training.dataset import Dataset
from maskwright.training.loader import LoaderConfig, TrainingBatch, batches
from maskwright.training.losses import LossWeights, losses
from maskwright.training.network import NetworkConfig, Segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(run.RunConfig):
    """See `RunConfig`."""

    batch: int = 16
    crop: int = 256
    learning_rate: float = 2e-3
    loader_cpu: int | None = None
    network: NetworkConfig = field(default_factory=NetworkConfig)


class NucleiTrainingRun(run.TrainingRun):
    """A run over a dataset, whose categories are stored in the checkpoint."""

    config: TrainConfig

    def __init__(self, dataset: Dataset, config: TrainConfig) -> None:
        config.prepare()
        self.dataset = dataset
        network = Segmenter(config.network).to(memory_format=torch.channels_last)
        groups = run.weights_by_decay(network, weight_decay=config.weight_decay, rate=config.learning_rate)
        super().__init__(config, network, Segmenter(config.network), torch.optim.AdamW(groups, fused=True))

    def notes(self) -> dict[str, Any]:
        """The categories by name and id."""
        return {"category_names": self.dataset.category_names, "category_ids": self.dataset.category_ids}

    def losses_of(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """See `losses`."""
        images = batch.network_input().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16):
            output = self.network(images)
        return losses(output, batch.targets(), weights=LossWeights())


def train(dataset: Dataset, config: TrainConfig) -> Path:
    """Train until the budget is spent, resuming where a checkpoint exists; returns the checkpoint's path."""
    started = NucleiTrainingRun(dataset, config)
    started.resume()
    loader = LoaderConfig(config.batch, config.crop, config.seed, first_batch=started.step, cpu=config.loader_cpu)
    return started.follow(batches(dataset.samples, loader))
