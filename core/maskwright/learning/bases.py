"""What a round begins from: a trunk that stays as it is, and the heads that learn on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from maskwright.learning.job import NUCLEI, LearningJob
from maskwright.learning.network import LAYOUT, HeadConfig, LightHeads
from maskwright.learning.nuclei_base import NucleiHeads, nuclei_heads, nuclei_trunk
from maskwright.learning.trunk import general_trunk
from maskwright.training.layout import NUCLEI_LAYOUT, AnchorLayout
from maskwright.training.losses import LossWeights

Heads = LightHeads | NucleiHeads


@dataclass(frozen=True, slots=True)
class Base:
    """One kind of network that can learn."""

    layout: AnchorLayout
    trunk: Callable[[], nn.Module]
    heads: Callable[[], Heads]
    weights: LossWeights


def base_of(job: LearningJob) -> Base:
    """The one that a job names."""
    if job.base == NUCLEI:
        count = len(job.category_names)
        return Base(NUCLEI_LAYOUT, nuclei_trunk, lambda: nuclei_heads(count), LossWeights(outline=0.0))
    return Base(LAYOUT, lambda: general_trunk(), lambda: LightHeads(head_config(job)), LossWeights())


def head_config(job: LearningJob) -> HeadConfig:
    """Of the general base."""
    recipe = job.recipe
    return HeadConfig(
        categories=len(job.category_names),
        pyramid=recipe.pyramid,
        tower=recipe.tower,
        prototype_features=recipe.prototype_features,
    )
