"""Classes of a file under other names, and left out, before it is taken in."""

from pathlib import Path

from maskwright.document.values import Category, ImageRecord, ImageState
from maskwright.formats.data_set import DataSet
from maskwright.formats.renaming import with_classes
from project_builders import drawn

CAR, AUTO, DOG = 1, 2, 3


def data() -> DataSet:
    images = tuple(ImageRecord(id_, f"{id_}.png", 64, 48, ImageState.DONE, 1) for id_ in (1, 2))
    objects = {1: (drawn(1, category_id=CAR), drawn(2, category_id=AUTO)), 2: (drawn(3, category_id=DOG),)}
    categories = (Category(CAR, "car"), Category(AUTO, "auto"), Category(DOG, "dog"))
    return DataSet(Path("x.json"), categories, images, objects)


def test_without_names_all_stays_as_it_is() -> None:
    assert with_classes(data(), {}) == data()


def test_two_classes_of_one_name_become_one() -> None:
    found = with_classes(data(), {"auto": "car"})

    assert [category.name for category in found.categories()] == ["car", "dog"]
    assert [each.category_id for each in found.instances(1)] == [CAR, CAR]


def test_two_classes_may_become_a_third() -> None:
    found = with_classes(data(), {"auto": "vehicle", "car": "Vehicle"})

    assert [category.name.casefold() for category in found.categories()] == ["vehicle", "dog"]
    assert len({each.category_id for each in found.instances(1)}) == 1


def test_images_that_lose_objects_are_open_again() -> None:
    found = with_classes(data(), {"dog": None, "auto": None})

    assert [category.name for category in found.categories()] == ["car"]
    assert [(image.state, image.instance_count) for image in found.images()] == [
        (ImageState.IN_PROGRESS, 1),
        (ImageState.UNSEEN, 0),
    ]
    assert found.instances(2) == ()
