"""Endless batches of crops, prepared by a worker process while the network trains."""

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

from maskwright.training.assist.crops import CropMaker, PromptCrop
from maskwright.training.assist.objects import ObjectSet

EARLY_SIZES = {128: 0.4, 160: 0.35, 192: 0.25}
LATE_SIZES = {128: 0.1, 160: 0.15, 192: 0.3, 256: 0.33, 320: 0.12}


class PromptBatch(NamedTuple):
    """Crops of one size, uint8: images (B, S, S, 3) RGB, wanted (B, S/2, S/2), prompts (B, 4, S/2, S/2)."""

    images: Tensor
    wanted: Tensor
    prompts: Tensor


@dataclass(frozen=True, slots=True)
class PromptLoaderConfig:
    """`pixels` bounds a batch, so that all sizes cost the same; `first_batch` continues an interrupted run."""

    pixels: int = 16 * 192 * 192
    seed: int = 1
    first_batch: int = 0
    cpus: tuple[int, ...] = ()


class PromptCropStream(IterableDataset[PromptBatch]):
    """Batch n depends on the seed, n and the training progress; large windows come later."""

    def __init__(self, sets: list[ObjectSet], config: PromptLoaderConfig, progress: Tensor) -> None:
        self._maker = CropMaker(sets)
        self._config = config
        self._progress = progress

    def __iter__(self) -> Iterator[PromptBatch]:
        number = self._config.first_batch
        while True:
            yield self._batch(number)
            number += 1

    def _batch(self, number: int) -> PromptBatch:
        random = np.random.default_rng((self._config.seed, number))
        late = float(np.clip((float(self._progress) - 0.15) / 0.35, 0, 1))
        sizes = sorted(LATE_SIZES)
        chances = np.array([(1 - late) * EARLY_SIZES.get(size, 0) + late * LATE_SIZES[size] for size in sizes])
        # The probabilities are per crop; a batch of small crops holds more of them.
        counts = np.array([max(4, round(self._config.pixels / size**2)) for size in sizes])
        batches = chances / counts
        pick = int(random.choice(len(sizes), p=batches / batches.sum()))
        crops = [self._maker.crop(random, size=sizes[pick]) for _ in range(counts[pick])]
        return stacked(crops)


def stacked(crops: list[PromptCrop]) -> PromptBatch:
    """Crops of one size as a batch."""
    return PromptBatch(
        images=torch.from_numpy(np.stack([crop.image for crop in crops])),
        wanted=torch.from_numpy(np.stack([crop.wanted for crop in crops])),
        prompts=torch.from_numpy(np.stack([crop.prompt for crop in crops])),
    )


def batches(sets: list[ObjectSet], config: PromptLoaderConfig, progress: Tensor) -> Iterator[PromptBatch]:
    """Start the worker and iterate over its batches; `progress` is a shared tensor that training keeps up to date."""

    def settle(_worker: int) -> None:
        torch.set_num_threads(1)
        if config.cpus:
            os.sched_setaffinity(0, set(config.cpus))
        if os.getpriority(os.PRIO_PROCESS, 0) < 0:
            os.setpriority(os.PRIO_PROCESS, 0, 0)

    # A forked child deadlocks on OpenCV's thread pool if the parent has ever started it.
    cv2.setNumThreads(0)
    return iter(
        DataLoader(
            PromptCropStream(sets, config, progress),
            batch_size=None,
            num_workers=1,
            prefetch_factor=8,
            worker_init_fn=settle,
            multiprocessing_context="fork",
        )
    )
