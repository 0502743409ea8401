"""Small sources of images and instances for the tests of file formats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from maskwright.document.values import Category, ImageRecord, ImageState, Instance
from maskwright.geometry.polygon import Polygon


@dataclass
class ListSource:
    """A CocoSource made of lists."""

    category_list: list[Category] = field(default_factory=lambda: [Category(1, "cell"), Category(18, "dog", "animal")])
    image_list: list[ImageRecord] = field(default_factory=list)
    instances_of: dict[int, list[Instance]] = field(default_factory=dict)

    def categories(self) -> Sequence[Category]:
        return self.category_list

    def images(self) -> Iterator[ImageRecord]:
        return iter(self.image_list)

    def instances(self, image_id: int) -> Sequence[Instance]:
        return self.instances_of.get(image_id, [])


def square(x: float, y: float, side: float = 4) -> Polygon:
    """Axis-parallel, from its top-left corner."""
    return Polygon.of(square_ring(x, y, side))


def square_ring(x: float, y: float, side: float) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]


def square_with_hole(x: float, y: float, side: float = 9) -> Polygon:
    """The hole starts a third of the side in and is a third wide."""
    third = side / 3
    return Polygon.of(square_ring(x, y, side), [square_ring(x + third, y + third, third)])


def one_image(*instances: Instance, state: ImageState = ImageState.DONE, file_name: str = "a.png") -> ListSource:
    """A 40 x 30 image with these instances."""
    return ListSource(image_list=[ImageRecord(1, file_name, 40, 30, state)], instances_of={1: list(instances)})
