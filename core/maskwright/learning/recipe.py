"""How a round is trained: sizes, schedule and augmentation. The defaults scored best on eight small sets."""

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

INPUT_SIZES = (256, 384, 512, 768, 1024, 1536)
LARGEST_CROP = 512
LEAST_OBJECT_PX = 20.0
"""Size of a typical small object, in input pixels, below which a larger input is chosen."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Training parameters. Lengths are in input pixels."""

    input_size: int = 384
    """The longest side of an image at the network's input."""
    crop: int = 384
    batch: int = 8
    replays: int = 1
    """How often a batch is trained on again some steps later, which costs only the heads' part."""
    pyramid: int = 48
    tower: int = 64
    prototype_features: int = 32
    """Widths of the heads."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.03
    warmup_steps: int = 30
    ema_decay: float = 0.98
    gradient_limit: float = 10.0
    scale_range: tuple[float, float] = (0.6, 1.7)
    rotation_deg: float = 15.0
    aspect: float = 0.1
    turns: bool = False
    """Random quarter turns, for views from above."""
    paste_share: float = 0.5
    """Fraction of crops with pasted objects of another image."""
    paste_most: int = 6
    empty_share: float = 0.12
    """Fraction of crops from images without objects."""
    colour: float = 1.0
    """Strength of the colour augmentation; the hue stays, because it may define the class."""

    def to_json(self) -> dict[str, Any]:
        """All parameters as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Raises TypeError if the values are not a recipe."""
        known = {field.name for field in fields(cls)}
        kept: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return cls(**{key: value for key, value in kept.items() if key in known})

    def rate(self, *, step: int, progress: float) -> float:
        """Linear warm-up, then a cosine down to one percent; progress: fraction of the budget spent, 0..1."""
        cosine = 0.01 + 0.99 * (1 + math.cos(math.pi * min(progress, 1.0))) / 2
        return self.learning_rate * cosine * min(1.0, (step + 1) / self.warmup_steps)


def recipe_for(object_shares: list[float], longest_side_px: int) -> Recipe:
    """The recipe at the size of `input_size_for`; larger crops than 384 px come six at a time, to fit into 2.5 GB."""
    size = input_size_for(object_shares, longest_side_px)
    crop = min(size, LARGEST_CROP)
    return Recipe(input_size=size, crop=crop, batch=8 if crop <= 384 else 6)


def nuclei_recipe(recipe: Recipe) -> Recipe:
    """For heads pre-trained on nuclei: a lower rate, and quarter turns, because a slide has no up or down."""
    return replace(recipe, learning_rate=1e-3, turns=True, paste_share=0.0)


def input_size_for(object_shares: list[float], longest_side_px: int) -> int:
    """The smallest input at which a typical small object is large enough.

    object_shares: each object's side (root of its area) over its image's longest side; longest_side_px: of the largest
    image: a larger input only costs time.
    """
    if not object_shares:
        return 384
    ordered = sorted(object_shares)
    small = ordered[len(ordered) // 4]
    reachable = [size for size in INPUT_SIZES if size <= max(384, longest_side_px)]
    wanted = (size for size in reachable if size >= 384 and small * size >= LEAST_OBJECT_PX)
    return next(wanted, reachable[-1])
