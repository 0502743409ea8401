"""Batches of crops, prepared by a thread while the network trains; batch n depends on the seed and n alone."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from maskwright.errors import MaskwrightError
from maskwright.learning.crops import random_crop
from maskwright.learning.job import Example
from maskwright.learning.recipe import Recipe
from maskwright.learning.samples import SampleStore
from maskwright.training.augment import Crop
from maskwright.training.losses import Targets


class LearningBatch(NamedTuple):
    """Images (B, 3, S, S) float32 RGB 0..255 and their targets."""

    images: Tensor
    targets: Targets

    def to(self, device: torch.device) -> LearningBatch:
        """The batch on another device."""
        t = self.targets
        moved = Targets(
            boxes=t.boxes.to(device),
            image=t.image.to(device),
            category=t.category.to(device),
            labels=t.labels.to(device),
            ignored=None if t.ignored is None else t.ignored.to(device),
        )
        return LearningBatch(self.images.to(device), moved)


class BatchMaker:
    """Samples images so that rare classes and empty images are seen, but not too often."""

    def __init__(self, examples: tuple[Example, ...], store: SampleStore, recipe: Recipe, *, seed: int) -> None:
        self._store = store
        self._recipe = recipe
        self._seed = seed
        self._full = np.array([k for k, example in enumerate(examples) if example.objects], np.int64)
        self._empty = np.array([k for k, example in enumerate(examples) if not example.objects], np.int64)
        self._chances = _chances([examples[k] for k in self._full])

    def batch(self, number: int) -> LearningBatch:
        """The batch of this number. Raises MaskwrightError if no image can be read any more."""
        random = np.random.default_rng((self._seed, number))
        crops: list[Crop] = []
        while len(crops) < self._recipe.batch:
            crop = self._crop(random)
            if crop is not None:
                crops.append(crop)
            elif len(self._store.unreadable) == len(self._store):
                reason = next(iter(self._store.unreadable.values()))
                raise MaskwrightError(f"none of the images can be read any more: {reason}")
        return _stacked(crops)

    def stream(self, first: int) -> Generator[LearningBatch, None, None]:
        """All batches from `first` on, without end, prepared one ahead."""
        with ThreadPoolExecutor(1, thread_name_prefix="crops") as worker:
            coming = worker.submit(self.batch, first)
            while True:
                first += 1
                ready, coming = coming, worker.submit(self.batch, first)
                yield ready.result()

    def _crop(self, random: np.random.Generator) -> Crop | None:
        has_choice = len(self._empty) > 0 and random.random() < self._recipe.empty_share
        if has_choice or not len(self._full):
            number = int(random.choice(self._empty))
        else:
            number = int(random.choice(self._full, p=self._chances))
        donor = None
        if len(self._full) and random.random() < self._recipe.paste_share:
            donor = self._store.sample(int(random.choice(self._full, p=self._chances)))
        sample = self._store.sample(number)
        return random_crop(sample, random, self._recipe, donor=donor) if sample is not None else None


def _chances(examples: list[Example]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(N,) float64: images with a rare class are sampled more often (repeat factor of Gupta et al. 2019, LVIS)."""
    present = [{item.category for item in example.objects} for example in examples]
    if not present:
        return np.zeros(0)
    share = {category: sum(category in kinds for kinds in present) / len(present) for category in set().union(*present)}
    weights = np.array([max(max(1.0, (0.5 / share[category]) ** 0.5) for category in kinds) for kinds in present])
    return np.asarray(weights / weights.sum())


def _stacked(crops: list[Crop]) -> LearningBatch:
    counts = [len(crop.boxes) for crop in crops]
    starts = np.cumsum([0, *counts[:-1]])
    labels = np.stack(
        [np.where(crop.labels > 0, crop.labels + start, 0) for crop, start in zip(crops, starts, strict=True)]
    )
    ignored = np.stack([crop.labels < 0 for crop in crops])
    images = np.stack([crop.image for crop in crops])
    targets = Targets(
        boxes=torch.from_numpy(np.concatenate([crop.boxes for crop in crops])),
        image=torch.from_numpy(np.repeat(np.arange(len(crops)), counts)),
        category=torch.from_numpy(np.concatenate([crop.categories for crop in crops])),
        labels=torch.from_numpy(labels.astype(np.int32)),
        ignored=torch.from_numpy(ignored) if ignored.any() else None,
    )
    return LearningBatch(torch.from_numpy(images).permute(0, 3, 1, 2).float(), targets)
