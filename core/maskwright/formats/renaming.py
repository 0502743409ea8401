"""Renames classes and images of a data set, or leaves classes out, before it is imported."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from maskwright.document.values import Category, ImageRecord, ImageState
from maskwright.errors import FormatError, InputError
from maskwright.file_names import file_name_fault
from maskwright.formats.data_set import DataSet


def with_classes(data: DataSet, names: Mapping[str, str | None]) -> DataSet:
    """`names`: {class: its new name, or None to leave it out with its objects}; other classes stay.

    Classes with the same new name become one. An image that loses objects is open again, because what was left out may
    be visible there.
    """
    if not names:
        return data
    becomes = _becomes(data.category_list, names)
    kept = {id_: category for id_, category in becomes.items() if category is not None}
    own_ids = {category.id for category in kept.values()}
    left = {
        image_id: tuple(
            replace(each, category_id=kept[each.category_id].id) for each in found if each.category_id in kept
        )
        for image_id, found in data.instances_by_image.items()
    }
    images = tuple(_reopened(image, data, len(left.get(image.id, ()))) for image in data.image_list)
    categories = tuple(category for category in kept.values() if category.id in own_ids)
    return replace(
        data,
        category_list=tuple(dict.fromkeys(categories)),
        image_list=images,
        instances_by_image=left,
    )


def with_images(data: DataSet, names: Mapping[str, str]) -> DataSet:
    """`names`: {image: its file in the image folder}; other images keep their names.

    Raises FormatError where two images would be one file, InputError for what is no name of a file.
    """
    for name in names.values():
        if (fault := file_name_fault(name)) is not None:
            raise InputError(f"expected the name of a file, got {name[:200]!r}: {fault}")
    images = tuple(replace(each, file_name=names.get(each.file_name, each.file_name)) for each in data.image_list)
    chosen = set(names.values())
    counts = Counter(each.file_name for each in images if each.file_name in chosen)
    if double := next((name for name, count in counts.items() if count > 1), None):
        raise FormatError(f"{double} would stand for {counts[double]} images of it", path=data.path)
    return replace(data, image_list=images)


def _becomes(categories: tuple[Category, ...], names: Mapping[str, str | None]) -> dict[int, Category | None]:
    """{id: the category that its objects get}."""
    found: dict[int, Category | None] = {}
    by_name: dict[str, Category] = {each.name.casefold(): each for each in categories if each.name not in names}
    for category in categories:
        name = names.get(category.name, category.name)
        if name is None:
            found[category.id] = None
        elif category.name in names:
            found[category.id] = by_name.setdefault(name.casefold(), replace(category, name=name))
        else:
            found[category.id] = category
    return found


def _reopened(image: ImageRecord, data: DataSet, left: int) -> ImageRecord:
    if left == len(data.instances(image.id)):
        return image
    return replace(image, state=ImageState.IN_PROGRESS if left else ImageState.UNSEEN, instance_count=left)
