"""Endless batches of random crops, prepared by a worker process while the network trains."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from maskwright.training.augment import random_crop
from maskwright.training.dataset import TrainingSample
from maskwright.training.kinds import MicrographKind, image_kind
from maskwright.training.losses import Targets

KIND_WEIGHTS = {
    MicrographKind.FLUORESCENCE: 1.0,
    MicrographKind.LARGE_FLUORESCENCE: 2.0,
    MicrographKind.BRIGHT_FIELD: 5.0,
    MicrographKind.STAINED: 1.8,
}
WORKER_NICE_STEP = 10


class TrainingBatch(NamedTuple):
    """What the worker passes on; plain tensors transfer fastest."""

    images: Tensor  # (B, S, S, 3) uint8 RGB
    labels: Tensor  # (B, S, S) int16, numbered through the batch
    boxes: Tensor  # (G, 4) float32 xyxy
    image: Tensor  # (G,) int64
    category: Tensor  # (G,) int64

    def network_input(self) -> Tensor:
        return self.images.permute(0, 3, 1, 2).float()

    def targets(self) -> Targets:
        return Targets(boxes=self.boxes, image=self.image, category=self.category, labels=self.labels.long())


@dataclass(frozen=True, slots=True)
class LoaderConfig:
    """`first_batch` continues an interrupted run with fresh crops instead of repeating the first ones."""

    batch: int = 16
    size: int = 256
    seed: int = 1
    first_batch: int = 0
    cpu: int | None = None


class CropStream(IterableDataset[TrainingBatch]):
    """Batch n depends on the seed and n alone."""

    def __init__(self, samples: list[TrainingSample], config: LoaderConfig) -> None:
        self._samples = samples
        self._config = config
        weights = np.array([KIND_WEIGHTS[image_kind(sample.image)] for sample in samples])
        self._chances = weights / weights.sum()

    def __iter__(self) -> Iterator[TrainingBatch]:
        number = self._config.first_batch
        while True:
            yield self.batch(number)
            number += 1

    def batch(self, number: int) -> TrainingBatch:
        """The batch of this number; deterministic."""
        random = np.random.default_rng((self._config.seed, number))
        chosen = random.choice(len(self._samples), self._config.batch, p=self._chances)
        crops = [random_crop(self._samples[index], random, size=self._config.size) for index in chosen]
        counts = [len(crop.boxes) for crop in crops]
        starts = np.cumsum([0, *counts[:-1]]).astype(np.int16)
        labels = [np.where(crop.labels > 0, crop.labels + start, 0) for crop, start in zip(crops, starts, strict=True)]
        return TrainingBatch(
            images=torch.from_numpy(np.stack([crop.image for crop in crops])),
            labels=torch.from_numpy(np.stack(labels).astype(np.int16)),
            boxes=torch.from_numpy(np.concatenate([crop.boxes for crop in crops])),
            image=torch.from_numpy(np.repeat(np.arange(len(crops)), counts)),
            category=torch.from_numpy(np.concatenate([crop.categories for crop in crops])),
        )


def batches(samples: list[TrainingSample], config: LoaderConfig) -> Iterator[TrainingBatch]:
    """Start the worker and iterate over its batches."""

    def settle(_worker: int) -> None:
        os.nice(WORKER_NICE_STEP)
        if config.cpu is not None:
            os.sched_setaffinity(0, {config.cpu})

    # A forked child deadlocks on OpenCV's thread pool if the parent has ever started it.
    cv2.setNumThreads(0)
    return iter(
        DataLoader(
            CropStream(samples, config),
            batch_size=None,
            num_workers=1,
            prefetch_factor=8,
            worker_init_fn=settle,
            multiprocessing_context="fork",
        )
    )
