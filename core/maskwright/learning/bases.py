"""What a round starts from: a frozen trunk, and the heads that are trained on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from maskwright.learning.job import NUCLEI, LearningJob
from maskwright.learning.network import LAYOUT, HeadConfig, LightHeads, general_trunk
from maskwright.learning.nuclei_base import NucleiHeads, nuclei_heads, nuclei_trunk
from maskwright.training.losses import LossWeights
from maskwright.training.network import NUCLEI_LAYOUT, AnchorLayout

Heads = LightHeads | NucleiHeads


@dataclass(frozen=True, slots=True)
class Base:
    """One kind of network that can be trained."""

    layout: AnchorLayout
    trunk: Callable[[], nn.Module]
    heads: Callable[[], Heads]
    weights: LossWeights


def base_of(job: LearningJob) -> Base:
    """The base that a job names."""
    if job.base == NUCLEI:
        count = len(job.category_names)
        return Base(NUCLEI_LAYOUT, nuclei_trunk, lambda: nuclei_heads(count), LossWeights(outline=0.0))
    return Base(LAYOUT, lambda: general_trunk(), lambda: LightHeads(head_config(job)), LossWeights())


def head_config(job: LearningJob) -> HeadConfig:
    """The configuration of the general base."""
    recipe = job.recipe
    return HeadConfig(
        categories=len(job.category_names),
        pyramid=recipe.pyramid,
        tower=recipe.tower,
        prototype_features=recipe.prototype_features,
    )
