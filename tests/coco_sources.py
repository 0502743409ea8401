"""Small sources of images and instances for the tests of file formats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from geometry_masks import NAMED_MASKS
from maskwright.document.values import Category, ImageRecord, ImageState, Instance
from maskwright.geometry.convert import mask_to_polygons
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


def varied_source() -> ListSource:
    """Every named mask as one instance, three to an image, side by side."""
    source = ListSource()
    for i, mask in enumerate(NAMED_MASKS.values()):
        image_id = i // 3 + 1
        if image_id > len(source.image_list):
            source.image_list.append(ImageRecord(image_id, f"sub/{image_id}.png", 300, 90, ImageState.DONE))
        polygons = mask_to_polygons(mask, min_iou=None, offset_xy=(100 * (i % 3), 3))
        source.instances_of.setdefault(image_id, []).append(Instance(i + 1, 18 if i % 2 else 1, polygons))
    return source


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
