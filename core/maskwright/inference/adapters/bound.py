"""What most adapters keep about the network they are bound to."""

from dataclasses import dataclass

from maskwright.inference.adapters.family import CardNotes
from maskwright.inference.adapters.resizing import Resizing
from maskwright.inference.frame import Frame
from maskwright.inference.interface import ImageInput
from maskwright.inference.labels import ModelCategory
from maskwright.inference.thresholds import Defaults


@dataclass(frozen=True)
class BoundNetwork:
    """Name, categories, operating point, pixels and resizing; families add their tensors."""

    notes: CardNotes
    categories: tuple[ModelCategory, ...]
    image_input: ImageInput
    resizing: Resizing

    @property
    def name(self) -> str:
        return self.notes.name

    @property
    def labels(self) -> tuple[ModelCategory, ...]:
        """Those of the categories that have a name of their own."""
        named = tuple(category for category in self.categories if category.name != f"category {category.id}")
        return named or self.categories

    @property
    def defaults(self) -> Defaults:
        return self.notes.defaults

    def frame(self, size_wh: tuple[int, int]) -> Frame:
        return self.resizing.frame(size_wh)
